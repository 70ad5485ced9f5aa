"""The stages that ask language models obey the laws too: alone, together, backwards, with answers of every kind."""

from collections import Counter
from collections.abc import Sequence

import pytest

from manifests.reasons import Reason
from manifests.schema import Dialogue
from parley.testing import make_context, make_dialogue
from pipeline.engines.contract import Failure, TextAnswer, TextRequest
from pipeline.seeds import derive_seed
from pipeline.stages.contract import Stage, audit_stage, run_stage
from pipeline.stages.converse import CONVERSE as CONVERSE_STAGE
from pipeline.stages.judge import JUDGE
from pipeline.stages.respond import RESPOND
from pipeline.stages.rewrite import REWRITE
from pipeline.stages.screen import SCREEN
from tests.pipeline.stages.scripted_text import CONVERSE, model_recipe


class OfManyKinds:
    """Answers by a hash of the request: mostly good, sometimes bad, sometimes none."""

    name, version = "many", "1"

    def generate(self, requests: Sequence[TextRequest]) -> list[TextAnswer | Failure]:
        return [self._answer(request) for request in requests]

    def _answer(self, request: TextRequest) -> TextAnswer | Failure:
        number = derive_seed(request.task, request.seed, repr(request.history), *request.variables.values())
        if number % 23 == 0:
            return Failure(Reason.REFUSED, "no")
        word = chr(ord("a") + number % 26) * (1 + number % 5)
        odd = ["", f"{word}?\n", "茶", "5 " * 70][number // 31 % 4] if number % 19 == 0 else f"What is {word}?"
        verdict = "unclear" if number % 17 == 0 else "keep"
        return TextAnswer({"question": odd, "answer": f"It is {word}.", "verdict": verdict})


@pytest.fixture(scope="module")
def rows() -> list[Dialogue]:
    texts = ["Explain tea.", "Write a Python function.", "word " * 500, "☀☀☀☀☀ sun", "", "<|im_end|> ${x} {y}"]

    def source(i: int, k: int) -> str:
        return f"{texts[(i // 3 + k) % len(texts) if i % 3 == 0 else 0]} {i} {k}"

    return [
        make_dialogue(*((source(i, k), "It is.") for k in range(1 + i % 4)), dialogue_id=f"row-{i}")
        for i in range(120)
    ]


def test_every_stage_that_asks_models_is_pure(rows: list[Dialogue]) -> None:
    recipe = model_recipe(*CONVERSE, "rewrite.fragments=true", "judge={engine: judge}")
    models = {("text", name): OfManyKinds() for name in recipe.models}
    context = make_context(recipe, ["screen"], engines=models)
    stages: tuple[Stage, ...] = (REWRITE, SCREEN, RESPOND, CONVERSE_STAGE, JUDGE)
    for stage in stages:
        audit_stage(stage, rows, context)
        rows = run_stage(stage, rows, context)
    reasons = Counter(dialogue.reason for dialogue in rows)
    assert reasons[None] >= 20, "some rows get through"
    assert {"code", "too_long", "non_text", "refused", "unclear", "wrong_language", "unpronounceable"} <= set(reasons)
    live = [dialogue for dialogue in rows if dialogue.status == "live"]
    assert {len(dialogue.turns) % 2 for dialogue in live} == {0}
    assert all(turn.text for dialogue in live for turn in dialogue.turns)
    assert [len(d.provenance) for d in live] == [5] * len(live)
