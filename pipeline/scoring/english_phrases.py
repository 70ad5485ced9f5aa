"""English phrases around numbers: money, units, dates, quarters, times of day.

Works on words whose numbers are digits already, so that one rule serves the written and the spoken form.
"""

import re

from pipeline.scoring.english_words import CENTS, MONTHS, UNITS

_DAY = re.compile(r"(?:[1-9]|[12][0-9]|3[01])(?:st|nd|rd|th)")
_YEAR = re.compile(r"[12][0-9]{3}")
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")
# A day and a year that follow a month are written together by then: "may 52024".
_DAY_AND_YEAR = re.compile(r"([1-9]|[12][0-9]|3[01])([12][0-9]{3})")


def merge(words: list[str]) -> list[str]:
    """One form for amounts of money, units, dates and quarters. Words and their order are otherwise kept."""
    return _money(_units(_dates(_quarters(_minus(words)))))


def _minus(words: list[str]) -> list[str]:
    """ "negative five" is printed like "minus five"."""
    following = [*words[1:], ""]
    return [
        "minus" if word == "negative" and _NUMBER.fullmatch(after) else word
        for word, after in zip(words, following, strict=True)
    ]


def _quarters(words: list[str]) -> list[str]:
    """ "one fourth" is a quarter."""
    result = list(words)
    for at in range(1, len(words)):
        if words[at - 1] == "1" and words[at] == "4th":
            result[at] = "quarter"
        elif words[at] == "4ths" and words[at - 1].isdecimal():
            result[at] = "quarters"
    return result


def _dates(words: list[str]) -> list[str]:
    """ "May 5" is said "May fifth": beside a month, an ordinal loses its ending, and day and year stand apart."""
    if MONTHS.isdisjoint(words):
        return words
    result: list[str] = []
    for at, word in enumerate(words):
        after_month = at > 0 and words[at - 1] in MONTHS
        following = [*words[at + 1 : at + 3], "", ""]
        before_month = following[0] in MONTHS or (following[0] == "of" and following[1] in MONTHS)
        # "May fifth, one" must not become "May 51".
        joins_on = words[at - 1].isdecimal() if at > 0 else False
        joins_on |= following[0].isdecimal() and not _YEAR.fullmatch(following[0])
        both = _DAY_AND_YEAR.fullmatch(word) if after_month else None
        if (after_month or before_month) and not joins_on and _DAY.fullmatch(word):
            result.append(word[:-2])
        elif both:
            result.extend(both.groups())
        else:
            result.append(word)
    return result


def _units(words: list[str]) -> list[str]:
    """ "5 km" in full. One letter is a unit only after two digits or more: 5G and 3D are names."""
    result: list[str] = []
    for at, word in enumerate(words):
        number = words[at - 1] if at > 0 and _NUMBER.fullmatch(words[at - 1]) else None
        if number and word in UNITS and (len(word) > 1 or len(number) > 1):
            result.extend(UNITS[word][number != "1"].split())
        else:
            result.append(word)
    return result


def _money(words: list[str]) -> list[str]:
    """ "5 dollars and 50 cents", "5 dollars 50" and "5.5 dollars" as "5.50 dollars"."""
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
    """The cents after the currency's name, two digits, and the index after them; "" where there are none."""
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
