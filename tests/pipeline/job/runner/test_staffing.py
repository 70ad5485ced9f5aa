"""A pool whose workers were lost gets room from the others, or the user is told what it waits for."""

from types import SimpleNamespace
from typing import Any

import pytest

from pipeline.job.listener import Listener
from pipeline.job.runner import staffing
from pipeline.job.runner.staffing import Staffing
from tests.pipeline.job.runner.numbers_work import Claims, Squares


class Pool:
    """A pool of actors of which only that is there which `Staffing` looks at: Ray's are real in test_raylets.py."""

    def __init__(self, name: str, cpus: float, is_open: list[bool]) -> None:
        self.plan = Squares("", claims=Claims(cpus=cpus), name=name)
        self.actors = [SimpleNamespace(is_open=one) for one in is_open]

    def resize(self, size: int) -> None:
        self.actors = self.actors[:size]


class Told(Listener):
    def __init__(self) -> None:
        self.sentences: list[str] = []

    def noted(self, sentence: str) -> None:
        self.sentences.append(sentence)


def looked(monkeypatch: pytest.MonkeyPatch, pools: list[Any], cpus: float, seconds: int) -> list[str]:
    """Look once a second; return what the user is told."""
    now, told = [0.0], Told()
    monkeypatch.setattr(staffing.time, "monotonic", lambda: now[0])
    watch = Staffing(pools, lambda: {"CPU": cpus}, told)
    for _ in range(seconds):
        watch.look()
        now[0] += 1.0
    return told.sentences


def test_the_others_give_workers_after_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    text, speech = Pool("text", 1.0, [True] * 4), Pool("speech", 2.0, [False])
    assert looked(monkeypatch, [text, speech], 5.0, 59) == []
    assert len(text.actors) == 4
    (said,) = looked(monkeypatch, [text, speech], 5.0, 70)
    assert said == "the cluster has 5 CPUs and 0 GPUs left, so pools get fewer workers: text 2 in place of 4"
    assert (len(text.actors), len(speech.actors)) == (2, 1)


def test_what_nobody_can_give_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    pools = [Pool("text", 1.0, [True]), Pool("speech", 4.0, [False])]
    (said,) = looked(monkeypatch, pools, 2.0, 70)
    assert said.startswith("speech: no worker has room, since one of each pool claims 5 CPUs and the cluster has 2")


def test_workers_that_load_for_long_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    assert looked(monkeypatch, [Pool("text", 1.0, [True]), Pool("speech", 2.0, [False])], 8.0, 600) == []
