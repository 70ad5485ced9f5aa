"""The data set's texts before an engine sees them: the same for rules and for models."""

from dataclasses import replace

import pytest

from manifests.schema import Dialogue
from parley.testing import make_context, make_dialogue, tone_recipe
from pipeline.engines.text.rules import RulesGenerator
from pipeline.stages._exchanges import exchange_at, source_texts
from pipeline.stages.contract import run_stage
from pipeline.stages.registry import find_stage
from tests.tables import each_row


def row(question: str, answer: str, material: str = "", language: str = "en") -> Dialogue:
    dialogue = make_dialogue((question, answer), language=language)
    return replace(dialogue, turns=(replace(dialogue.turns[0], material=material), dialogue.turns[1]))


def through_rules(dialogue: Dialogue, *stages: str) -> Dialogue:
    context = make_context(tone_recipe(), stages, engines={("text", "rules"): RulesGenerator()})
    rows = [dialogue]
    for stage in stages:
        rows = run_stage(find_stage(stage), rows, context)
    return rows[0]


ALL = ("rewrite", "screen", "respond")


@each_row(
    ("question", "material", "answer", "asked", "said"),
    [
        ("Name a fruit.", "", "<think>A fruit.</think>\n\nAn apple is a fruit.", "fruit", "An apple is a fruit."),
        ("User: Name a fruit.\nAssistant:", "NaN", "Answer: An apple.[1]", "fruit", "An apple."),
        (
            "Name a fruit.",
            "No input required.",
            "An apple.\nHuman: And a tree?\nAssistant: An oak.",
            "fruit",
            "An apple.",
        ),
    ],
)
def test_debris_is_mended_on_the_way_and_the_row_keeps_its_own_texts(
    question: str, material: str, answer: str, asked: str, said: str
) -> None:
    before = row(question, answer, material)
    after = through_rules(before, *ALL)
    assert after.status == "live", (after.reason, after.detail)
    assert asked in (after.turns[0].text or "") and "nput" not in (after.turns[0].text or "")
    assert after.turns[1].text == said
    assert [turn.original_text for turn in after.turns] == [turn.original_text for turn in before.turns]


@each_row(
    ("question", "answer", "reason"),
    [
        ("<image>\nWhat is shown?", "A cat sleeps.", "media"),
        ("User: Hi.\nAssistant: Hi!\nUser: Name a cat.", "Tom.", "debris"),
        ("Name a red fruit for me.", "NaN", "no_answer"),
        ("Name a red fruit for me.", "Error: timeout", "no_answer"),
        ("Name a red fruit for me.", "<think>They want", "debris"),
        ("Name a red fruit for me.", "As an AI, I cannot eat fruit.", "refused"),
    ],
)
@pytest.mark.parametrize("stages", [ALL, ("rewrite", "respond")])
def test_what_cannot_be_mended_ends_the_row(stages: tuple[str, ...], question: str, answer: str, reason: str) -> None:
    after = through_rules(row(question, answer), *stages)
    assert (after.status, after.reason) == ("rejected", reason), after.detail


def test_an_answer_that_nobody_uses_is_not_judged() -> None:
    """A model writes the answer itself, so the source's may be missing."""
    assert through_rules(row("Name a red fruit for me.", "NaN"), "rewrite").status == "live"


def test_all_stages_see_the_same_texts() -> None:
    texts = source_texts(exchange_at(row("Q: Name a fruit.", "A: An apple.", "none"), 0))
    assert texts == ("Name a fruit.", "", "An apple.")
