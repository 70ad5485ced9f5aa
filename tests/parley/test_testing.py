"""`parley.testing`: its examples run, its rows are what they say, and it finds engines that break the law."""

import doctest
from collections.abc import Callable, Sequence

import numpy as np
import pytest

import parley.testing
from manifests.errors import LawBroken
from parley.testing import audit_engine, make_dialogue, make_rows
from pipeline.engines.contract import Clip, Failure

REQUESTS = ["one", "two", "three"]


def clip(length: int) -> Clip:
    return Clip(np.arange(length, dtype=np.float32), 16_000)


def test_its_examples_run() -> None:
    result = doctest.testmod(parley.testing)
    assert result.attempted > 5
    assert result.failed == 0


def test_the_same_call_makes_the_same_rows_and_no_id_twice() -> None:
    rows = make_rows(kept=2, rejected=1, failed=1)
    assert rows == make_rows(kept=2, rejected=1, failed=1)
    assert [row.status for row in rows] == ["kept", "kept", "rejected", "failed"]
    assert len({row.dialogue_id for row in rows}) == len(rows)
    assert make_dialogue(("a", "b"), ("c", "d"), language="zh").language == "zh"
    assert [turn.role for turn in make_dialogue(("a", "b"), ("c", "d")).turns] == ["user", "agent"] * 2


def test_a_lawful_engine_passes() -> None:
    audit_engine(lambda requests: [clip(len(request)) for request in requests], REQUESTS)


BREAKERS: dict[str, Callable[[Sequence[str]], list[object]]] = {
    "depends on the size of the batch": lambda requests: [len(requests)] * len(requests),
    "depends on the order": lambda requests: [clip(number) for number, _ in enumerate(requests)],
    "differs in a sample": lambda requests: [
        Clip(np.full(3, number == 2, dtype=np.float32), 16_000) for number, _ in enumerate(requests)
    ],
    "differs in type": lambda requests: [Failure if len(requests) == 1 else clip(1) for _ in requests],
}


@pytest.mark.parametrize("name", BREAKERS)
def test_an_engine_whose_results_depend_on_their_batch_is_found(name: str) -> None:
    with pytest.raises(LawBroken, match=r"the result for '\w+' depends on its batch"):
        audit_engine(BREAKERS[name], REQUESTS)


def test_an_engine_that_loses_a_request_is_found() -> None:
    with pytest.raises(LawBroken, match="2 results for 3 requests"):
        audit_engine(lambda requests: [request for request in requests if request != "two"], REQUESTS)
