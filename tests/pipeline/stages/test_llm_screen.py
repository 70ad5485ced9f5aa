"""screen with language models: who judges what, in which order, and what is believed."""

from dataclasses import replace

import pytest

from manifests.reasons import Reason
from parley.testing import make_dialogue
from pipeline.engines.contract import Failure, TextAnswer
from pipeline.stages.screen import SCREEN
from tests.pipeline.stages.scripted_text import KEEP, SEEDS, TWO, Answer, fields, model_recipe, play
from tests.tables import each_row


def test_rules_then_model_then_safety_each_on_what_is_left() -> None:
    rows = [
        make_dialogue((original, "print(1)"), dialogue_id=original, spoken=True)
        for original in ("Write a poem about tea.", "Is it clear?", "Is it safe to swim?", "What is tea?")
    ]
    played = play(
        SCREEN,
        rows,
        model_recipe("screen.retries=4"),
        judge=lambda r: TextAnswer(
            {"verdict": "unclear" if "clear" in r.variables["question"] else "keep", "detail": "vague"}
        ),
        guard=lambda r: TextAnswer({"verdict": "unsafe" if "safe" in r.variables["question"] else "keep"}),
    )
    assert [(d.reason, d.detail) for d in played.dialogues] == [
        ("long_writing", "Write a poem"),
        ("unclear", "vague"),
        ("unsafe", None),
        (None, None),
    ]
    asked = [(name, r.task, r.prompt, r.retries, r.form, r.variables["question"]) for name, r in played.log]
    assert asked == [
        ("judge", "screen", "ke-screen/v2", 4, "first", "Is it clear?"),
        ("judge", "screen", "ke-screen/v2", 4, "first", "Is it safe to swim?"),
        ("judge", "screen", "ke-screen/v2", 4, "first", "What is tea?"),
        ("guard", "safety", "ke-safety/v2", 4, "first", "Is it safe to swim?"),
        ("guard", "safety", "ke-safety/v2", 4, "first", "What is tea?"),
    ]
    assert all(r.variables.keys() == {"question"} and r.options == {} for _, r in played.log)
    tea = rows[3]
    assert [r.seed for _, r in played.log if r.variables["question"] == "What is tea?"] == [
        SEEDS.seed_for("screen", tea, 0),
        SEEDS.seed_for("safety", tea, 0),
    ]


@each_row(
    ("overrides", "rules_see", "calls"),
    [
        ([], "spoken", ["rules", "judge", "guard"]),
        (["screen.rules_first=false"], None, ["judge", "guard"]),
        (["screen.safety=null"], "spoken", ["rules", "judge"]),
        (["screen.engine=rules", "screen.safety=null"], "spoken", ["rules"]),
        (["screen.engine=rules"], "spoken", ["rules", "guard"]),
        (["screen.engine=rules", "screen.rules_first=false"], "spoken", ["rules", "guard"]),
        (["screen.engine=rules", "rewrite.engine=rules"], "source", ["rules", "guard"]),
        (["rewrite.engine=rules"], "spoken", ["rules", "judge", "guard"]),
    ],
)
def test_which_judges_are_heard_and_what_the_rules_see(
    overrides: list[str], rules_see: str | None, calls: list[str]
) -> None:
    row = make_dialogue(("What is tea?", "A drink."))
    row = replace(row, turns=(replace(row.turns[0], text="Spoken?", material="green"), row.turns[1]))
    played = play(SCREEN, [row], model_recipe(*overrides), rules=KEEP, judge=KEEP, guard=KEEP)
    assert played.calls == calls
    seen = {
        "spoken": {"instruction": "Spoken?", "material": "", "question": "Spoken?", "answer": ""},
        "source": {"instruction": "What is tea?", "material": "green", "question": "Spoken?", "answer": "A drink."},
    }
    assert [r.variables for name, r in played.log if name == "rules"] == ([seen[rules_see]] if rules_see else [])
    assert all((r.prompt, r.retries, r.form) == (None, 0, "") for name, r in played.log if name == "rules")


def test_later_questions_are_screened_with_those_before_them() -> None:
    played = play(SCREEN, [TWO], model_recipe(), judge=KEEP, guard=KEEP)
    assert [(name, r.form, r.history) for name, r in played.log] == [
        ("judge", "first", ()),
        ("judge", "next", (("What is tea?", "A drink."),)),
        ("guard", "first", ()),
        ("guard", "next", (("What is tea?", "A drink."),)),
    ]


@pytest.mark.parametrize(
    ("judge", "guard", "calls"),
    [
        (KEEP, KEEP, ["judge", "judge", "guard", "guard"]),
        (fields(verdict="not_speakable"), KEEP, ["judge"]),
        (lambda r: Failure(Reason.TEXT_ENGINE_FAILED, "x"), KEEP, ["judge"]),
        (KEEP, fields(verdict="unsafe"), ["judge", "judge", "guard"]),
        (KEEP, lambda r: Failure(Reason.REFUSED), ["judge", "judge", "guard"]),
    ],
)
def test_a_rejected_row_costs_no_later_call(judge: Answer, guard: Answer, calls: list[str]) -> None:
    assert play(SCREEN, [TWO], model_recipe(), judge=judge, guard=guard).calls == calls


@each_row(
    ("answer", "status", "reason", "detail"),
    [
        (fields(verdict="keep", detail="nice"), "live", None, None),
        (fields(verdict="not_speakable", detail="a\n poem"), "rejected", "not_speakable", "a poem"),
        (fields(verdict="unclear", detail="x" * 300), "rejected", "unclear", "x" * 200),
        (fields(verdict="Keep"), "failed", "text_engine_failed", None),
        (fields(verdict="keep; ignore the rest"), "failed", "text_engine_failed", None),
        (fields(detail="keep"), "failed", "text_engine_failed", "keep"),
    ],
)
def test_only_a_plain_keep_keeps_a_row(answer: Answer, status: str, reason: str | None, detail: str | None) -> None:
    result = play(SCREEN, [make_dialogue(spoken=True)], model_recipe(), judge=answer, guard=KEEP).dialogues[0]
    assert (result.status, result.reason, result.detail) == (status, reason, detail)
