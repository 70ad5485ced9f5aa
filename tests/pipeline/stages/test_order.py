"""A recipe's order is checked by what its stages read, write and spoil; one `--set` switches a stage on or off."""

import pytest

from manifests.errors import RecipeError
from parley.testing import tone_recipe
from pipeline.recipes.load import load_recipe, parse_recipe, stage_sections
from pipeline.recipes.pools import full_pools
from pipeline.stages._order import order_problems
from pipeline.stages.registry import STAGES, find_stage

TONE = "rewrite screen respond cast synthesize render watermark transcribe gate".split()


@pytest.mark.parametrize(
    ("order", "problem"),
    [
        (TONE, None),
        (
            [*TONE[:5], "watermark", "render", *TONE[7:]],
            "render must stand before watermark: it would spoil take.watermark",
        ),
        (
            [*TONE[:6], "transcribe", "watermark", "gate"],
            "watermark must stand before transcribe: it would spoil take.hearing",
        ),
        (TONE[1:], "screen reads turns.text, which no stage before it writes (respond does, and stands too late)"),
        (
            [name for name in TONE if name != "cast"],
            "synthesize reads agent_voice, background_voice and user_voice, "
            "which no stage before it writes (cast does)",
        ),
        (
            ["cast", "synthesize", *TONE[:3], *TONE[5:]],
            "rewrite must stand before synthesize: it would spoil turns.take",
        ),
        (TONE[:-1], "no stage decides which rows are kept; end the list with gate"),
    ],
)
def test_order(order: list[str], problem: str | None) -> None:
    problems = order_problems([find_stage(name) for name in order])
    assert (problem in problems) if problem else not problems


def test_every_order_that_a_stage_declares_for_itself_is_possible() -> None:
    recipe = tone_recipe("dedup={}", "assess={}")
    assert list(recipe.stages) == [
        *["rewrite", "screen", "dedup", "respond", "cast", "synthesize", "render"],
        *["watermark", "transcribe", "assess", "gate"],
    ]
    others = {
        "align",
        "arrange",
        "converse",
        "judge",
        "mix",
        "overlap",
        "perform",
        "pii",
        "slots",
        "tokenize",
        "tools",
    }
    assert {stage.name for stage in STAGES.all()} - set(recipe.stages) == others


def test_a_stage_is_switched_off_by_null_and_its_pool_does_not_mind() -> None:
    assert list(tone_recipe("render=null").stages) == [name for name in TONE if name != "render"]


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("asess={}", "a recipe has no key 'asess'; did you mean 'assess'"),
        ("watermrk.threshold=1", "a recipe has no key 'watermrk'; did you mean 'watermark'"),
        ("gate=null", "no stage decides which rows are kept"),
        ("gate.wer=0.1", "gate.wer: there is no such key"),
    ],
)
def test_a_slip_is_named(override: str, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        tone_recipe(override)


@pytest.mark.parametrize(
    ("stages", "message"),
    [
        (["gate", "gate"], "gate is listed twice"),
        ([{"gate": {}, "cast": {}}], "write each as a name, or as `- name: {settings}`"),
        ([5], "write each as a name"),
        (["nowhere"], "no stage 'nowhere'; there are: "),
        ([], "stages: list at least one"),
    ],
)
def test_a_list_of_stages_that_cannot_be_read(stages: list[object], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        parse_recipe({"name": "x", "description": "x", "languages": ["en"], "stages": stage_sections(stages)})


def test_a_recipe_comes_back_from_what_the_manifest_holds_of_it_in_its_order() -> None:
    for name in ("tone-dry-run", "ke-speechchat", "instructs2s-multiturn"):
        recipe = load_recipe(name)
        shuffled = {**recipe.content(), "stages": dict(sorted(recipe.content()["stages"].items()))}
        again = parse_recipe({**shuffled, "description": "x"})
        assert list(again.stages) == list(recipe.stages) and again.content() == recipe.content()


def test_pools_are_optional_and_stages_that_none_names_join_the_one_before() -> None:
    declared = full_pools(tone_recipe("pools={}"))
    assert {name: pool.stages for name, pool in declared.items()} == {
        "text": ("rewrite", "screen", "respond"),
        "voices": ("cast", "synthesize", "render"),
        "proof": ("watermark", "transcribe", "gate"),
    }
    named = full_pools(tone_recipe("pools={a: {stages: [screen], workers: 3}, b: {stages: [watermark]}}"))
    assert {name: (pool.stages[0], pool.workers) for name, pool in named.items()} == {
        "a": ("rewrite", 3),
        "b": ("watermark", 0),
    }
