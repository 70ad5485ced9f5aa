"""English dates, times of day, years, decades and seasons in words.

"12/25" is a date only where a word says so; "03/04/2020" is the third of April or the fourth of March, and stays
unsaid.
"""

import re

from pipeline.text.replacements import compile_rules
from pipeline.text.verbalize.characters import unsure
from pipeline.text.verbalize.english.context import (
    LEFT,
    RIGHT,
    counts_things,
    is_ratio,
    is_score,
    sentence,
    word_before,
)
from pipeline.text.verbalize.english.numbers import cardinal, decade, ordinal, pair, year

_NAMES = ("January February March April May June July August September October November December").split()
_MONTHS = (
    {name: i for i, name in enumerate(_NAMES, 1)} | {name[:3]: i for i, name in enumerate(_NAMES, 1)} | {"Sept": 9}
)
_MONTH = rf"(?:{'|'.join(_NAMES)}|(?:Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept|Sep|Oct|Nov|Dec)\b\.?)"
_DAY = r"(?:0?[1-9]|[12]\d|3[01])"
_YEAR = r"(?:1\d{3}|20\d\d)"
_IN_MONTH = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_BEFORE_DATE = frozenset("on by before after since until till from due date dated between through".split())
_O_CLOCK = "o'clock"
_DATED = re.compile(
    r"(?i)\b(?:christmas|holidays?|birthdays?|deadlines?|due|dates?|dated|calendar|anniversary|appointments?|festival)\b"
)
_BOOKS = (
    "Genesis|Exodus|Leviticus|Deuteronomy|Joshua|Psalms?|Proverbs|Isaiah|Jeremiah|Matthew|Mark|Luke|John|Acts|Romans|"
    "Corinthians|Galatians|Ephesians|Philippians|Hebrews|James|Peter|Revelation"
)


def _month(name: str) -> int:
    return _MONTHS[name.rstrip(".")]


def _said(day: int, month: int, year_: str | None = "") -> str | None:
    if not 1 <= month <= 12 or not 1 <= day <= _IN_MONTH[month - 1]:
        return None
    said = f"the {ordinal(day)} of {_NAMES[month - 1]}"
    return f"{said}, {year(int(year_))}" if year_ else said


def _month_first(match: re.Match[str]) -> str:
    """Read "June 18, 1815"; "In May 5 people" is no date for sure."""
    if not match["year"] and not match["suffix"] and counts_things(match):
        return f"{match['month']} {unsure(match['day'])}"
    said = _said(int(match["day"]), _month(match["month"]), match["year"]) or match[0]
    return said.removeprefix("the ") if word_before(match) == "the" else said


def _day_first(match: re.Match[str]) -> str:
    said = _said(int(match["day"]), _month(match["month"]))
    if said is None:
        return match[0]
    if word_before(match) == "the":
        said = said.removeprefix("the ")
    return f"{said} {year(int(match['year']))}" if match["year"] else said


def _days(match: re.Match[str]) -> str:
    first, last, month = int(match["day"]), int(match["last"]), _month(match["month"])
    if not first < last <= _IN_MONTH[month - 1]:
        return match[0]
    said = f"the {ordinal(first)} to the {ordinal(last)} of {_NAMES[month - 1]}"
    return f"{said}, {year(int(match['year']))}" if match["year"] else said


def _iso(match: re.Match[str]) -> str:
    said = _said(int(match["day"]), int(match["month"]))
    return f"{said} {year(int(match['year']))}" if said else match[0]


def _slashed(match: re.Match[str]) -> str:
    """Read "12/25/2020" and "25/12/2020", where only one of the numbers can be the month."""
    first, second = int(match["first"]), int(match["second"])
    if first <= 12 and second <= 12 and first != second:
        return match[0]
    day, month = (second, first) if first <= 12 else (first, second)
    return _said(day, month, match["year"]) or match[0]


def _short(match: re.Match[str]) -> str:
    """Read "on 12/25": a month and a day that cannot be a month."""
    dated = word_before(match) in _BEFORE_DATE or _DATED.search(sentence(match))
    if not dated or int(match["day"]) <= 12:
        return match[0]
    return _said(int(match["day"]), int(match["month"])) or match[0]


def time_of_day(hour: int, minute: int, half: str = "") -> str | None:
    """Return the time in words, or None if there is no such time; `half` is "AM", "PM" or ""."""
    if hour > 24 or minute > 59 or (half and not 1 <= hour <= 12 and hour != 0):
        return None
    if hour in (0, 24) and not half:
        return "midnight" if minute == 0 else f"twelve {pair(minute)} AM" if hour == 0 else None
    if hour > 12:
        hour, half = hour - 12, "PM"
    if minute == 0:
        return f"{cardinal(hour)} {half or _O_CLOCK}"
    return f"{cardinal(hour)} {pair(minute)} {half}".strip()


def _clock(match: re.Match[str]) -> str:
    if not match["half"] and (
        is_ratio(match) or (is_score(match) and word_before(match) not in ("at", "by", "until"))
    ):
        return match[0]
    return time_of_day(int(match["hour"]), int(match["minute"]), match["half"] or "") or match[0]


def _hour(match: re.Match[str]) -> str:
    return time_of_day(int(match["hour"]), 0, match["half"]) or match[0]


def _hours(match: re.Match[str]) -> str:
    """Read "3-5 PM"."""
    first = f"{cardinal(int(match['first']))}" + (
        f" {pair(int(match['minute']))}" if int(match["minute"] or 0) else ""
    )
    return f"{first} to {match['second']}"


def _seasons(match: re.Match[str]) -> str:
    """Read "2018/19" as the season "twenty eighteen nineteen", and "1914-18" as a range of years."""
    first, last = int(match["first"]), int(match["last"])
    if match["mark"] == "/":
        next_ = (first + 1) % (100 if len(match["last"]) == 2 else 10000)
        if last != next_:
            return match[0]
        return f"{year(first)} {pair(last) if len(match['last']) == 2 else year(last)}"
    return f"{year(first)} to {pair(last)}" if last > first % 100 else match[0]


def _years(match: re.Match[str]) -> str:
    joint = "and" if word_before(match) == "between" else "to"
    return f"{year(int(match['first']))} {joint} {year(int(match['last']))}"


DATES = compile_rules(
    (rf"{LEFT}(?P<year>{_YEAR})-(?P<month>\d\d)-(?P<day>\d\d){RIGHT}", _iso),
    (rf"{LEFT}(?P<year>{_YEAR})/(?P<month>\d\d?)/(?P<day>\d\d?){RIGHT}", _iso),
    (rf"{LEFT}(?P<first>\d\d?)/(?P<second>\d\d?)/(?P<year>{_YEAR}){RIGHT}", _slashed),
    (rf"{LEFT}(?P<month>0?[1-9]|1[0-2])/(?P<day>{_DAY}){RIGHT}", _short),
    (rf"({_MONTH}\s{_DAY}(?:st|nd|rd|th)?)\s?[-–—]\s?(?={_MONTH}\s{_DAY}\b)", r"\1 to "),
    (
        rf"\b(?P<month>{_MONTH})\s(?P<day>{_DAY})(?:st|nd|rd|th)?\s?(?:[-–—]|to)\s?(?P<last>{_DAY})(?:st|nd|rd|th)?"
        rf"(?:,?\s(?P<year>{_YEAR}))?{RIGHT}",
        _days,
    ),
    (
        rf"\b(?P<month>{_MONTH})\s(?P<day>{_DAY})(?P<suffix>st|nd|rd|th)?(?:,?\s(?P<year>{_YEAR}))?{RIGHT}",
        _month_first,
    ),
    (
        rf"{LEFT}(?P<day>{_DAY})(?:st|nd|rd|th)?(?:\sof)?\s(?P<month>{_MONTH})(?:,?\s(?P<year>{_YEAR}){RIGHT})?"
        r"(?![\w-])",
        _day_first,
    ),
    (rf"\b(?P<month>{_MONTH})\.?(?=,?\s{_YEAR}{RIGHT})", lambda m: _NAMES[_month(m["month"]) - 1]),
    # Times: a range first, whose first half has no AM or PM of its own.
    (
        rf"{LEFT}(?P<first>\d\d?)(?::(?P<minute>[0-5]\d))?\s?[-–—]\s?(?P<second>\d\d?(?::[0-5]\d)?\s[AP]M)\b",
        _hours,
    ),
    (r"(?<=\d)\s?(AM|PM)\s?[-–—]\s?(?=\d)", r" \1 to "),
    (rf"(?<=\d:[0-5]\d)\s?[-–—]\s?(?=\d\d?:[0-5]\d{RIGHT})", " to "),
    (
        rf"\b(?P<book>{_BOOKS})\s(?P<chapter>\d{{1,3}}):(?P<verse>\d{{1,3}}){RIGHT}",
        lambda m: f"{m['book']} {cardinal(int(m['chapter']))} {cardinal(int(m['verse']))}",
    ),
    (rf"{LEFT}(?P<hour>\d\d?)[:.](?P<minute>[0-5]\d)\s(?P<half>[AP]M)\b", _clock),
    (rf"{LEFT}(?P<hour>\d\d?):(?P<minute>[0-5]\d)(?P<half>){RIGHT}", _clock),
    (rf"{LEFT}(?P<hour>\d\d?)\s(?P<half>[AP]M)\b", _hour),
    # Years.
    (rf"{LEFT}(?P<first>{_YEAR})(?P<mark>/)(?P<last>\d\d|{_YEAR}){RIGHT}", _seasons),
    (rf"{LEFT}(?P<first>{_YEAR})\s?[-–—]\s?(?P<last>{_YEAR}){RIGHT}", _years),
    (rf"{LEFT}(?P<first>{_YEAR})(?P<mark>[-–])(?P<last>\d\d){RIGHT}", _seasons),
    (rf"{LEFT}(1[1-9]\d0|20\d0)['’]?s(?![\w'])", lambda m: decade(int(m[1]))),
    (r"(?<![\w'.,])'?([2-9]0)['’]?s(?![\w'])", lambda m: decade(int(m[1]))),
    (r"(?<=[a-z] )'(\d\d)(?![\w'-])", lambda m: pair(int(m[1]))),
)
