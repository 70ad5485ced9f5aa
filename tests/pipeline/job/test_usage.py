"""What work cost: added up exactly, read back from the log, priced."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from pipeline.engines.contract import Tokens
from pipeline.engines.text.openai import OpenAIModel, OpenAIServing, Price
from pipeline.engines.text.vllm import VllmModel
from pipeline.job.usage import Effort, cost, describe, tokens_of_log

SMALL, LARGE = Tokens(2, 1, 100, 40, 20), Tokens(requests=1, prompt=7)


def test_efforts_add_stage_by_stage_and_model_by_model() -> None:
    first = Effort({"rewrite": 1.0}, {"small": SMALL})
    second = Effort({"respond": 2.0}, {"small": SMALL, "large": LARGE})
    assert first + second == Effort(
        {"rewrite": 1.0, "respond": 2.0}, {"small": Tokens(4, 2, 200, 80, 40), "large": LARGE}
    )
    assert (first + first).seconds == {"rewrite": 2.0}


def test_the_log_adds_up_and_a_line_that_was_cut_off_is_left_out(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    lines = [Effort({}, {"small": SMALL}), Effort({}, {"small": SMALL, "large": LARGE}), Effort()]
    log.write_text("".join(json.dumps(asdict(line)) + "\n" for line in lines) + '{"tokens": {"sma')
    assert tokens_of_log(log) == {"small": SMALL + SMALL, "large": LARGE}
    log.write_text(json.dumps({"block": 3}) + "\n")
    assert tokens_of_log(log) == {}
    assert tokens_of_log(tmp_path / "none") == {}


@pytest.mark.parametrize(
    ("price", "expected"),
    [
        (Price(prompt=1, completion=2), (100 + 40) / 1e6),
        (Price(prompt=1, cached=0.5, completion=2), (60 + 20 + 40) / 1e6),
        (Price(prompt=1, cached=0, completion=0), 60 / 1e6),
        (Price(), 0),
    ],
)
def test_cached_prompt_tokens_have_a_price_of_their_own(price: Price, expected: float) -> None:
    assert cost(SMALL, price) == pytest.approx(expected)


def test_each_model_is_described_with_its_cost_where_there_is_a_price() -> None:
    priced = OpenAIModel(
        engine="openai", model="m", serving=OpenAIServing(price=Price(prompt=10_000, completion=100_000))
    )
    models = {"small": priced, "large": VllmModel(engine="vllm", model="m")}
    assert describe({"small": SMALL, "large": LARGE, "gone": LARGE}, models) == [
        "gone: 1 request, 7 + 0 tokens",
        "large: 1 request, 7 + 0 tokens",
        "small: 2 requests, 100 (40 cached) + 20 tokens, 1 answer reused, cost 3.00",
    ]
