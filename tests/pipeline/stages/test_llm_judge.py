"""judge: what a model is shown of a dialogue, what is believed of its verdict, and where the stage may stand."""

import json
import re
from typing import Any

import pytest

from manifests.errors import RecipeError
from manifests.reasons import Reason
from parley.testing import make_context, make_dialogue, tone_recipe
from pipeline.engines.contract import Failure, TextAnswer, Tokens
from pipeline.engines.registry import load_engine
from pipeline.recipe import Recipe
from pipeline.stages.contract import run_stage
from pipeline.stages.judge import JUDGE
from tests.pipeline.stages.scripted_text import KEEP, MODELS, SEEDS, TWO, Answer, fields, model_recipe, play
from tests.servers.scripted import Body, ScriptedServer
from tests.tables import each_row

ON = "judge={engine: judge}"
ONE = make_dialogue(("What is tea?", "A drink."), dialogue_id="one", spoken=True)


def test_each_dialogue_is_judged_once_and_whole() -> None:
    played = play(JUDGE, [ONE, TWO], model_recipe(ON, "judge.retries=3"), judge=KEEP)
    assert [d.status for d in played.dialogues] == ["live", "live"]
    assert [(r.task, r.form, r.prompt, r.retries, r.variables, r.history) for _, r in played.log] == [
        ("judge", "whole", "dialogue-judge/v1", 3, {}, (("What is tea?", "A drink."),)),
        ("judge", "whole", "dialogue-judge/v1", 3, {}, (("What is tea?", "A drink."), ("And coffee?", "Another."))),
    ]
    assert [r.seed for _, r in played.log] == [SEEDS.seed_for("judge", row) for row in (ONE, TWO)]


@each_row(
    ("answer", "status", "reason", "detail"),
    [
        (fields(verdict="keep", detail="nice"), "live", None, None),
        (fields(verdict="incoherent", detail="a\n miss"), "rejected", "incoherent", "a miss"),
        (fields(verdict="out_of_role", detail=""), "rejected", "out_of_role", None),
        (fields(verdict="unnatural", detail="x" * 300), "rejected", "unnatural", "x" * 200),
        (fields(verdict="Keep"), "failed", "text_engine_failed", None),
        (fields(detail="keep"), "failed", "text_engine_failed", "keep"),
        (lambda r: Failure(Reason.REFUSED, "no"), "rejected", "refused", "no"),
    ],
)
def test_only_a_plain_keep_keeps_a_row(answer: Answer, status: str, reason: str | None, detail: str | None) -> None:
    row = play(JUDGE, [TWO], model_recipe(ON), judge=answer).dialogues[0]
    assert (row.status, row.reason, row.detail) == (status, reason, detail)
    assert row.turns == TWO.turns, "the row keeps its texts"


def test_the_meter_counts_the_judge() -> None:
    spent = Tokens(requests=1, prompt=9)
    played = play(JUDGE, [ONE, TWO], model_recipe(ON), judge=lambda r: TextAnswer({"verdict": "keep"}, spent))
    assert played.meter.tokens == {"judge": spent + spent}


def test_switched_on_it_stands_behind_the_last_text_and_before_any_speech() -> None:
    stages = list(model_recipe(ON).stages)
    assert stages[stages.index("judge") - 1 : stages.index("judge") + 2] == ["respond", "judge", "cast"]
    several = list(model_recipe("converse={engine: writer, prompt: instructs2s-converse/v2}", ON).stages)
    assert several[several.index("judge") - 1] == "converse"


@each_row(
    ("overrides", "message"),
    [
        ((*MODELS, "judge={engine: rules}"), "judge.engine: the recipe has no model 'rules'"),
        ((*MODELS, "judge={}"), "judge.engine"),
        ((ON,), "judge.engine: the recipe has no model 'judge'"),
    ],
)
def test_what_cannot_be_is_said_with_the_recipe(overrides: tuple[str, ...], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        tone_recipe(*overrides)


@each_row(
    ("before", "message"),
    [
        ("respond", "it must stand behind respond"),
        ("rewrite", "it must stand behind respond"),
        (None, "it must stand before gate"),
    ],
)
def test_it_must_stand_between_the_last_text_and_the_gate(before: str | None, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        JUDGE.check(moved(model_recipe(ON), before))


def moved(recipe: Recipe, before: str | None) -> Recipe:
    """The recipe with `judge` before that stage, or at the end."""
    stages = {name: settings for name, settings in recipe.stages.items() if name != "judge"}
    place = list(stages).index(before) if before else len(stages)
    names = [*list(stages)[:place], "judge", *list(stages)[place:]]
    return recipe.model_copy(update={"stages": {name: recipe.stages[name] for name in names}})


# Through the true chat generator, over HTTP


def verdict_of(body: Body) -> str:
    """Judges by a word in the dialogue, as a model would answer."""
    told = body["messages"][1]["content"]
    found = re.search(r"<<<(\w+)\n(.*)\n\1>>>", told, re.DOTALL)
    assert found is not None, told
    values: dict[str, Any] = {"reason": f"saw {len(found[2].splitlines())} lines"}
    values |= {key: key not in found[2] for key in ("coherent", "in_role", "natural")}
    return "it is fine" if "nonsense" in found[2] else json.dumps(values)


def test_a_server_s_verdict_becomes_the_reason() -> None:
    words = ("tea", "coherent", "in_role", "natural", "in_role coherent", "nonsense")
    rows = [
        make_dialogue(("What is it?", f"It is {word}."), ("And this?", "That."), dialogue_id=word, spoken=True)
        for word in words
    ]
    with ScriptedServer(verdict_of) as server:
        where = f"models.judge.serving={{base_url: '{server.url}'}}"
        recipe = model_recipe("models.judge={engine: openai, model: scripted}", where, ON, "judge.retries=1")
        engine = load_engine("text", "judge", recipe.models)
        judged = run_stage(JUDGE, rows, make_context(recipe, engines={("text", "judge"): engine}))
    assert [(row.reason, row.detail) for row in judged[:5]] == [
        (None, None),
        ("incoherent", "saw 4 lines"),
        ("out_of_role", "saw 4 lines"),
        ("unnatural", "saw 4 lines"),
        ("incoherent", "saw 4 lines"),
    ]
    assert (judged[5].status, judged[5].reason) == ("failed", "text_engine_failed")
    system = server.requests[0]["messages"][0]["content"]
    assert "both sides of it" in system and '"in_role"' in system
    assert len(server.requests) == 7, "one call for each dialogue, and one more after an answer that is no JSON"
