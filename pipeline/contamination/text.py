"""The reports on contamination and personal data as text for people."""

from collections.abc import Mapping
from typing import Any

from pipeline.show.text import text_table

_SHOWN = 20
_WIDEST = 60


def contamination_text(figures: Mapping[str, Any]) -> str:
    """Return the figures of what stands in the lists as lines, with the first pairs."""
    listed = sum(entry["texts"] for entry in figures["lists"])
    matches = ", ".join(f"{kind} {number:,}" for kind, number in figures["matches"].items()) or "none"
    lines = [
        f"{figures['hit_rows']:,} of {figures['rows']:,} rows stand in the lists ({listed:,} texts, "
        f"{figures['too_short']:,} of them too short to be looked for)",
        f"matches: {matches}",
        *text_table(("", ""), [(f"{number:,}", file) for file, number in figures["files"].items()], right={0}),
    ]
    pairs = [
        (pair["kind"], f"{pair['similarity']:.2f}", _cut(pair["text"]), _cut(pair["listed"]), _where(pair))
        for pair in figures["pairs"][:_SHOWN]
    ]
    lines += text_table(("kind", "J", "in the corpus", "in the list", "where"), pairs) if pairs else []
    return "\n".join(lines)


def pii_text(figures: Mapping[str, Any]) -> str:
    """Return the figures of the personal data found as lines, with the first finds, masked."""
    lines = [f"{figures['hit_rows']:,} of {figures['rows']:,} rows hold personal data"]
    lines += text_table(("", ""), [(f"{number:,}", kind) for kind, number in figures["kinds"].items()], right={0})
    finds = [
        (find["kind"], find["is"], find["column"], f"{find['dialogue_id']} turn {find['turn']}")
        for find in figures["finds"][:_SHOWN]
    ]
    lines += text_table(("kind", "masked", "column", "where"), finds) if finds else []
    return "\n".join(lines)


def _where(pair: Mapping[str, Any]) -> str:
    return f"{pair['dialogue_id']} turn {pair['turn']}; {pair['file']} {pair['row']}"


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _WIDEST else f"{line[: _WIDEST - 3]}..."
