"""Tables of English number words, and of the words that go on with a number."""

# Tokens that stand for punctuation. Words on both sides do not form one number, except after a scale and a comma: "one
# thousand, two hundred".
COMMA = ","
BREAKS = frozenset(',.;:!?()"')

_ONES = "zero one two three four five six seven eight nine".split()
_TEENS = "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_ORDINAL_ONES = "zeroth first second third fourth fifth sixth seventh eighth ninth".split()
_ORDINAL_TEENS = (
    "tenth eleventh twelfth thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth".split()
)

ONES = {word: value for value, word in enumerate(_ONES)}
TEENS = {word: value for value, word in enumerate(_TEENS, 10)}
TENS = {word: 10 * value for value, word in enumerate(_TENS, 2)}
SCALES = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
ORDINAL_ONES = {word: value for value, word in enumerate(_ORDINAL_ONES)}
ORDINALS = ORDINAL_ONES | {word: value for value, word in enumerate(_ORDINAL_TEENS, 10)}
ORDINALS |= {word[:-1] + "ieth": value for word, value in TENS.items()}
ORDINAL_SCALES = {"hundredth": 100} | {f"{word}th": value for word, value in SCALES.items()}
DECADES = {word[:-1] + "ies": value for word, value in TENS.items()}
DECADE_WORDS = {"hundreds": "00", "thousands": "000"}
"""The nineteen hundreds, the two thousands."""
OH = frozenset({"oh", "o"})
MULTIPLES = {"double": 2, "triple": 3}

# Words that only make sense after a number: punctuation before them is a slip of the pen.
CONTINUING = frozenset({*SCALES, *ORDINAL_SCALES, "hundred", "point", *BREAKS})

NUMBER_WORDS = frozenset(
    {*ONES, *TEENS, *TENS, *SCALES, "hundred", *ORDINALS, *ORDINAL_SCALES, *DECADES, *MULTIPLES}
    | {f"{word}s" for word in ORDINALS}
)
STARTING = NUMBER_WORDS | {"a"}
# Words that can extend the digits before them.
POINTS = frozenset({"point", "dot"})
EXTENDING = NUMBER_WORDS.union(BREAKS, OH, POINTS, DECADE_WORDS, {"and", "a"})
DECIMALS = frozenset("0123456789")


def ordinal(value: int) -> str:
    """Write an ordinal with its ending: 1st, 2nd, 11th."""
    if value % 100 in (11, 12, 13):
        return f"{value}th"
    return f"{value}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(value % 10, 'th') }"


BELOW_20 = {word: str(value) for word, value in (ONES | TEENS).items()}
ORDINAL_TEXTS = {word: f"{value}s" for word, value in DECADES.items()}
for _word, _value in (ORDINALS | ORDINAL_SCALES).items():
    ORDINAL_TEXTS[_word] = ordinal(_value)
    if _word != "second":  # of time
        ORDINAL_TEXTS[f"{_word}s"] = f"{ordinal(_value)}s"

LARGER = frozenset({*SCALES, *ORDINAL_SCALES, "hundred"})
