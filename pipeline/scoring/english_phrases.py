"""Unify English phrases around numbers: money, units, dates, quarters, times of day.

The words' numbers are digits already, so that one rule serves the written and the spoken form.
"""

import re
from collections.abc import Iterable
from decimal import Decimal
from itertools import pairwise

from pipeline.scoring.english_money import CURRENCY_NAMES, plural_currency, write_amounts
from pipeline.scoring.english_units import (
    COUNTED,
    FORM_STARTS,
    LONGEST_FORM,
    MONTH_ABBREVIATIONS,
    MONTHS,
    UNIT_FORMS,
    UNITS,
    UNITS_AFTER_ONE_DIGIT,
)

_PLAIN_DAY = re.compile(r"[1-9]|[12][0-9]|3[01]")
_DAY = re.compile(r"(?:[1-9]|[12][0-9]|3[01])(?:st|nd|rd|th)")
_YEAR = re.compile(r"[12][0-9]{3}")
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_PART = re.compile(r"[0-9]+(?:nd|rd|th)")
_PART_OF_POWER = re.compile(r"[0-9]+(?:st|nd|rd|th)")
_MAX_DIGITS = 15
_PARTS = frozenset({"4th", "4ths", "a"})
_ALL_MONTHS = MONTHS.union(MONTH_ABBREVIATIONS)
_UNIT_NAMES = FORM_STARTS.union(UNITS)
# Before a number these are short for a word: "Fig. 3".
_BEFORE_NUMBER = {
    "fig": "figure",
    "figs": "figures",
    "vol": "volume",
    "pp": "pages",
    "apt": "apartment",
    "ch": "chapter",
}
_NOTABLE = _PARTS.union(
    _ALL_MONTHS,
    _UNIT_NAMES,
    CURRENCY_NAMES,
    _BEFORE_NUMBER,
    {"negative", "to", "between", "k", "m", "b", "v", "power", "rs"},
)
_SCALES = {"k": 10**3, "m": 10**6, "b": 10**9}
_POWER_ENDS = frozenset({"of", "floor", "grade", "century", "day", "place", "percentile"})
_HAS_DIGIT = re.compile("[0-9]")
_MORE_TO_READ = re.compile(
    r"[0-9](?:st|nd|rd|th)?s? (?:[0-9]|(?:and|point|dot|a|oh?|x|to|half|second)\b)"
    rf"|[0-9](?:st|nd|rd|th) (?:of )?(?:{'|'.join(sorted(_ALL_MONTHS))})\b"
)
# By then, a day and a year after a month are written together: "may 52024".
_DAY_AND_YEAR = re.compile(r"([1-9]|[12][0-9]|3[01])([12][0-9]{3})")


def is_unsettled(text: str) -> bool:
    """Whether normalizing a normalized text again could change it: numbers that punctuation kept apart may now touch.

    Number words are gone by then, and digits stay as they are unless one of these forms follows.
    """
    if "double" in text or "triple" in text or "per cent" in text:
        return True
    return _HAS_DIGIT.search(text) is not None and (
        "hundred" in text or "thousand" in text or "illion" in text or _MORE_TO_READ.search(text) is not None
    )


def merge(words: list[str]) -> list[str]:
    """Give amounts of money, units, dates and fractions one form; keep all other words and their order."""
    found = _NOTABLE.intersection(words)
    if "rs" in found:
        words, found = _rupees(words), found | {"rupees"}
    if not _PARTS.isdisjoint(found):
        words = _fractions(words)
    if not _ALL_MONTHS.isdisjoint(found):
        words = _dates(words)
    if "negative" in found:
        words = _minus(words)
    if not _SCALES.keys().isdisjoint(found):
        words = _thousands(words)
    if "to" in found and ("power" in found or "10" in words):
        words = _powers(words)
    if not _UNIT_NAMES.isdisjoint(found):
        words = _units(words)
    if not CURRENCY_NAMES.isdisjoint(found):
        words = write_amounts(words)
    if "to" in found or "between" in found:
        words = _shared_units(words)
    return _short_names(words) if "v" in found or not found.isdisjoint(_BEFORE_NUMBER) else words


def drop_leading_zeros(words: list[str]) -> list[str]:
    """Write 0.5 as "point 5": it is printed for "point five" too."""
    if not any(word.startswith("0.") for word in words):
        return words
    result: list[str] = []
    for word in words:
        is_alone = word.startswith("0.") and not (result and result[-1][-1].isdecimal())
        result.extend(["point", word[2:]] if is_alone and word[2:].isdecimal() else [word])
    return result


def _minus(words: list[str]) -> list[str]:
    """Write "negative five" as "minus five"."""
    following = [*words[1:], ""]
    return [
        "minus" if word == "negative" and _NUMBER.fullmatch(after) else word
        for word, after in zip(words, following, strict=True)
    ]


def _thousands(words: list[str]) -> list[str]:
    """Write "10 k" as 10000 and "2 m views" as 2000000 views. Elsewhere m is a meter, and 4K, 2B are names."""
    result: list[str] = []
    for word, after in zip(words, [*words[1:], ""], strict=True):
        number = result[-1] if result else ""
        is_scale = word in _SCALES and (after in COUNTED or (word == "k" and len(number) > 1))
        if is_scale and len(number) <= _MAX_DIGITS and _NUMBER.fullmatch(number):
            value = Decimal(number) * _SCALES[word]
            result[-1:] = [str(int(value))] if value == int(value) else [number, word]
        else:
            result.append(word)
    return result


def _rupees(words: list[str]) -> list[str]:
    """Write "rs 100" as "100 rupees"."""
    result = list(words)
    for at, (word, after) in enumerate(pairwise(words)):
        if word == "rs" and _NUMBER.fullmatch(after):
            result[at : at + 2] = [after, "rupees"]
    return result


def _short_names(words: list[str]) -> list[str]:
    """Write out "fig" and the like before a number, and the v of a version: "v 2.0" is not a V8."""
    result = list(words)
    for at, (word, after) in enumerate(pairwise(words)):
        if word in _BEFORE_NUMBER and after[0].isdecimal():
            result[at] = _BEFORE_NUMBER[word]
        elif word == "v" and after[0].isdecimal() and "." in after:
            result[at] = "version"
    return result


def _powers(words: list[str]) -> list[str]:
    """Write "10 to the 5th power" as "10 to the power of 5"; of 10 alone, "power" may be left out."""
    result: list[str] = []
    at = 0
    while at < len(words):
        base, exponent = (result[-1] if result else ""), (words[at + 2] if at + 2 < len(words) else "")
        after = words[at + 3] if at + 3 < len(words) else ""
        is_power = words[at : at + 2] == ["to", "the"] and _PART_OF_POWER.fullmatch(exponent) is not None
        if is_power and after == "power":
            result.extend(["to", "the", "power", "of", exponent[:-2]])
            at += 4
        elif is_power and base == "10" and after not in _POWER_ENDS and after not in _ALL_MONTHS:
            result.extend(["to", "the", "power", "of", exponent[:-2]])
            at += 3
        else:
            result.append(words[at])
            at += 1
    return result


def _fractions(words: list[str]) -> list[str]:
    """Write "one fourth" as "one quarter", and the "a" of "two and a third" and "a third of it" as one."""
    result = list(words)
    for at in range(1, len(words)):
        word, before = words[at], words[at - 1]
        if word in ("4th", "4ths") and (before == "1" or (word == "4ths" and before.isdecimal())):
            result[at] = "quarters" if word == "4ths" else "quarter"
        is_of = word != "2nd" and words[at + 1 : at + 2] == ["of"]
        if before == "a" and _is_part(word) and (is_of or _is_after_number(words, at - 1)):
            result[at - 1] = "1"
    return result


def _is_after_number(words: list[str], at: int) -> bool:
    return at > 1 and words[at - 1] == "and" and _NUMBER.fullmatch(words[at - 2]) is not None


def _is_part(word: str) -> bool:
    return word == "quarter" or _PART.fullmatch(word) is not None


def _dates(words: list[str]) -> list[str]:
    """Drop the ending of an ordinal beside a month, since "May 5" is said "May fifth"; set day and year apart.

    "the 5th of May" becomes "5 may", as "5 May" is read.
    """
    words = _full_months(words)
    result: list[str | None] = [*words]
    for month in range(len(words) - 1, -1, -1):
        if words[month] not in MONTHS:
            continue
        after, before = month + 1, month - 2 if month > 1 and words[month - 1] == "of" else month - 1
        both = _DAY_AND_YEAR.fullmatch(words[after]) if after < len(words) else None
        if both:
            result[after] = " ".join(both.groups())
        elif _is_day(words, after):
            result[after] = words[after][:-2]
        if _is_day(words, before):
            result[before] = words[before][:-2]
            if before == month - 2:
                result[month - 1] = None
        if _has_the(words, before, month):
            result[before - 1] = None
    return [part for word in result if word is not None for part in word.split()]


def _has_the(words: list[str], day: int, month: int) -> bool:
    """Whether "the" belongs to the day: in "the third may be right", "may" is no month."""
    if day < 1 or words[day - 1] != "the" or (day > 1 and words[day - 2][-1].isdecimal()):
        return False
    if not (_is_day(words, day) or (day == month - 1 and _PLAIN_DAY.fullmatch(words[day]))):
        return False
    has_year = month + 1 < len(words) and _YEAR.fullmatch(words[month + 1]) is not None
    return words[month] != "may" or day == month - 2 or has_year or month == len(words) - 1


def _is_day(words: list[str], at: int) -> bool:
    """Whether an ordinal can lose its ending without touching another number: "May fifth, one" is not "May 51"."""
    if not (0 <= at < len(words) and _DAY.fullmatch(words[at])):
        return False
    following = words[at + 1] if at + 1 < len(words) else ""
    joins_on = following.isdecimal() and not _YEAR.fullmatch(following)
    return not joins_on and not (at > 0 and words[at - 1].isdecimal())


def _full_months(words: list[str]) -> list[str]:
    """Write out an abbreviated month beside a day ("dec 31", "31 dec"); elsewhere "mar" is a word and "jan" a name."""
    result = list(words)
    for at, word in enumerate(words):
        if word in MONTH_ABBREVIATIONS:
            before = words[at - 2 if at > 1 and words[at - 1] == "of" else at - 1] if at else ""
            after = words[at + 1] if at + 1 < len(words) else ""
            if after[:1].isdecimal() or _DAY.fullmatch(before) or _PLAIN_DAY.fullmatch(before):
                result[at] = MONTH_ABBREVIATIONS[word]
    return result


def _units(words: list[str]) -> list[str]:
    """Write out the units of "5 km" and "5 square km", and those that are said like a 5 km run in their other form."""
    result: list[str] = []
    done = 0
    for at, word in enumerate(words):
        if word not in _UNIT_NAMES or at <= done - 1 or at == 0:
            continue
        is_power = at > 1 and words[at - 1] in ("square", "cubic")
        number = words[at - 1 - is_power]
        if _NUMBER.fullmatch(number):
            unit, end = _unit(words, at, len(number) == 1 and not is_power)
            result += words[done:at]
            result += unit
            done = end
    return result + words[done:]


def _unit(words: list[str], at: int, after_one_digit: bool) -> tuple[Iterable[str], int]:
    """Return the unit's words in their one form, and the index after it."""
    word = words[at]
    for length in range(min(LONGEST_FORM, len(words) - at), 0, -1) if word in FORM_STARTS else ():
        form = UNIT_FORMS.get(tuple(words[at : at + length]))
        if form is not None:
            return form, at + length
    is_per = at + 1 < len(words) and words[at + 1] == "per"
    is_name = len(word) == 1 and after_one_digit and word not in UNITS_AFTER_ONE_DIGIT and not is_per
    return ((word,) if is_name or word not in UNITS else UNITS[word][1].split()), at + 1


def _shared_units(words: list[str]) -> list[str]:
    """Drop the first unit of a range: "$50 to $60", "20% to 30%", "between $10 and $20" are said with one or two."""
    result = list(words)
    for at in range(len(words) - 4, 0, -1):
        before, unit, joint, after, last = result[at - 1 : at + 4]
        is_range = joint == "to" or (joint == "and" and at > 1 and result[at - 2] == "between")
        if (
            is_range
            and _shared(unit)
            and _shared(unit) == _shared(last)
            and before[:1].isdecimal()
            and after[:1].isdecimal()
        ):
            del result[at]
    return result


def _shared(word: str) -> str | None:
    return word if word == "percent" else plural_currency(word)
