"""Plain English numbers in words, last of all: years, ordinals, counts. What is still in digits after it is unsure."""

import re

from pipeline.text.replacements import compile_rules
from pipeline.text.verbalize.english.context import COMPOUND, LEFT, counts_things, is_maths, left_of, word_before
from pipeline.text.verbalize.english.numbers import MOST_DIGITS, NUMBER, number, ordinal, year

_YEARS = range(1100, 2100)
_EARLY_YEARS = range(1001, 1100)
_BEFORE_YEAR = frozenset("in since of year until till by from around circa before after".split())
# A unit, perhaps, that no table has: "2 pts", "50 kr", "300 K". No word of English is written without a vowel.
_MAYBE_UNIT = re.compile(r"\s(?:[b-hj-z]|(?!vs\b|tvs?\b|cds?\b|pcs\b)[bcdfghjklmnpqrstvwxz]{2,4}|[KN])(?![\w'])")


def _ordinal(match: re.Match[str]) -> str:
    value = int(match[1].replace(",", ""))
    ending = "th" if value % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(value % 10, "th")
    return ordinal(value) if ending == match[2].lower() else match[0]


def _plain(match: re.Match[str]) -> str:
    text = match["n"]
    if _is_piece(match, text):
        return match[0]
    sign = {"": "", "+": "plus ", "±": "plus or minus "}.get(match["sign"], "negative ")
    if not sign and re.fullmatch(r"\d{4}", text) and _is_year(match, int(text)):
        words: str | None = year(int(text))
    else:
        words = number(text)
    if words is None:
        return match[0]
    return f"{sign}{words}{' plus' if match['plus'] else ''}"


def _is_year(match: re.Match[str], number: int) -> bool:
    if counts_things(match):
        return False
    return number in _YEARS or (number in _EARLY_YEARS and word_before(match) in _BEFORE_YEAR)


def _is_piece(match: re.Match[str], text: str) -> bool:
    """Whether the number may belong to the one beside it ("12 500", "555 0199"), or to a name ("localhost:8080")."""
    left, right = left_of(match)[-8:], match.string[match.end() : match.end() + 8]
    if len(text) > MOST_DIGITS:
        return True
    if len(text) > 4 and text.isdigit() and int(text) % 100 and not counts_things(match) and not is_maths(match):
        return True  # an account, an order, a telephone
    if _MAYBE_UNIT.match(right):
        return True
    if re.fullmatch(r"\d{1,3}\.\d{3}", text) and counts_things(match):  # "10.000 people"
        return True
    beside = re.match(r"\s\d{3,4}(?!\d)", right) and len(text) <= 3
    return bool(beside or re.search(r"(?<!\d)\d{1,3}\s$", left) or (len(text) > 3 and re.search(r"[a-z]:$", left)))


WHOLE = compile_rules(
    (rf"{LEFT}(\d{{1,3}}(?:,\d{{3}})*|\d{{1,6}})(st|nd|rd|th|ST|ND|RD|TH)(?!\w)", _ordinal),
    (rf"{LEFT}#\s?(?=\d{{1,3}}(?![\w])|\d{{1,3}},\d{{3}})", "number "),
    (rf"{LEFT}(?P<sign>[-−+±]?)(?P<n>{NUMBER})(?P<plus>\+(?=[\s.,!?)]|$))?{COMPOUND}", _plain),
)
