"""rewrite, screen, respond: what they ask of the engine, and that they believe none of its answers unseen."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from manifests.reasons import Reason
from manifests.schema import Dialogue
from parley.testing import make_context, make_dialogue, tone_recipe
from pipeline.engines.contract import Failure, TextAnswer, TextRequest
from pipeline.stages.contract import run_stage
from pipeline.stages.registry import find_stage
from tests.tables import each_row

Answer = Callable[[TextRequest], TextAnswer | Failure]


class Scripted:
    """A text engine that answers as the test says, and remembers what it was asked."""

    name, version = "scripted", "1"

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.requests: list[TextRequest] = []

    def generate(self, requests: Sequence[TextRequest]) -> list[TextAnswer | Failure]:
        self.requests += requests
        return [self.answer(request) for request in requests]


def run(stage: str, dialogue: Dialogue, answer: Answer, *overrides: str) -> tuple[Dialogue, list[TextRequest]]:
    engine = Scripted(answer)
    context = make_context(tone_recipe(*overrides), [stage], engines={("text", "rules"): engine})
    return run_stage(find_stage(stage), [dialogue], context)[0], engine.requests


def fields(**values: str) -> Answer:
    return lambda request: TextAnswer(values)


TWO = make_dialogue(("What is tea?", "A drink."), ("And coffee?", "Another."), spoken=True)


def test_rewrite_asks_once_for_each_user_turn_with_instruction_and_material_apart() -> None:
    dialogue = replace(TWO, turns=(replace(TWO.turns[0], material="green"), *TWO.turns[1:]))
    result, requests = run(
        "rewrite",
        dialogue,
        lambda r: TextAnswer({"question": f"Q {r.variables['instruction']}"}),
        "rewrite.fillers=true",
    )
    assert [turn.text for turn in result.turns[::2]] == ["Q What is tea?", "Q And coffee?"]
    assert [r.variables for r in requests] == [
        {"instruction": "What is tea?", "material": "green"},
        {"instruction": "And coffee?", "material": ""},
    ]
    assert all(r.task == "rewrite" and r.options["fillers"] is True for r in requests)


@pytest.mark.parametrize(
    ("stage", "overrides", "options"),
    [
        (
            "rewrite",
            ["texts.question_limit={en: 7, zh: 9}"],
            {"fillers": False, "max_length": 7, "allow_latin": False},
        ),
        (
            "screen",
            ["screen.max_words=5", "screen.max_non_text_share=0.1"],
            {"max_words": 5, "max_non_text_share": 0.1},
        ),
        (
            "respond",
            ["texts.answer_limit=9", "respond.answer_target=4"],
            {"answer_limit": 9, "answer_target": 4, "allow_latin": False},
        ),
    ],
)
def test_the_engine_hears_the_limits_of_the_recipe_and_a_seed_for_each_exchange(
    stage: str, overrides: list[str], options: dict[str, object]
) -> None:
    _, requests = run(stage, TWO, fields(question="What?", answer="That.", verdict="keep"), *overrides)
    assert [(r.task, r.language, r.options) for r in requests] == [(stage, "en", options)] * 2
    assert requests[0].seed != requests[1].seed


@each_row("stage", ["rewrite", "screen", "respond"])
@each_row("reason", [Reason.TOO_LONG, Reason.TEXT_ENGINE_FAILED])
def test_a_failure_ends_the_dialogue_with_its_reason(stage: str, reason: Reason) -> None:
    result, _ = run(stage, TWO, lambda request: Failure(reason, "why"))
    assert (result.status, result.reason, result.detail) == (reason.kind, reason.value, "why")


@pytest.mark.parametrize(
    ("verdict", "status", "reason"),
    [
        ("keep", "live", None),
        ("unsafe", "rejected", "unsafe"),
        ("table", "rejected", "table"),
        ("nonsense", "failed", "text_engine_failed"),
        ("", "failed", "text_engine_failed"),
    ],
)
def test_screen_knows_only_the_verdicts_of_the_list(verdict: str, status: str, reason: str | None) -> None:
    result, requests = run("screen", TWO, fields(verdict=verdict, detail="x"))
    assert (result.status, result.reason, result.detail) == (status, reason, "x" if reason else None)
    assert requests[1].variables == {
        "instruction": "And coffee?",
        "material": "",
        "question": "And coffee?",
        "answer": "Another.",
    }


def test_one_bad_exchange_ends_the_whole_dialogue() -> None:
    bad_second = lambda r: TextAnswer({"verdict": "code" if "coffee" in r.variables["question"] else "keep"})  # noqa: E731
    assert run("screen", TWO, bad_second)[0].reason == "code"


@each_row(
    ("question", "answer", "reason"),
    [
        ("What is tea?", "A hot drink.", None),
        ("What is tea?", "word " * 100, None),
        ("What is tea?", "word " * 101, "answer_too_long"),
        ("What is tea?", "A drink [hot].", "unpronounceable"),
        ("What is tea?", "It costs ¥5.", "unpronounceable"),
        ("What is tea? 😀", "A hot drink.", "unpronounceable"),
        ("What is tea?", "* one\n* two", "unpronounceable"),
    ],
)
def test_respond_checks_length_and_characters_itself(question: str, answer: str, reason: str | None) -> None:
    result, _ = run("respond", make_dialogue(spoken=True), fields(question=question, answer=answer))
    assert result.reason == reason
    if reason is None:
        assert [turn.text for turn in result.turns] == [question, answer]


def test_respond_measures_chinese_in_characters() -> None:
    dialogue = make_dialogue(("茶是什么？", "饮料。"), language="zh", spoken=True)
    assert run("respond", dialogue, fields(question="茶是什么？", answer="茶" * 100))[0].status == "live"
    assert run("respond", dialogue, fields(question="茶是什么？", answer="茶" * 101))[0].reason == "answer_too_long"
