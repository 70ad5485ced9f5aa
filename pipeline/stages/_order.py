"""Checks whether the stages of a recipe can run in the order in which it lists them."""

from collections.abc import Sequence

from pipeline.stages.contract import Stage
from pipeline.stages.registry import STAGES

INGESTED = frozenset(
    {
        "dialogue_id",
        "language",
        "source",
        "recipe",
        "ordinal",
        "status",
        "turns",
        "turns.role",
        "turns.original_text",
        "turns.material",
        "turns.thought",
        "turns.calls",
        "tools",
    }
)
"""Fields that a row has when it is read from the input."""


def order_problems(stages: Sequence[Stage]) -> list[str]:
    """Return what is wrong with the order; an empty list if nothing is.

    A stage may only read fields that an earlier one writes, and may not spoil a field that an earlier one wrote.
    """
    problems = []
    writer_of: dict[str, str] = dict.fromkeys(INGESTED, "ingest")
    for stage in stages:
        problems += _missing(stage, sorted(stage.reads - writer_of.keys()), stages)
        for field in sorted(stage.spoils & writer_of.keys()):
            problems.append(f"{stage.name} must stand before {writer_of[field]}: it would spoil {field}")
        writer_of |= dict.fromkeys(stage.writes, stage.name)
    if stages and "status" not in set().union(*(stage.writes for stage in stages)):
        problems.append("no stage decides which rows are kept; end the list with gate")
    return problems


def _missing(stage: Stage, fields: Sequence[str], stages: Sequence[Stage]) -> list[str]:
    """Say which fields the stage lacks, in one sentence for all that the same stage would write."""
    hints = {field: _hint(stage, field, stages) for field in fields}
    for field in fields:
        if not hints[field]:  # several write it; one of them may write another missing field as nobody else does
            hints[field] = next((hint for other, hint in hints.items() if hint and _writes_both(field, other)), "")
    by_hint: dict[str, list[str]] = {}
    for field in fields:
        by_hint.setdefault(hints[field], []).append(field)
    return [
        f"{stage.name} reads {_listed(some)}, which no stage before it writes{hint}" for hint, some in by_hint.items()
    ]


def _writes_both(field: str, other: str) -> bool:
    return any({field, other} <= stage.writes for stage in STAGES.all())


def _listed(names: Sequence[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last


def _hint(reader: Stage, field: str, stages: Sequence[Stage]) -> str:
    """Name a stage that writes the field and may stand before the reader: none of whose fields the reader spoils."""

    def helps(stage: Stage) -> bool:
        return field in stage.writes and stage.name != reader.name and not reader.spoils & stage.writes

    if later := [stage.name for stage in stages if helps(stage)]:
        return f" ({later[0]} does, and stands too late)"
    others = [stage.name for stage in STAGES.all() if helps(stage)]
    return f" ({others[0]} does)" if len(others) == 1 else ""
