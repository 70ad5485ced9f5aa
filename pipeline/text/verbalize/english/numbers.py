"""English numbers in words: "two hundred and five", "twenty first", "nineteen oh seven"."""

import re

_ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
).split()
_TENS = "zero ten twenty thirty forty fifty sixty seventy eighty ninety".split()
_SCALES = ("", " thousand", " million", " billion", " trillion")
_ORDINALS = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
    "nine": "ninth",
    "twelve": "twelfth",
}
MOST_DIGITS = 15
"""Nobody reads a longer number as one."""

NUMBER = r"(?>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)"
"""A number as it is written, without a sign: "1,234.5". It matches whole or not at all."""


def cardinal(value: int) -> str:
    """Return the number in words; `value` is from 0 to below 10**15."""
    groups = []
    rest, scale = value, 0
    while rest:
        rest, group = divmod(rest, 1000)
        if group:
            groups.append(_below_thousand(group) + _SCALES[scale])
        scale += 1
    if len(groups) > 1 and 0 < value % 1000 < 100:
        groups[0] = f"and {groups[0]}"
    return " ".join(reversed(groups)) or "zero"


def ordinal(value: int) -> str:
    first, _, last = f" {cardinal(value)}".rpartition(" ")
    regular = f"{last[:-1]}ieth" if last.endswith("y") else f"{last}th"
    return f"{first} {_ORDINALS.get(last, regular)}".strip()


def year(value: int) -> str:
    """Return the year in words; `value` is from 1000 to 9999."""
    century, rest = divmod(value, 100)
    if century % 10 == 0 and rest < 10:
        return cardinal(century * 100) + (f" {cardinal(rest)}" if rest else "")
    if rest == 0:
        return f"{cardinal(century)} hundred"
    return f"{cardinal(century)} {pair(rest)}"


def decade(value: int) -> str:
    """Return the plural: 1990 as "nineteen nineties", 1800 as "eighteen hundreds", 80 as "eighties"."""
    words = year(value) if value >= 1000 else cardinal(value)
    return f"{words[:-1]}ies" if words.endswith("y") else f"{words}s"


def pair(value: int) -> str:
    """Return two digits as after an hour or a century: 7 is "oh seven"."""
    return f"oh {cardinal(value)}" if value < 10 else cardinal(value)


def digits(text: str) -> str:
    """Return the digits of the text one by one."""
    return " ".join(_ONES[int(digit)] for digit in text if digit.isdigit())


def number(text: str) -> str | None:
    """Return a `NUMBER` in words; None if it has too many digits to be read as a number.

    The digits of a number with a superfluous zero in front ("007") are read one by one.
    """
    whole, _, part = text.replace(",", "").partition(".")
    if len(whole) > MOST_DIGITS:
        return None
    words = digits(whole) if re.match(r"0\d", whole) else cardinal(int(whole))
    return f"{words} point {digits(part)}" if part else words


def _below_thousand(value: int) -> str:
    hundreds, rest = divmod(value, 100)
    words = []
    if hundreds:
        words += [_ONES[hundreds], "hundred"] + (["and"] if rest else [])
    if rest >= 20:
        words += [_TENS[rest // 10]] + ([_ONES[rest % 10]] if rest % 10 else [])
    elif rest:
        words.append(_ONES[rest])
    return " ".join(words)
