"""What rewrite, screen and respond share where language models work behind them."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from manifests.reasons import Reason
from parley.testing import make_dialogue, tone_recipe
from pipeline.engines.contract import Failure, TextAnswer, TextRequest, Tokens
from pipeline.stages.contract import Stage
from pipeline.stages.respond import RESPOND
from pipeline.stages.rewrite import REWRITE
from pipeline.stages.screen import SCREEN
from tests.pipeline.stages.scripted_text import (
    MODELS,
    SEEDS,
    TWO,
    Answer,
    fields,
    model_recipe,
    play,
)


@pytest.mark.parametrize(
    ("stage", "writer"),
    [
        (REWRITE, fields(question="What is it?")),
        (RESPOND, fields(question="What is it?", answer="Tea.")),
    ],
)
def test_the_meter_counts_answers_and_failures_by_the_models_name(stage: Stage, writer: Answer) -> None:
    spent = Tokens(requests=1, prompt=10, cached=4, completion=3)

    def answer(request: TextRequest) -> TextAnswer | Failure:
        if "fails" in str(request.variables):
            return Failure(Reason.TEXT_ENGINE_FAILED, "no", Tokens(requests=3, prompt=30))
        return replace(writer(request), spent=spent)

    rows = [make_dialogue((text, "Yes."), dialogue_id=text, spoken=True) for text in ("Is it?", "It fails.")]
    assert play(stage, rows, model_recipe(), writer=answer).meter.tokens == {
        "writer": Tokens(requests=4, prompt=40, cached=4, completion=3)
    }


def test_each_judge_has_its_own_count() -> None:
    one, two = Tokens(requests=1, prompt=5), Tokens(requests=1, prompt=7)
    played = play(
        SCREEN,
        [TWO],
        model_recipe(),
        judge=lambda r: TextAnswer({"verdict": "keep"}, one),
        guard=lambda r: TextAnswer({"verdict": "keep"}, two),
    )
    assert played.meter.tokens == {"judge": one + one, "guard": two + two}


def test_rules_spend_nothing_and_are_told_nothing_of_prompts() -> None:
    played = play(RESPOND, [TWO], tone_recipe(), rules=fields(question="What?", answer="That."))
    assert played.meter.tokens == {}
    assert [(r.prompt, r.retries, r.form, r.history) for _, r in played.log] == [(None, 0, "", ())] * 2


@pytest.mark.parametrize(
    ("overrides", "engines", "prompts"),
    [
        (
            (),
            [["rules"], ["rules"], ["rules"]],
            [["rules-rewrite/v2", "debris/v2"], ["rules-screen/v2", "debris/v2"], ["rules-respond/v2", "debris/v2"]],
        ),
        (
            MODELS,
            [["writer"], ["rules", "judge", "guard"], ["writer"]],
            [
                ["ke-rewrite/v2", "rules-screen/v2", "debris/v2"],
                ["rules-screen/v2", "ke-screen/v2", "ke-safety/v2"],
                ["ke-respond/v2", "debris/v2"],
            ],
        ),
        (
            (*MODELS, "rewrite.fragments=true", "screen.rules_first=false", "screen.safety=judge"),
            [["writer"], ["judge"], ["writer"]],
            [
                ["ke-rewrite/v2", "rules-screen/v2", "debris/v2", "fragment-tasks/v1"],
                ["ke-screen/v2", "ke-safety/v2"],
                ["ke-respond/v2", "debris/v2"],
            ],
        ),
        (
            (*MODELS, "screen.engine=rules", "screen.rules_first=false"),
            [["writer"], ["rules", "guard"], ["writer"]],
            [
                ["ke-rewrite/v2", "rules-screen/v2", "debris/v2"],
                ["rules-screen/v2", "ke-safety/v2"],
                ["ke-respond/v2", "debris/v2"],
            ],
        ),
    ],
)
def test_the_stages_declare_their_engines_and_prompts(
    overrides: tuple[str, ...], engines: list[list[str]], prompts: list[list[str]]
) -> None:
    recipe = tone_recipe(*overrides)
    stages = (REWRITE, SCREEN, RESPOND)
    assert [[name for _, name in stage.engines(recipe)] for stage in stages] == engines
    assert [list(stage.prompts(recipe)) for stage in stages] == prompts


def test_a_row_that_ends_keeps_its_neighbors_alive() -> None:
    rows = [make_dialogue(("Is it?", "Yes."), dialogue_id=str(i), spoken=True) for i in range(3)]
    turn: Callable[[TextRequest], TextAnswer | Failure] = lambda r: (  # noqa: E731
        Failure(Reason.REFUSED) if r.seed == SEEDS.seed_for("respond", rows[1], 0) else TextAnswer({"answer": "Yes."})
    )
    assert [d.reason for d in play(RESPOND, rows, model_recipe(), writer=turn).dialogues] == [None, "refused", None]
