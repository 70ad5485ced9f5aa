"""English number words to digits.

Speech to digits is many-to-one: 2024 may be said "twenty twenty four" or "two thousand and twenty four", 911 "nine
one one" or "nine hundred eleven". Each run of numbers therefore becomes the digits that a recogniser prints for it:
numbers that follow each other are written together. Two texts agree when they could be printed with the same digits.
"""

import re
from dataclasses import dataclass
from decimal import Decimal

_DECADE = re.compile(r"[0-9]+s")

# Tokens that stand for punctuation. Words on both sides of it form no common number, except after a scale and a comma:
# "one thousand, two hundred".
COMMA = ","
BREAK = ";"
_BREAKS = frozenset({COMMA, BREAK})

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
MULTIPLES = {"double": 2, "triple": 3}

# Words that only make sense after a number: punctuation before them is a slip of the pen.
_CONTINUING = frozenset({*SCALES, *ORDINAL_SCALES, "hundred", "point", *_BREAKS})

NUMBER_WORDS = frozenset(
    {*ONES, *TEENS, *TENS, *SCALES, "hundred", *ORDINALS, *ORDINAL_SCALES, *DECADES, *MULTIPLES}
    | {f"{word}s" for word in ORDINALS}
)
_STARTING = NUMBER_WORDS | {"a"}

# More digits than this are never multiplied: no number word is that large, and the cost of long integers grows.
_MAX_DIGITS = 15

# "two oh oh oh five": more zeros in a row are not said with "oh".
_MAX_ZEROS = 3


@dataclass(frozen=True, slots=True)
class Number:
    """Digits read from the words up to `end`.

    `text` is what is printed, "1234" or "21st"; `is_open` says whether following digits are written on to it.
    """

    text: str
    end: int
    is_open: bool = True

    @property
    def is_ordinal(self) -> bool:
        return self.text.endswith(("st", "nd", "rd", "th", "ths", "rds"))


def digits_of(tokens: list[str]) -> list[str]:
    """The tokens with every run of numbers as digits. Break tokens are dropped."""
    result: list[str] = []
    tokens = [
        token for at, token in enumerate(tokens) if token not in _BREAKS or _at(tokens, at + 1) not in _CONTINUING
    ]
    at = 0
    while at < len(tokens):
        number = _run(tokens, at) if tokens[at] in _STARTING or tokens[at][0].isdecimal() else None
        if number is None:
            if tokens[at] not in _BREAKS:
                result.append(tokens[at])
            at += 1
        else:
            result.append(number.text)
            at = number.end
    return result


def ordinal(value: int) -> str:
    """1st, 2nd, 11th."""
    if value % 100 in (11, 12, 13):
        return f"{value}th"
    return f"{value}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(value % 10, 'th') }"


def _run(tokens: list[str], start: int) -> Number | None:
    """Numbers that follow each other, written together: "nineteen ninety nine", "555 1234"."""
    number = _number(tokens, start)
    if number is None:
        return None
    text = number.text
    while number.is_open:
        at = number.end
        while _at(tokens, at) in _BREAKS:
            at += 1
        following = _number(tokens, at) or _spoken_zero(tokens, number.end)
        if following is None or following.is_ordinal or "." in text or "." in following.text:
            break
        number, text = following, text + following.text
    return Number(text, number.end, number.is_open)


def _number(tokens: list[str], at: int) -> Number | None:
    """One number: a cardinal with what may follow it, an ordinal, a decade, a doubled digit."""
    word = _at(tokens, at)
    if word in MULTIPLES:
        digit = "0" if _at(tokens, at + 1) in ("o", "oh") else _digits(_at(tokens, at + 1))
        if digit is None or len(digit) > 1:
            return None
        return _with_fraction(tokens, Number(digit * MULTIPLES[word], at + 2))
    return _ordinal(tokens, at) or _cardinal(tokens, at)


def _spoken_zero(tokens: list[str], at: int) -> Number | None:
    """The "oh" of "nineteen oh five", which is a zero between numbers only."""
    end = at
    while _at(tokens, end) in ("oh", "o") and end < at + _MAX_ZEROS:
        end += 1
    return Number("0" * (end - at), end) if end > at and _below_100(tokens, end) else None


def _ordinal(tokens: list[str], at: int) -> Number | None:
    word = _at(tokens, at)
    if word in DECADES:
        return Number(f"{DECADES[word]}s", at + 1, is_open=False)
    if _DECADE.fullmatch(word):
        return Number(word, at + 1, is_open=False)
    plural = "s" if word.endswith("s") and word != "seconds" and word[:-1] in ORDINALS | ORDINAL_SCALES else ""
    singular = word[:-1] if plural else word
    if singular in ORDINAL_SCALES:
        return Number(ordinal(ORDINAL_SCALES[singular]) + plural, at + 1, is_open=False)
    if singular in ORDINALS:
        return Number(ordinal(ORDINALS[singular]) + plural, at + 1, is_open=False)
    return None


def _cardinal(tokens: list[str], at: int) -> Number | None:
    whole = _whole(tokens, at)
    if whole is None:
        return None
    text, end, is_ordinal = whole
    if _at(tokens, end) == "hundreds" and len(text) == 2 and text.isdecimal():
        return Number(f"{text}00s", end + 1, is_open=False)
    if is_ordinal:
        return Number(text, end, is_open=False)
    return _with_fraction(tokens, Number(text, end))


def _with_fraction(tokens: list[str], number: Number) -> Number:
    """ "point five", "and a half", and the scale after them."""
    text, end = number.text, number.end
    while True:
        digits, after = _digit_run(tokens, end + 1) if _at(tokens, end) == "point" else ("", end)
        if digits:
            text, end = f"{text}.{digits}", after
        elif tokens[end : end + 3] == ["and", "a", "half"] and "." not in text:
            text, end = f"{text}.5", end + 3
        else:
            break
    scale = SCALES.get(_at(tokens, end), 1)
    if scale > 1 and text.count(".") == 1 and len(text) <= _MAX_DIGITS:
        value = Decimal(text) * scale
        text, end = (str(int(value)), end + 1) if value == int(value) else (text, end)
    return Number(text, end)


def _digit_run(tokens: list[str], at: int) -> tuple[str, int]:
    digits = ""
    while True:
        number = _below_100(tokens, at)
        if number is not None and number.is_open:
            digits, at = digits + number.text, number.end
        elif zeros := _spoken_zero(tokens, at):
            digits, at = digits + zeros.text, zeros.end
        else:
            return digits, at


def _whole(tokens: list[str], at: int) -> tuple[str, int, bool] | None:
    """A whole number of words, digits or both ("5 million"), the index after it, and whether it is an ordinal.

    Chunks below a thousand are multiplied by their scale and added up while the scales fall.
    """
    chunk = _below_1000(tokens, at)
    if chunk is None:
        return None
    text, end, is_ordinal = chunk
    if is_ordinal or len(text) > _MAX_DIGITS:
        return chunk
    total, limit = 0, 10**15
    while True:
        scale = SCALES.get(_at(tokens, end), 0)
        if scale and scale < limit and text.isdecimal():
            total, limit, end = total + int(text) * scale, scale, end + 1
        elif ORDINAL_SCALES.get(_at(tokens, end), 0) >= 1000 and text.isdecimal():
            return ordinal(total + int(text) * ORDINAL_SCALES[tokens[end]]), end + 1, True
        else:
            if total:
                return str(total + int(text)), end, False
            return text, end, False
        following = _addend(tokens, end, limit)
        if following is None:
            while _at(tokens, end) in SCALES and len(str(total)) <= _MAX_DIGITS:  # "twenty thousand million"
                total, end = total * SCALES[tokens[end]], end + 1
            return str(total), end, False
        text, end, is_ordinal = following
        if is_ordinal:
            return ordinal(total + int(text.rstrip("stndrh"))), end, True


def _addend(tokens: list[str], end: int, limit: int) -> tuple[str, int, bool] | None:
    """What is added after a scale: "twenty four" or "and twenty four", if it is below the scale with its own."""
    has_comma = _at(tokens, end) == COMMA
    at = end + 1 if has_comma or _at(tokens, end) == "and" else end
    chunk = _below_1000(tokens, at)
    digits = chunk[0].rstrip("stndrh") if chunk else ""
    if chunk is None or not digits.isdecimal() or len(digits) > 3 or digits[0] == "0":
        return None
    scale = SCALES.get(_at(tokens, chunk[1]), 1)
    if has_comma and scale == 1 and {"hundred", "hundredth"}.isdisjoint(tokens[at : at + 3]):
        return None
    return chunk if scale < limit else None


def _below_1000(tokens: list[str], at: int) -> tuple[str, int, bool] | None:
    """ "three", "twenty one", "two hundred (and) five", "nineteen hundred", "a hundred", or digits as they stand."""
    if _at(tokens, at) == "a" and (_at(tokens, at + 1) in SCALES or _at(tokens, at + 1) == "hundred"):
        number: Number | None = Number("1", at + 1)
    else:
        number = _below_100(tokens, at)
    if number is None:
        return None
    if not number.is_open:
        return number.text, number.end, True
    end = number.end
    if not number.text.isdecimal() or len(number.text) > 2:
        return number.text, end, False
    if _at(tokens, end) == "hundredth":
        return ordinal(int(number.text) * 100), end + 1, True
    if _at(tokens, end) != "hundred":
        return number.text, end, False
    return _hundreds(tokens, int(number.text) * 100, end + 1)


def _hundreds(tokens: list[str], hundreds: int, end: int) -> tuple[str, int, bool]:
    after_and = _at(tokens, end) == "and"
    rest = _below_100(tokens, end + 1 if after_and else end)
    if rest is None or _at(tokens, rest.end) in ("hundred", "hundredth") or rest.text[0] == "0":
        return str(hundreds), end, False
    number = rest.text.rstrip("stndrh")
    if len(number) > 2 or not number.isdecimal():
        return str(hundreds), end, False
    if after_and and SCALES.get(_at(tokens, rest.end), 0) > 0 and hundreds % 1000 == 0:
        return str(hundreds), end, False
    value = hundreds + int(number)
    return (str(value), rest.end, False) if rest.is_open else (ordinal(value), rest.end, True)


def _below_100(tokens: list[str], at: int) -> Number | None:
    """A number word below a hundred, with its ones, or a token of digits. An ordinal is closed."""
    word = _at(tokens, at)
    if word in TENS:
        following = _at(tokens, at + 1)
        if ONES.get(following, 0):
            return Number(str(TENS[word] + ONES[following]), at + 2)
        if ORDINAL_ONES.get(following, 0):
            return Number(ordinal(TENS[word] + ORDINAL_ONES[following]), at + 2, is_open=False)
        return Number(str(TENS[word]), at + 1)
    if word in ORDINALS:
        return Number(ordinal(ORDINALS[word]), at + 1, is_open=False)
    if _is_tens_digits(word) and _at(tokens, at + 1) == "second":
        return Number(ordinal(int(word) + 2), at + 2, is_open=False)
    digits = _digits(word)
    return None if digits is None else Number(digits, at + 1)


def _is_tens_digits(word: str) -> bool:
    """20, 30 ... 90: "20-second" and "twenty-second" must meet."""
    return len(word) == 2 and word[0] in "23456789" and word[1] == "0"


def _digits(word: str) -> str | None:
    """The digits of a token "1234", "3.14" or of a number word below twenty."""
    if word in ONES:
        return str(ONES[word])
    if word in TEENS:
        return str(TEENS[word])
    return word if word.replace(".", "").isdecimal() else None


def _at(tokens: list[str], at: int) -> str:
    return tokens[at] if at < len(tokens) else ""
