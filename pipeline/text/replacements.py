"""Tables of replacements, applied to a text in order: each rule is a pattern and what replaces its matches."""

import re
from collections.abc import Callable, Iterable
from functools import lru_cache

Replacement = str | Callable[[re.Match[str]], str]
Rule = tuple[re.Pattern[str], Replacement]


def compile_rules(*rows: tuple[str, Replacement]) -> tuple[Rule, ...]:
    """Compile the patterns of a table."""
    return tuple((re.compile(pattern), replacement) for pattern, replacement in rows)


def apply_rules(rules: Iterable[Rule], text: str) -> str:
    """Apply the rules one after another; each sees what the rules before it have written."""
    for pattern, replacement in rules:
        text = pattern.sub(replacement, text)
    return text


class MarkedRules:
    """Rules that each need a mark in the text: most texts have few marks, and most rules are skipped."""

    def __init__(self, *rows: tuple[Iterable[str], re.Pattern[str], Replacement]) -> None:
        """Take rows of (marks, pattern, replacement): without any of the marks, the pattern matches nothing."""
        self._rows = tuple((frozenset(marks), (pattern, replacement)) for marks, pattern, replacement in rows)
        self._marks = frozenset[str]().union(*(marks for marks, _ in self._rows))
        self._rules_for = lru_cache(maxsize=4096)(self._choose)

    def apply(self, text: str) -> str:
        """Apply the rules whose marks the text contains at the beginning, in order."""
        return apply_rules(self._rules_for(self._marks.intersection(text)), text)

    def _choose(self, found: frozenset[str]) -> list[Rule]:
        return [rule for marks, rule in self._rows if not marks.isdisjoint(found)]
