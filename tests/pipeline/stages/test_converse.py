"""converse: how many exchanges a dialogue gets, what is asked for each, and that none is lost."""

import math
from collections import Counter
from dataclasses import replace

import pytest

from manifests.reasons import Reason
from manifests.schema import Dialogue, Turn
from parley.testing import make_context, make_dialogue
from pipeline.engines.contract import Failure, TextAnswer, TextRequest, Tokens
from pipeline.recipe import Recipe
from pipeline.seeds import derive_seed
from pipeline.stages.contract import EngineKey
from pipeline.stages.converse import CONVERSE as STAGE
from pipeline.stages.converse import clipped_poisson, wanted_exchanges
from tests.pipeline.stages.scripted_text import CONVERSE, Answer, model_recipe, play
from tests.tables import each_row

RECIPE = model_recipe(*CONVERSE)
CONTEXT = make_context(RECIPE, engines={("text", "writer"): None})


def of_length(wanted: int, *exchanges: tuple[str, str]) -> Dialogue:
    """A spoken dialogue whose own seed draws that many exchanges."""
    rows = (make_dialogue(*exchanges, dialogue_id=f"row-{i}", spoken=True) for i in range(1000))
    return next(row for row in rows if wanted_exchanges(row, CONTEXT) == wanted)


def numbered(request: TextRequest) -> TextAnswer:
    word = ["", "one", "two", "three", "four", "five"][len(request.history)]
    return TextAnswer({"question": f"What is {word}?", "answer": f"It is {word}."})


# how many


@each_row(
    ("mean", "most", "seed", "count"),
    [
        (2.0, 5, 0, 1),
        (2.0, 5, 2**63 - 1, 5),
        (2.0, 5, int(0.40 * 2**63), 1),
        (2.0, 5, int(0.41 * 2**63), 2),
        (2.0, 5, int(0.67 * 2**63), 2),
        (2.0, 5, int(0.68 * 2**63), 3),
        (2.0, 5, int(0.85 * 2**63), 3),
        (2.0, 5, int(0.86 * 2**63), 4),
        (2.0, 5, int(0.95 * 2**63), 5),
        (2.0, 5, int(0.999 * 2**63), 5),
        (2.0, 1, 2**63 - 1, 1),
        (0.001, 5, int(0.99 * 2**63), 1),
        (2000.0, 7, 0, 7),
    ],
)
def test_the_number_is_where_the_distribution_function_passes_the_seed(
    mean: float, most: int, seed: int, count: int
) -> None:
    assert clipped_poisson(mean, most, seed) == count


def test_the_numbers_are_poisson_clipped_not_drawn_again() -> None:
    draws = Counter(clipped_poisson(2.0, 5, derive_seed("test", i)) for i in range(20_000))
    poisson = [math.exp(-2) * 2**k / math.factorial(k) for k in range(5)]
    expected = {1: poisson[0] + poisson[1], 2: poisson[2], 3: poisson[3], 4: poisson[4], 5: 1 - sum(poisson)}
    # Five standard deviations of a share of 20,000 draws are below 0.018.
    assert {k: draws[k] / 20_000 for k in expected} == pytest.approx(expected, abs=0.018)


def test_each_dialogue_draws_by_its_own_seed_and_the_runs() -> None:
    rows = [make_dialogue(dialogue_id=f"row-{i}") for i in range(12)]
    assert [wanted_exchanges(row, CONTEXT) for row in rows] == [2, 2, 4, 2, 2, 5, 2, 3, 2, 1, 1, 3]
    assert [wanted_exchanges(row, replace(CONTEXT, seed=1)) for row in rows] != [
        wanted_exchanges(row, CONTEXT) for row in rows
    ]


# what is asked


def test_each_further_exchange_is_written_from_those_before_it() -> None:
    row = of_length(3, ("What is tea?", "A drink."))
    recipe = model_recipe(*CONVERSE, "converse.retries=4", "texts.answer_limit=7", "texts.question_limit={en: 9}")
    spent = Tokens(requests=1, prompt=9)
    played = play(STAGE, [row], recipe, writer=lambda r: replace(numbered(r), spent=spent))
    first, second = (request for _, request in played.log)
    assert (first.task, first.form, first.prompt, first.retries, first.language) == (
        *("converse", "next", "instructs2s-converse/v2", 4, "en"),
    )
    assert (first.variables, first.options) == ({}, {"answer_limit": 7, "max_length": 9})
    assert first.history == (("What is tea?", "A drink."),)
    assert second.history == (("What is tea?", "A drink."), ("What is one?", "It is one."))
    assert (first.seed, second.seed) == tuple(CONTEXT.seed_for("converse", row, number) for number in (1, 2))
    result = played.dialogues[0]
    assert result.turns == (
        *row.turns,
        Turn("user", "", text="What is one?"),
        Turn("agent", "", text="It is one."),
        Turn("user", "", text="What is two?"),
        Turn("agent", "", text="It is two."),
    )
    assert played.meter.tokens == {"writer": spent + spent}
    assert [step.stage for step in result.provenance] == ["converse"]


@pytest.mark.parametrize("has", [3, 4])
def test_a_dialogue_that_has_as_many_keeps_them(has: int) -> None:
    row = of_length(3, *((f"Question {k}?", "Yes.") for k in range(has)))
    played = play(STAGE, [row], RECIPE, writer=numbered)
    assert played.log == []
    assert played.dialogues[0].turns == row.turns


def test_the_batch_goes_exchange_by_exchange() -> None:
    rows = [
        of_length(4, ("a?", "A.")),
        of_length(2, ("b?", "B.")),
        of_length(1),
        of_length(4, ("c?", "C."), ("d?", "D.")),
    ]
    played = play(STAGE, rows, RECIPE, writer=numbered)
    batches = [[r.history[0][0] for r in batch] for batch in played.engines["writer"].batches]
    assert batches == [["a?", "b?"], ["a?", "c?"], ["a?", "c?"]]
    assert [len(d.turns) // 2 for d in played.dialogues] == [4, 2, 1, 4]


@each_row(
    ("question", "answer", "reason", "detail"),
    [
        ("What’s in it?", "Leaves — mostly.", None, None),
        ("What is TEA", "Leaves.", "text_engine_failed", "repeated: field question"),
        ("", "Leaves.", "text_engine_failed", "empty: field question"),
        ("Why?", "", "text_engine_failed", "empty: field answer"),
        ("Is it 5A?", "Yes.", "unpronounceable", "unpronounceable: field question, characters 5"),
        ("Why?", "- a\n- b", "unpronounceable", r"unpronounceable: field answer, characters \n"),
        ("为什么？", "Yes.", "wrong_language", "wrong language: field question"),
        ("word " * 61, "Yes.", "too_long", "too long: field question, length 61, limit 60"),
        ("Why?", "word " * 101, "answer_too_long", "too long: field answer, length 101, limit 100"),
    ],
)
def test_a_further_exchange_is_believed_only_after_a_look(
    question: str, answer: str, reason: str | None, detail: str | None
) -> None:
    row = of_length(2, ("What is tea?", "A drink."))
    played = play(STAGE, [row], RECIPE, writer=lambda r: TextAnswer({"question": question, "answer": answer}))
    result = played.dialogues[0]
    assert (result.reason, result.detail) == (reason, detail)
    check = played.log[0][1].check
    complaint = check and check({"question": question, "answer": answer})
    assert (complaint and complaint.detail) == detail, "the engine is told the same"
    assert [t.text for t in result.turns[2:]] == ([] if reason else ["What's in it?", "Leaves, mostly."])


def fails_at(exchange: int) -> Answer:
    failure = Failure(Reason.REFUSED, "no")
    return lambda request: failure if len(request.history) == exchange else numbered(request)


@pytest.mark.parametrize(("exchange", "calls"), [(1, 1), (2, 2), (4, 4)])
def test_an_exchange_that_cannot_be_had_ends_the_dialogue_and_costs_no_further_call(exchange: int, calls: int) -> None:
    row = of_length(5, ("What is tea?", "A drink."))
    played = play(STAGE, [row], RECIPE, writer=fails_at(exchange))
    result = played.dialogues[0]
    assert (result.status, result.reason, result.detail) == ("rejected", "refused", "no")
    assert result.turns == row.turns, "no shorter dialogue takes its place"
    assert len(played.log) == calls


@pytest.mark.parametrize(
    ("recipe", "engines", "prompts"),
    [(RECIPE, (("text", "writer"),), ("instructs2s-converse/v2", "debris/v2"))],
)
def test_the_stage_declares_its_engine_and_prompt(
    recipe: Recipe, engines: tuple[EngineKey, ...], prompts: tuple[str, ...]
) -> None:
    assert (STAGE.engines(recipe), STAGE.prompts(recipe)) == (engines, prompts)
