"""Unify English phrases around numbers: money, units, dates, quarters, times of day.

The words' numbers are digits already, so that one rule serves the written and the spoken form.
"""

import re

from pipeline.scoring.english_words import CENTS, MONTH_ABBREVIATIONS, MONTHS, UNITS, UNITS_AFTER_ONE_DIGIT

_DAY = re.compile(r"(?:[1-9]|[12][0-9]|3[01])(?:st|nd|rd|th)")
_YEAR = re.compile(r"[12][0-9]{3}")
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_PART = re.compile(r"[0-9]+(?:nd|rd|th)")
_PARTS = frozenset({"4th", "4ths", "a"})
_ALL_MONTHS = MONTHS.union(MONTH_ABBREVIATIONS)
_UNIT_NAMES = frozenset(UNITS)
_CURRENCY_NAMES = frozenset(CENTS).union(name.removesuffix("s") for name in CENTS)
_NOTABLE = _PARTS.union(_ALL_MONTHS, _UNIT_NAMES, _CURRENCY_NAMES, {"negative", "to", "between"})
_HAS_DIGIT = re.compile("[0-9]")
_MORE_TO_READ = re.compile(
    r"[0-9](?:st|nd|rd|th)?s? (?:[0-9]|(?:and|point|a|oh?|x|to|half|second)\b)"
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
    if not _PARTS.isdisjoint(found):
        words = _fractions(words)
    if not _ALL_MONTHS.isdisjoint(found):
        words = _dates(words)
    if "negative" in found:
        words = _minus(words)
    if not _UNIT_NAMES.isdisjoint(found):
        words = _units(words)
    if not _CURRENCY_NAMES.isdisjoint(found):
        words = _money(words)
    return _shared_units(words) if "to" in found or "between" in found else words


def _minus(words: list[str]) -> list[str]:
    """Write "negative five" as "minus five"."""
    following = [*words[1:], ""]
    return [
        "minus" if word == "negative" and _NUMBER.fullmatch(after) else word
        for word, after in zip(words, following, strict=True)
    ]


def _fractions(words: list[str]) -> list[str]:
    """Write "one fourth" as "one quarter", and "two and a third" as "two and one third"."""
    result = list(words)
    for at in range(1, len(words)):
        word, before = words[at], words[at - 1]
        if word in ("4th", "4ths") and (before == "1" or (word == "4ths" and before.isdecimal())):
            result[at] = "quarters" if word == "4ths" else "quarter"
        if before == "a" and at > 2 and words[at - 2] == "and" and _is_part(word) and _NUMBER.fullmatch(words[at - 3]):
            result[at - 1] = "1"
    return result


def _is_part(word: str) -> bool:
    return word == "quarter" or _PART.fullmatch(word) is not None


def _dates(words: list[str]) -> list[str]:
    """Drop the ending of an ordinal beside a month, since "May 5" is said "May fifth"; set day and year apart."""
    words = _full_months(words)
    result = list(words)
    for month in range(len(words) - 1, -1, -1):
        if words[month] not in MONTHS:
            continue
        after, before = month + 1, month - 2 if month > 1 and words[month - 1] == "of" else month - 1
        both = _DAY_AND_YEAR.fullmatch(words[after]) if after < len(words) else None
        if both:
            result[after : after + 1] = both.groups()
        elif _is_day(words, after):
            result[after] = words[after][:-2]
        if _is_day(words, before):
            result[before] = words[before][:-2]
    return result


def _is_day(words: list[str], at: int) -> bool:
    """Whether an ordinal can lose its ending without touching another number: "May fifth, one" is not "May 51"."""
    if not (0 <= at < len(words) and _DAY.fullmatch(words[at])):
        return False
    following = words[at + 1] if at + 1 < len(words) else ""
    joins_on = following.isdecimal() and not _YEAR.fullmatch(following)
    return not joins_on and not (at > 0 and words[at - 1].isdecimal())


def _full_months(words: list[str]) -> list[str]:
    """Write out an abbreviated month before a number ("dec 31"); elsewhere "mar" and "jan" are words and names."""
    following = [*words[1:], ""]
    return [
        MONTH_ABBREVIATIONS[word] if word in MONTH_ABBREVIATIONS and after[:1].isdecimal() else word
        for word, after in zip(words, following, strict=True)
    ]


def _units(words: list[str]) -> list[str]:
    """Write out the units of "5 km" and "5 square km"."""
    result: list[str] = []
    for at, word in enumerate(words):
        is_power = at > 1 and words[at - 1] in ("square", "cubic")
        number = words[at - 1 - is_power] if at > 0 and word in UNITS else ""
        is_name = len(word) == 1 and len(number) == 1 and word not in UNITS_AFTER_ONE_DIGIT and not is_power
        if _NUMBER.fullmatch(number) and not is_name:
            result.extend(UNITS[word][number != "1"].split())
        else:
            result.append(word)
    return result


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
    return word if word == "percent" else _plural(word)


def _money(words: list[str]) -> list[str]:
    """Write "5 dollars and 50 cents", "5 dollars 50" and "5.5 dollars" as "5.50 dollars"."""
    result: list[str] = []
    at = 0
    while at < len(words):
        amount, end = _amount(words, at)
        result.extend(amount)
        at = end
    return result


def _amount(words: list[str], at: int) -> tuple[list[str], int]:
    currency = _plural(words[at + 1]) if at + 1 < len(words) else None
    if currency is None or not _NUMBER.fullmatch(words[at]):
        return [words[at]], at + 1
    whole, _, cents = words[at].partition(".")
    end = at + 2
    if not cents:
        cents, end = _cents(words, end, CENTS[currency])
    if not cents or len(cents) > 2:
        return words[at : at + 2], at + 2
    cents = cents.ljust(2, "0")
    return [f"{whole}.{cents}", currency], end


def _cents(words: list[str], at: int, names: tuple[str, str]) -> tuple[str, int]:
    """Return the cents after a currency's name as two digits ("" if there are none), and the index after them."""
    start = at + 1 if at < len(words) and words[at] == "and" else at
    if start >= len(words) or not words[start].isdecimal() or len(words[start]) > 2:
        return "", at
    if start + 1 < len(words) and words[start + 1] in names:
        return words[start].rjust(2, "0"), start + 2
    is_bare = start == at and len(words[start]) == 2
    return (words[start], start + 1) if is_bare else ("", at)


def _plural(word: str) -> str | None:
    if word in CENTS:
        return word
    return f"{word}s" if f"{word}s" in CENTS else None
