"""The engine as the stages see it."""

import time

import pytest

from manifests.reasons import Reason
from parley.testing import audit_engine
from pipeline.engines.contract import Failure, TextAnswer, TextRequest
from pipeline.engines.text.rules import NAME, RulesGenerator, version
from tests.tables import each_row

EXPLAIN = {"instruction": "Explain why cats purr.", "material": ""}


def request(task: str = "rewrite", language: str = "en", seed: int = 0, **variables: str) -> TextRequest:
    return TextRequest(task, language, variables or EXPLAIN, seed)


def test_name_and_version_are_those_of_the_module() -> None:
    engine = RulesGenerator()
    assert (engine.name, engine.version) == (NAME, version())
    assert version().partition("+")[2]


@pytest.mark.parametrize(
    ("task", "language", "words"),
    [("translate", "en", "task 'translate'"), ("rewrite", "fr", "language 'fr'"), ("", "zh", "task ''")],
)
def test_an_unknown_task_or_language_is_a_failure(task: str, language: str, words: str) -> None:
    [answer] = RulesGenerator().generate([request(task, language)])
    assert isinstance(answer, Failure)
    assert answer.reason is Reason.TEXT_ENGINE_FAILED
    assert words in answer.detail


def test_results_are_in_order_and_do_not_depend_on_neighbors() -> None:
    requests = [request(seed=seed, instruction=f"Describe a {thing}.") for seed, thing in enumerate(("cat", "dog"))]
    engine = RulesGenerator()
    audit_engine(engine.generate, requests)
    assert "cat" in fields(engine.generate(requests)[0])["question"]


def test_only_the_seed_varies_the_template() -> None:
    engine = RulesGenerator()
    instruction = "Suggest a name for a small brown dog."
    questions = [fields(engine.generate([request(seed=seed, instruction=instruction)])[0]) for seed in range(20)]
    again = [fields(engine.generate([request(seed=seed, instruction=instruction)])[0]) for seed in range(20)]
    assert questions == again
    assert len({answer["question"] for answer in questions}) >= 3
    assert all("name for a small brown dog" in answer["question"] for answer in questions)


@pytest.mark.slow
@each_row("task", ["rewrite", "screen", "respond"])
@each_row("language", ["en", "zh"])
@each_row(
    "piece",
    [
        "a",
        "1",
        "1,",
        "(",
        "word ",
        "It is 5. ",
        "1. item: x\n",
        "'",
        "|a",
        "<a ",
        "[a",
        "我有3个，",
        "写",
        " ",
        "create a ",
    ],
)
def test_an_endless_text_takes_little_time(task: str, language: str, piece: str) -> None:
    text = piece * (100_000 // len(piece))
    variables = dict.fromkeys(("instruction", "material", "question", "answer"), text)
    start = time.process_time()
    RulesGenerator().generate([TextRequest(task, language, variables, 1)])
    assert time.process_time() - start < 5


def test_no_requests_give_no_answers() -> None:
    assert RulesGenerator().generate([]) == []


@each_row("task", ["rewrite", "screen", "respond"])
@each_row("language", ["en", "zh"])
@each_row(
    "text",
    [
        "",
        " ",
        "\x00\x01",
        "<script>alert(1)</script>",
        "a" * 5000,
        "?" * 300,
        "：",
        "1. ",
        "- \n- \n",
        "((((",
        "“",
        "[[[",
    ],
)
def test_no_text_raises_an_exception(task: str, language: str, text: str) -> None:
    variables = dict.fromkeys(("instruction", "material", "question", "answer"), text)
    [answer] = RulesGenerator().generate([TextRequest(task, language, variables, 1, {"fillers": True})])
    assert isinstance(answer, TextAnswer | Failure)


def fields(answer: TextAnswer | Failure) -> dict[str, str]:
    assert isinstance(answer, TextAnswer)
    return dict(answer.fields)
