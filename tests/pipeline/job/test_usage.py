"""What work cost: added up exactly, read back from the log, priced."""

from pathlib import Path

import pytest

from manifests.storage import open_place
from pipeline.engines.contract import Tokens
from pipeline.engines.text.openai import OpenAIModel, OpenAIServing, Price
from pipeline.engines.text.vllm import VllmModel
from pipeline.job.blocks import commit_block
from pipeline.job.usage import Effort, cost, describe, tokens_of_commits

SMALL, LARGE = Tokens(2, 1, 100, 40, 20), Tokens(requests=1, prompt=7)


def test_efforts_add_stage_by_stage_and_model_by_model() -> None:
    first = Effort({"rewrite": 1.0}, {"small": SMALL})
    second = Effort({"respond": 2.0}, {"small": SMALL, "large": LARGE})
    assert first + second == Effort(
        {"rewrite": 1.0, "respond": 2.0}, {"small": Tokens(4, 2, 200, 80, 40), "large": LARGE}
    )
    assert (first + first).seconds == {"rewrite": 2.0}


def test_the_commits_of_all_passes_add_up_and_one_that_is_broken_is_left_out(tmp_path: Path) -> None:
    first, second = (open_place(tmp_path / name) for name in ("take-1", "take-2"))
    commit_block(first, 0, [], Effort({}, {"small": SMALL}))
    commit_block(first, 1, [], Effort({}, {"small": SMALL, "large": LARGE}))
    commit_block(second, 1, [], Effort({}, {"large": LARGE}))
    commit_block(second, 2, [], Effort())
    (tmp_path / "take-2" / "000003.live-0.json").write_text('{"tokens": {"sma')
    places = [first, second, open_place(tmp_path / "take-3")]
    assert tokens_of_commits(places) == {"small": SMALL + SMALL, "large": LARGE + LARGE}


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
