"""Texts that weak models repeat: the question as its own answer, and one question or exchange for many rows."""

from dataclasses import replace
from pathlib import Path

import pytest

from manifests.schema import Dialogue
from manifests.storage import open_place
from parley.testing import make_context, make_dialogue, tone_recipe
from pipeline.dedup import load_index
from pipeline.engines.contract import Failure, TextAnswer, TextRequest
from pipeline.stages.contract import Preparation, run_stage
from pipeline.stages.converse import CONVERSE as CONVERSE_STAGE
from pipeline.stages.dedup import DEDUP, DUPLICATES
from pipeline.stages.respond import RESPOND
from pipeline.stages.rewrite import REWRITE
from tests.pipeline.dedup.test_dedup import InProcess, write_blocks
from tests.pipeline.stages.scripted_text import CONVERSE, fields, model_recipe, play
from tests.tables import each_row

ASKED = {"en": "What is the tallest tree in the world?", "zh": "世界上最高的树是什么树？"}


def row(question: str, answer: str, language: str = "en", dialogue_id: str = "row") -> Dialogue:
    made = make_dialogue((question, answer), dialogue_id=dialogue_id, language=language)
    return replace(made, turns=(replace(made.turns[0], text=question), made.turns[1]))


@each_row("language", ["en", "zh"])
@each_row("change", [str, str.upper, lambda text: text.rstrip("?？") + ("." if text.isascii() else "。")])
def test_the_question_is_no_answer_of_the_data_set(language: str, change: object) -> None:
    asked = ASKED[language]
    source = row(asked, change(asked), language)  # type: ignore[operator]
    (result,) = play(RESPOND, [source], tone_recipe()).dialogues
    assert (result.status, result.reason) == ("rejected", "echo")


@each_row(
    ("language", "greeting"), [("en", "Good morning!"), ("en", "Hello"), ("zh", "早上好！"), ("zh", "大家晚上好")]
)
def test_a_greeting_is_an_answer_to_itself(language: str, greeting: str) -> None:
    (result,) = play(RESPOND, [row(greeting, greeting, language)], tone_recipe()).dialogues
    assert result.reason is None


@each_row("language", ["en", "zh"])
def test_a_model_that_says_the_question_again_is_not_believed(language: str) -> None:
    asked = ASKED[language]
    answer = fields(question=asked, answer=asked)
    played = play(RESPOND, [row(asked, "", language)], model_recipe(), writer=answer)
    assert (played.dialogues[0].status, played.dialogues[0].reason) == ("rejected", "echo")
    assert played.dialogues[0].turns[1].text is None


@pytest.mark.parametrize(
    ("question", "answer", "reason"),
    [
        ("How tall does it get?", "How tall does it get?", "echo"),
        (ASKED["en"], "A redwood.", "text_engine_failed"),
        ("How tall does it get?", "Up to a hundred metres.", None),
    ],
    ids=["the answer is the question", "the question was asked before", "something new"],
)
def test_a_further_exchange_says_something_new(question: str, answer: str, reason: str | None) -> None:
    start = make_dialogue((ASKED["en"], "A redwood tree."), spoken=True)
    recipe = model_recipe(*CONVERSE, "converse.turns_mean=5", "converse.turns_max=2")
    played = play(CONVERSE_STAGE, [start], recipe, writer=fields(question=question, answer=answer))
    assert [d.reason for d in played.dialogues] == [reason]


@each_row("language", ["en", "zh"])
def test_one_question_of_a_model_for_many_rows_is_kept_once(language: str, tmp_path_factory: object) -> None:
    """A model that rewrites thirty requests to the same question, with small changes, makes one row."""
    directory: Path = tmp_path_factory.mktemp("rows")  # type: ignore[attr-defined]
    openings = {"en": ("", "So, "), "zh": ("", "那")}[language]
    requests = [
        row(f"Describe tree number {i}." if language == "en" else f"介绍第{i}种树。", "", language, f"row-{i}")
        for i in range(30)
    ]

    def same(request: TextRequest) -> TextAnswer | Failure:
        asked = openings[request.seed % 2] + ASKED[language]
        return TextAnswer({"question": asked[0].upper() + asked[1:]})

    recipe = model_recipe("rewrite.retries=0", "dedup={}", "dedup.threshold=0.7")
    rewritten = play(REWRITE, requests, recipe, writer=same).dialogues
    live = [dialogue for dialogue in rewritten if dialogue.status == "live"]
    assert len({dialogue.turns[0].text for dialogue in live}) <= 2
    place = open_place(directory)
    count = write_blocks(rewritten, place / "blocks", 8)
    assert DEDUP.prepare
    DEDUP.prepare(Preparation(recipe, place / "blocks", count, place / "work", InProcess()))
    duplicates = load_index(place / "work" / DUPLICATES.name)
    results = run_stage(DEDUP, rewritten, make_context(recipe, **{DUPLICATES.name: duplicates}))
    reasons = [dialogue.reason for dialogue in results if dialogue.reason != "text_engine_failed"]
    assert len(live) >= 20, "the check of what a question is about lets most of them pass"
    assert (reasons.count(None), reasons.count("near_duplicate")) == (1, len(live) - 1)
