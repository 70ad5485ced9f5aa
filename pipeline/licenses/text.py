"""The licenses of a corpus as text for people."""

from collections.abc import Mapping
from typing import Any

from pipeline.show.text import text_table

_SHOWN = 12


def license_text(figures: Mapping[str, Any]) -> str:
    """Return the figures of a `LicenseReport` as lines."""
    blocks = [
        [
            "what the rows are made of",
            *text_table(("part", "license", "rows", "commercial", "research"), _parts(figures), right={2}),
        ],
        *(_use(use, found) for use, found in figures["uses"].items()),
        ["licenses of the rows", *text_table(("license", "rows"), _licenses(figures), right={1})],
        ["asked of whoever uses them", *_duties(figures["duties"])],
        ["not counted", *text_table(("", ""), list(figures["not_counted"].items()))],
    ]
    return "\n\n".join("\n".join(block) for block in blocks if len(block) > 1 or " use: " in block[0])


def _parts(figures: Mapping[str, Any]) -> list[tuple[str, ...]]:
    return [
        (
            f"{part['kind']} {part['name']}: {part['leaves']}",
            part["license"] or "unknown",
            f"{part['rows']:,}",
            part["commercial"],
            part["research"],
        )
        for part in figures["parts"]
    ]


def _use(use: str, found: Mapping[str, Any]) -> list[str]:
    counted = ", ".join(f"{verdict} {rows['rows']:,}" for verdict, rows in sorted(found["verdicts"].items()))
    reasons = [(f"{rows:,}", reason) for reason, rows in list(found["reasons"].items())[:_SHOWN]]
    return [f"{use} use: {counted or 'no rows'}", *text_table(("", ""), reasons, right={0})]


def _licenses(figures: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(found["license"], f"{found['rows']:,}") for found in figures["licenses"][:_SHOWN]]


def _duties(duties: Mapping[str, list[str]]) -> list[str]:
    rows = [(duty.replace("_", "-"), ", ".join(names)) for duty, names in duties.items() if names]
    return text_table(("", ""), rows)
