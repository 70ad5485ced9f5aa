"""The styles that a language model writes for the turns: into the row, and on to the synthesizer."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from manifests.reasons import Reason
from manifests.schema import Style
from parley.testing import make_context, make_dialogue, tone_recipe
from parley.testing.stages import take_of
from pipeline.engines.contract import Clip, Failure, SpeechRequest, TextAnswer, TextRequest
from pipeline.engines.tts.tone import ToneSynthesizer
from pipeline.recipe import Recipe
from pipeline.stages.contract import run_stage
from pipeline.stages.respond import RESPOND, writes_styles
from pipeline.stages.synthesize import SYNTHESIZE

ASKED = "What helps me fall asleep?"
ANSWERED = {"question": ASKED, "answer": "Put the phone away, and breathe slowly."}


class Writer:
    """Answers every request with the same fields."""

    name, version = "writer", "1"

    def __init__(self, **fields: str) -> None:
        self._fields = ANSWERED | fields

    def generate(self, requests: Sequence[TextRequest]) -> list[TextAnswer | Failure]:
        return [TextAnswer(self._fields) for _ in requests]


def recipe(prompt: str = "ke-respond-styled/v1") -> Recipe:
    return tone_recipe("models.writer={engine: openai, model: m}", "respond.engine=writer", f"respond.prompt={prompt}")


def respond(**fields: str) -> Any:
    context = make_context(recipe(), engines={("text", "writer"): Writer(**fields)})
    (row,) = run_stage(RESPOND, [make_dialogue((ASKED, ""), spoken=True)], context)
    return row


def test_a_style_becomes_its_turn_s() -> None:
    row = respond(question_style=" tired\n and quiet ", answer_style="softly")
    assert [turn.style for turn in row.turns] == [Style("tired and quiet"), Style("softly")]


def test_an_empty_style_and_a_template_without_styles_give_none() -> None:
    assert [turn.style for turn in respond(question_style="", answer_style="").turns] == [None, None]
    assert [turn.style for turn in respond().turns] == [None, None]


def test_a_style_that_is_a_text_is_no_answer() -> None:
    row = respond(answer_style="softly " * 40)
    assert (row.status, row.reason) == ("failed", Reason.TEXT_ENGINE_FAILED.value)
    assert "answer_style" in row.detail


@pytest.mark.parametrize(("prompt", "writes"), [("ke-respond-styled/v1", True), ("ke-respond/v2", False)])
def test_the_template_says_whether_there_are_styles(prompt: str, writes: bool) -> None:
    assert writes_styles(recipe(prompt)) is writes
    assert not writes_styles(tone_recipe())


def test_the_synthesizer_is_told_each_turn_s_style_in_every_take() -> None:
    told: list[Style | None] = []

    class Listens(ToneSynthesizer):
        def synthesize(self, requests: Sequence[SpeechRequest]) -> list[Clip | Failure]:
            told.extend(request.style for request in requests)
            return super().synthesize(requests)

    dialogue = make_dialogue((ASKED, "Breathe slowly."), spoken=True)
    first = replace(dialogue.turns[0], style=Style("tired", "sad"))
    dialogue = replace(
        dialogue,
        turns=(first, dialogue.turns[1]),
        user_voice="tone-user-en-female-0",
        agent_voice="tone-user-en-male-0",
    )
    context = make_context(tone_recipe(), engines={("tts", "tone"): Listens()})
    (row,) = run_stage(SYNTHESIZE, [dialogue], context)
    assert told == [Style("tired", "sad"), None]
    assert row.turns[0].style == Style("tired", "sad") and take_of(row.turns[0]).audio is not None
