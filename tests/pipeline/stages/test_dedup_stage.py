"""dedup: the rows that the index names are rejected, the others pass."""

from manifests.schema import Step
from parley.testing import make_context, make_dialogue
from pipeline.stages.contract import audit_stage, run_stage
from pipeline.stages.dedup import DEDUP, DUPLICATES

ROWS = [make_dialogue(dialogue_id=name, spoken=True) for name in ("first", "again", "other")]
CONTEXT = make_context(**{DUPLICATES.name: {"again": "first", "elsewhere": "first"}})


def test_a_row_of_the_index_is_rejected_and_says_what_it_is_like() -> None:
    results = run_stage(DEDUP, ROWS, CONTEXT)
    assert [(d.status, d.reason, d.detail) for d in results] == [
        ("live", None, None),
        ("rejected", "near_duplicate", "like first"),
        ("live", None, None),
    ]
    assert results[0].turns == ROWS[0].turns


def test_every_row_shows_that_it_was_compared() -> None:
    assert all(d.provenance == (Step("dedup", None, None, None, 1),) for d in run_stage(DEDUP, ROWS, CONTEXT))


def test_it_obeys_the_laws() -> None:
    audit_stage(DEDUP, ROWS, CONTEXT)
