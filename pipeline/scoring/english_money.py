"""Give English amounts of money one form: "5 dollars and 50 cents", "5 dollars 50" and "a dollar 50"."""

import re

from pipeline.scoring.english_units import CENTS, CURRENCIES, CURRENCY_CODES, OF_COUNTRIES

_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")
# "real" is a word, and "won" and the like have no plural.
_PLURALS = {
    singular.split()[-1]: plural.split()[-1]
    for singular, plural in (*CURRENCIES.values(), *CURRENCY_CODES.values())
    if singular not in (plural, "real")
}
_PLURALS |= {plural: plural for plural in _PLURALS.values()}
CURRENCY_NAMES = frozenset(_PLURALS)


def write_amounts(words: list[str]) -> list[str]:
    """Write "5 dollars and 50 cents", "5 dollars 50" and "5.5 dollars" as "5.50 dollars"."""
    result: list[str] = []
    at = 0
    while at < len(words):
        amount, end = _amount(words, at)
        result.extend(amount)
        at = end
    return result


def _amount(words: list[str], at: int) -> tuple[list[str], int]:
    if words[at] == "a":
        return _one_and_cents(words, at) or (["a"], at + 1)
    if not _NUMBER.fullmatch(words[at]):
        return [words[at]], at + 1
    name = at + 1
    while name < len(words) and words[name] in OF_COUNTRIES:
        name += 1
    currency = plural_currency(words[name]) if name < len(words) else None
    if currency is None:
        return [words[at]], at + 1
    of_country, (whole, _, cents), end = words[at + 1 : name], words[at].partition("."), name + 1
    if not cents and currency in CENTS:
        cents, end = _cents(words, end, CENTS[currency])
    if not cents or len(cents) > 2 or currency not in CENTS:
        return [words[at], *of_country, currency], name + 1
    cents = cents.ljust(2, "0")
    return [f"{whole}.{cents}", *of_country, currency], end


def _one_and_cents(words: list[str], at: int) -> tuple[list[str], int] | None:
    """Read "a dollar 50" as "1.50 dollars"; "a dollar" alone is left as it was said."""
    currency = plural_currency(words[at + 1]) if at + 1 < len(words) else None
    if currency is None or currency == words[at + 1] or currency not in CENTS:
        return None
    cents, end = _cents(words, at + 2, CENTS[currency])
    return ([f"1.{cents}", currency], end) if cents else None


def _cents(words: list[str], at: int, names: tuple[str, str]) -> tuple[str, int]:
    """Return the cents after a currency's name as two digits ("" if there are none), and the index after them."""
    start = at + 1 if at < len(words) and words[at] == "and" else at
    if start >= len(words) or not words[start].isdecimal() or len(words[start]) > 2:
        return "", at
    if start + 1 < len(words) and words[start + 1] in names:
        return words[start].rjust(2, "0"), start + 2
    is_bare = start == at and len(words[start]) == 2
    return (words[start], start + 1) if is_bare else ("", at)


def plural_currency(word: str) -> str | None:
    """Return the plural of a currency's name in either number; None of other words."""
    return _PLURALS.get(word)
