"""Which characters a text must have for a pattern to match it: to know that one will not match costs less than to try.

What a pattern needs is read from its syntax tree, as Python's own compiler parses it, and only as far as ASCII goes.
Whatever is not understood needs nothing: then the pattern is tried.
"""

import re
import string
from collections.abc import Iterable, Sequence
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser  # type: ignore[attr-defined]
from typing import Any

Needs = tuple[frozenset[str], ...]
"""Sets of characters: the text must have one of each set."""

_ASCII = frozenset(map(chr, range(128)))
_CATEGORIES = {
    sre.CATEGORY_DIGIT: frozenset(string.digits),
    sre.CATEGORY_SPACE: frozenset(c for c in _ASCII if c.isspace()),
    sre.CATEGORY_WORD: frozenset(c for c in _ASCII if c.isalnum() or c == "_"),
}
_CATEGORIES |= {
    sre.CATEGORY_NOT_DIGIT: _ASCII - _CATEGORIES[sre.CATEGORY_DIGIT],
    sre.CATEGORY_NOT_SPACE: _ASCII - _CATEGORIES[sre.CATEGORY_SPACE],
    sre.CATEGORY_NOT_WORD: _ASCII - _CATEGORIES[sre.CATEGORY_WORD],
}
_REPEATS = (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT)
# A set with letters or blanks that nearly every text has is not worth a look.
_COMMON = frozenset("etaoinshrdlu ")
MOST_SETS = 3


def needed_characters(pattern: re.Pattern[str]) -> Needs:
    """Return what an ASCII text must have to be matched: few sets of rare characters, the smallest first.

    For a text with other characters the answer does not hold, since letters have relatives beyond ASCII.
    """
    tree = _parser.parse(pattern.pattern, pattern.flags & ~re.DEBUG)
    found = {needed for needed in _of_sequence(tree, tree.state.flags) if not needed & _COMMON}
    return tuple(sorted(found, key=lambda needed: (len(needed), sorted(needed)))[:MOST_SETS])


def _of_sequence(nodes: Iterable[tuple[Any, Any]], flags: int) -> list[frozenset[str]]:
    return [needed for operator, value in nodes for needed in _of_node(operator, value, flags)]


def _of_node(operator: Any, value: Any, flags: int) -> list[frozenset[str]]:
    if operator in (sre.LITERAL, sre.IN):
        return [_in_any_case(_class(operator, value), flags)]
    if operator in _REPEATS:
        least, _, inner = value
        return _of_sequence(inner, flags) if least else []
    if operator is sre.SUBPATTERN:
        _, added, removed, inner = value
        return _of_sequence(inner, (flags | added) & ~removed)
    if operator is sre.ATOMIC_GROUP:
        return _of_sequence(value, flags)
    if operator is sre.ASSERT:
        return _of_sequence(value[1], flags)
    if operator is sre.BRANCH:
        return _of_branches([_of_sequence(branch, flags) for branch in value[1]])
    return []


def _of_branches(branches: Sequence[list[frozenset[str]]]) -> list[frozenset[str]]:
    """Return one set, with what each branch needs; nothing if one of them needs nothing."""
    if not all(branches):
        return []
    rarest = [min(needed, key=lambda each: (bool(each & _COMMON), len(each), sorted(each))) for needed in branches]
    return [frozenset[str]().union(*rarest)]


def _class(operator: Any, value: Any) -> frozenset[str]:
    """Return the ASCII characters that a literal or a class in brackets stands for."""
    items = [(operator, value)] if operator is sre.LITERAL else list(value)
    negated, found = False, set[str]()
    for kind, what in items:
        if kind is sre.NEGATE:
            negated = True
        elif kind is sre.LITERAL:
            found.add(chr(what))
        elif kind is sre.RANGE:
            found.update(map(chr, (*range(what[0], min(what[1], 127) + 1), what[1])))
        elif kind is sre.CATEGORY and what in _CATEGORIES:
            found |= _CATEGORIES[what]
        else:
            return _ASCII
    return _ASCII - found if negated else frozenset(found)


def _in_any_case(characters: frozenset[str], flags: int) -> frozenset[str]:
    if not flags & re.IGNORECASE:
        return characters
    if not characters <= _ASCII:  # "ſ" is also "s"
        return _ASCII
    return characters | {c.lower() for c in characters} | {c.upper() for c in characters}
