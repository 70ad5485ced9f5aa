"""Tables of replacements, applied to a text in order: each rule is a pattern and what replaces its matches."""

import re
from collections.abc import Callable, Iterable
from functools import lru_cache

from pipeline.text.needed_characters import MOST_SETS, Needs, needed_characters

Replacement = str | Callable[[re.Match[str]], str]
Rule = tuple[re.Pattern[str], Replacement]

_ALWAYS, _NO_ASCII = 1, 2


def compile_rules(*rows: tuple[str, Replacement]) -> tuple[Rule, ...]:
    """Compile the patterns of a table."""
    return tuple((re.compile(pattern), replacement) for pattern, replacement in rows)


def apply_rules(rules: Iterable[Rule], text: str) -> str:
    """Apply the rules one after another; each sees what the rules before it have written."""
    for pattern, replacement in rules:
        text = pattern.sub(replacement, text)
    return text


class RuleTable:
    """Rules of which only those are tried whose pattern may match, by the characters that the text has."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        rules = tuple(rules)
        needs = [needed_characters(pattern) for pattern, _ in rules]
        marks = sorted(frozenset[str]().union(*(needed for each in needs for needed in each)))
        self._bits = [(mark, 1 << bit) for bit, mark in enumerate(marks, 2)]
        self._rules = [(rule, *self._masks(each)) for rule, each in zip(rules, needs, strict=True)]

    def apply(self, text: str) -> str:
        """Apply the rules one after another; each sees what the rules before it have written."""
        there = self._marks_of(text)
        for (pattern, replacement), first, second, third in self._rules:
            if first & there and second & there and third & there:
                text, matches = pattern.subn(replacement, text)
                if matches:
                    there = self._marks_of(text)
        return text

    def _marks_of(self, text: str) -> int:
        """Return the bits of the marks that the text has; of a text for which needs do not hold, those of all."""
        if not text.isascii():
            return -1
        there = _ALWAYS
        for mark, bit in self._bits:
            if mark in text:
                there |= bit
        return there

    def _masks(self, needs: Needs) -> tuple[int, int, int]:
        bits = dict(self._bits)
        masks = [_NO_ASCII | sum(bits[mark] for mark in needed) for needed in needs]
        first, second, third = (*masks, _ALWAYS, _ALWAYS, _ALWAYS)[:MOST_SETS]
        return first, second, third


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
