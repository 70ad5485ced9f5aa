"""Checks whether the stages of a recipe can run in the order in which it lists them."""

from collections.abc import Sequence

from pipeline.stages.contract import Stage

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
        for field in sorted(stage.reads - writer_of.keys()):
            problems.append(f"{stage.name} reads {field}, which no stage before it writes{_hint(field, stages)}")
        for field in sorted(stage.spoils & writer_of.keys()):
            problems.append(f"{stage.name} must stand before {writer_of[field]}: it would spoil {field}")
        writer_of |= dict.fromkeys(stage.writes, stage.name)
    if stages and "status" not in set().union(*(stage.writes for stage in stages)):
        problems.append("no stage decides which rows are kept; end the list with gate")
    return problems


def _hint(field: str, stages: Sequence[Stage]) -> str:
    later = [stage.name for stage in stages if field in stage.writes]
    return f" ({later[0]} does, and stands too late)" if later else ""
