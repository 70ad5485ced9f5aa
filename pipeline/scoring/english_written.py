"""English written forms, rewritten so that only words and plain numbers are left.

Every rule works on folded text (lower case, straight apostrophes and hyphens). The order matters: what is more
special comes first (a date before a range, a thousands separator before a decimal).
"""

import re

from pipeline.scoring.english_words import CENTS, CURRENCIES, SYMBOLS

_NEEDED = re.compile(r"[0-9%&+=@×÷#°$€£¥₹]")
_VULGAR = re.compile(r"(?<=[0-9])(?=[¼½¾⅐-⅞])")
_MONTH_NAMES = "january february march april may june july august september october november december".split()

_THOUSANDS = re.compile(r"(?<![0-9.,])([0-9]{1,3}(?:,[0-9]{3})++)(?![0-9]|,[0-9])")
_ISO_DATE = re.compile(r"\b([12][0-9]{3})[-/](0?[1-9]|1[0-2])[-/](3[01]|[12][0-9]|0?[1-9])\b")
_SLASH_DATE = re.compile(r"\b([0-9]{1,2})/([0-9]{1,2})/([12][0-9]{3})\b")
_MONEY = re.compile(r"([$€£¥₹])\s?([0-9]++(?:\.[0-9]++)?)(?:\s?(thousand|million|billion|trillion|k|m|bn|b)\b)?")
_CENTS_ALONE = re.compile(r"0\.([0-9]{2})")
_SHORT_SCALES = {"k": "thousand", "m": "million", "b": "billion", "bn": "billion"}
_FULL_HOUR_HALF = re.compile(r"\b([0-9]{1,2}):00(?=\s?[ap]\s?m\b)")
_FULL_HOUR = re.compile(r"\b(0?[0-9]|1[0-2]):00\b(?!:)")
_TIME = re.compile(r"\b([0-9]{1,2}):([0-5][0-9])(?::([0-5][0-9]))?\b")
_RATIO = re.compile(r"(?<=[0-9]):(?=[0-9])")
_PHONE = re.compile(r"(?:\(([0-9]{3})\)\s?|\b([0-9]{3})[-.])?(?<![0-9])([0-9]{3})[-.]([0-9]{4})\b")
_RANGE = re.compile(r"(?<=[0-9])([%°]?)\s?-\s?(?=[$€£]?[0-9])")
_MINUS = re.compile(r"(?<![^\s(])-(?=[0-9$€£¥])")
_MIXED = re.compile(r"\b([0-9]++)\s+1[/⁄]2\b")
_FRACTION = re.compile(r"(?<![0-9/.])([0-9]{1,2})[/⁄]([2-9]|10)(?![0-9/.]|\.[0-9])")
_DENOMINATORS = {2: ("half", "halves"), 4: ("quarter", "quarters")}
_NUMBER_SIGN = re.compile(r"(?:#|\bno\. ?)(?=[0-9])")
_SPEED = re.compile(r"(?<=[0-9])(\s?)(km|m)/(h|s)\b")
_ONE_DEGREE = re.compile(r"(?<![0-9.,])1\s?°")
_DEGREE_SCALE = {"c": " degrees celsius ", "f": " degrees fahrenheit "}
_DEGREES = re.compile(r"°\s?([cf])?(?![a-z])|°")
_DIGIT_LETTER = re.compile(r"(?<=[0-9])(?=[^\W0-9_])(?!(?:st|nd|rd|th)s?\b)(?!s\b)")
_LETTER_DIGIT = re.compile(r"(?<=[^\W0-9_])(?=[0-9])")
_MILLIMETERS = re.compile(r"(?<=[0-9])\s?mm\b")
_TIMES = re.compile(r"(?<=[0-9])\s?x\s?(?=[0-9])")
_SHARP = re.compile(r"\b([cf])#")
_SYMBOL = re.compile("[" + re.escape("".join(SYMBOLS)) + "]")
_STRAY_POINT = re.compile(r"(?<![0-9])\.(?=[0-9])")


def is_needed(text: str) -> bool:
    return _NEEDED.search(text) is not None


def separate_vulgar_fractions(text: str) -> str:
    """A space before ½ after a digit, or compatibility folding would make 21/2 of 2½."""
    return _VULGAR.sub(" ", text)


def rewrite(text: str) -> str:
    """Dates, money, times, ranges, fractions, degrees and symbols as words and numbers."""
    text = _THOUSANDS.sub(lambda found: found[1].replace(",", ""), text)
    text = _ISO_DATE.sub(lambda found: _date(found[1], found[2], found[3]), text)
    text = _SLASH_DATE.sub(_slash_date, text)
    text = _MINUS.sub("minus ", text)
    text = _PHONE.sub(lambda found: " " + " ".join(part for part in found.groups() if part), text)
    text = _RANGE.sub(r"\1 to ", text)
    text = _MONEY.sub(_money, text)
    text = _FULL_HOUR_HALF.sub(r"\1", text)
    text = _FULL_HOUR.sub(lambda found: f"{int(found[1])} o'clock", text)
    text = _TIME.sub(_time, text)
    text = _RATIO.sub(" to ", text)
    text = _MIXED.sub(r"\1 and a half", text)
    text = _FRACTION.sub(_fraction, text)
    text = _NUMBER_SIGN.sub("number ", text)
    text = _MILLIMETERS.sub(" millimeters", text)  # before "mm" is taken for a hesitation
    text = _TIMES.sub(" times ", text)
    text = _SHARP.sub(r"\1 sharp", text)
    text = _SPEED.sub(r"\1\2\3", text)
    text = _ONE_DEGREE.sub("1 degree ", text)
    text = _DEGREES.sub(lambda found: _DEGREE_SCALE.get(found[1], " degrees "), text)
    text = _SYMBOL.sub(lambda found: SYMBOLS[found[0]], text)
    text = _STRAY_POINT.sub(" point ", text)
    return _LETTER_DIGIT.sub(" ", _DIGIT_LETTER.sub(" ", text))


def _date(year: str, month: str, day: str) -> str:
    return f" {_MONTH_NAMES[int(month) - 1]} {int(day)} {year} "


def _slash_date(found: re.Match[str]) -> str:
    """Month first, the American order, unless only the other one is possible."""
    first, second, year = found.groups()
    month, day = (second, first) if int(first) > 12 else (first, second)
    if not (1 <= int(month) <= 12 and 1 <= int(day) <= 31):
        return found[0]
    return _date(year, month, day)


def _money(found: re.Match[str]) -> str:
    singular, plural = CURRENCIES[found[1]]
    scale = _SHORT_SCALES.get(found[3], found[3])
    if scale:
        return f" {found[2]} {scale} {plural} "
    cents = _CENTS_ALONE.fullmatch(found[2])
    if cents and plural in CENTS:
        return f" {int(cents[1])} {CENTS[plural][cents[1] != '01']} "
    return f" {found[2]} {singular if found[2] == '1' else plural} "


def _time(found: re.Match[str]) -> str:
    return " ".join([str(int(found[1])), *(part for part in found.groups()[1:] if part)])


def _fraction(found: re.Match[str]) -> str:
    count, parts = int(found[1]), int(found[2])
    if count >= parts:
        return found[0]
    if parts in _DENOMINATORS:
        return f" {count} {_DENOMINATORS[parts][count > 1]} "
    return f" {count} {_ordinal(parts)}{'s' if count > 1 else ''} "


def _ordinal(value: int) -> str:
    return f"{value}{ {2: 'nd', 3: 'rd'}.get(value, 'th') }"
