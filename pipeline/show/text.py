"""Plain text for terminals: tables, and facts with what lies beneath them.

stdout is data: there are no colors, no frames and no line breaks by the width of a window, whether a terminal, a file
or another program reads it. Columns line up for Chinese text too, whose characters are two cells wide.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from io import StringIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from manifests.terminal import printable

_WIDE = 100_000
"""Cells in a line: more than any table has, so that nothing is wrapped or cut."""


@dataclass(frozen=True, slots=True)
class Fact:
    """A name and its value, and a table beneath: numbers, most of which matter first, with words to each."""

    name: str
    value: str
    beneath: Sequence[tuple[int, str]] = ()


def text_table(names: Sequence[str], rows: Sequence[Sequence[str]], right: Collection[int] = ()) -> list[str]:
    """Return the lines of a table in columns; those whose numbers are in `right` are set right.

    Without any name there is no head. No text moves the cursor (`manifests.terminal`).
    """
    if not any(names) and not rows:
        return []
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, show_header=any(names))
    for index, name in enumerate(names):
        table.add_column(Text(printable(name)), justify="right" if index in right else "left", no_wrap=True)
    for row in rows:
        table.add_row(*(Text(printable(cell)) for cell in row))
    console = Console(file=(out := StringIO()), width=_WIDE, color_system=None, force_terminal=False)
    console.print(table)
    return [line.rstrip() for line in out.getvalue().splitlines()]


def fact_lines(facts: Sequence[Fact]) -> list[str]:
    """Return a line for each fact, its value in a column of its own, and the lines beneath it."""
    heads = text_table(("", ""), [(fact.name, fact.value) for fact in facts])
    lines = []
    for fact, head in zip(facts, heads, strict=True):
        beneath = [(f"{number:,}", words) for number, words in sorted(fact.beneath, key=lambda pair: -pair[0])]
        lines += [head, *(f"  {line}" for line in text_table(("", ""), beneath, right={0}))]
    return lines
