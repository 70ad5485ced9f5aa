"""Counting tries, waiting between them, and when a server counts as dead; with a clock that the test turns."""

from datetime import UTC, datetime
from typing import Any

import pytest
from tenacity import Future, RetryCallState

from manifests.errors import EngineDied
from pipeline.engines.remote.retry import Course, Fault, Life, Pace, asked_wait_s
from tests.tables import each_row


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


REFUSED = Fault("no connection", away=True, answered=False)
GATEWAY = Fault("HTTP 503", away=True)
SILENT = Fault("no answer in time", answered=False)
BUSY = Fault("HTTP 429")


def make_course(patience_s: float = 100, attempts: int = 3) -> tuple[Course, Life, Clock]:
    clock = Clock()
    life = Life(patience_s, clock)
    return Course(attempts, Pace(), life), life, clock


def try_once(course: Course, clock: Clock, fault: Fault, lasts_s: float = 1) -> int:
    course.sending()
    clock.now += lasts_s
    course.failed(fault, "the server")
    return course.counted


@pytest.mark.parametrize("fault", [BUSY, SILENT], ids=str)
def test_a_try_that_the_server_spoiled_counts(fault: Fault) -> None:
    course, _, clock = make_course()
    assert [try_once(course, clock, fault) for _ in range(3)] == [1, 2, 3]


@pytest.mark.parametrize("fault", [REFUSED, GATEWAY], ids=str)
def test_tries_do_not_count_while_nobody_reaches_the_server(fault: Fault) -> None:
    course, _, clock = make_course()
    assert [try_once(course, clock, fault) for _ in range(5)] == [0] * 5


@pytest.mark.parametrize("fault", [REFUSED, GATEWAY], ids=str)
def test_they_count_where_others_are_answered(fault: Fault) -> None:
    course, life, clock = make_course()
    counts = []
    for _ in range(3):
        life.answered()
        clock.now += 1
        counts.append(try_once(course, clock, fault))
        clock.now += 1
    assert counts == [0, 1, 2]  # the answer before the first sending says nothing about it


def test_a_server_that_dies_costs_those_in_flight_one_attempt() -> None:
    course, life, clock = make_course()
    course.sending()
    clock.now += 1
    life.answered()
    clock.now += 1
    course.failed(SILENT, "the server")
    assert [try_once(course, clock, REFUSED) for _ in range(5)] == [1] * 5


def test_attempts_are_over_when_they_are_counted() -> None:
    course, _, clock = make_course(attempts=2)
    over = []
    for _ in range(2):
        try_once(course, clock, BUSY)
        over.append(course.is_over(_state(BUSY)))
    assert over == [False, True]


@pytest.mark.parametrize("fault", [REFUSED, GATEWAY, SILENT], ids=str)
def test_a_server_that_is_silent_for_the_whole_patience_is_dead(fault: Fault) -> None:
    course, life, clock = make_course(patience_s=100)
    life.answered()
    clock.now = 500  # nothing was asked meanwhile: that is no silence
    try_once(course, clock, fault, lasts_s=60)
    with pytest.raises(EngineDied, match=r"^the server has not answered for 120 s: "):
        try_once(course, clock, fault, lasts_s=60)


def test_an_answer_to_anybody_is_a_sign_of_life() -> None:
    course, life, clock = make_course(patience_s=100, attempts=99)
    for _ in range(10):
        try_once(course, clock, REFUSED, lasts_s=60)
        life.answered()


def test_a_server_that_answers_with_errors_lives() -> None:
    course, _, clock = make_course(patience_s=100)
    try_once(course, clock, BUSY, lasts_s=1000)


def _state(fault: Fault) -> RetryCallState:
    state = RetryCallState(None, None, (), {})  # type: ignore[arg-type]
    state.outcome = Future.construct(1, fault, True)
    return state


@pytest.mark.parametrize(("tries", "longest"), [(1, 0.5), (2, 1.0), (4, 4.0), (20, 20.0), (5000, 20.0)])
def test_waiting_doubles_up_to_its_cap_and_is_spread(tries: int, longest: float) -> None:
    course, _, clock = make_course(attempts=10_000, patience_s=10_000)
    for _ in range(tries):
        try_once(course, clock, BUSY)
    waits = [course.pause_s(_state(BUSY)) for _ in range(300)]
    assert 0 <= min(waits) < longest / 4
    assert 3 / 4 * longest < max(waits) <= longest


@pytest.mark.parametrize(("asked", "least"), [(3.0, 3.0), (0.0, 0.0), (86_400.0, 60.0)])
def test_the_server_is_waited_for_as_long_as_it_asks(asked: float, least: float) -> None:
    course, _, _ = make_course()
    waits = [course.pause_s(_state(Fault("HTTP 429", asked_s=asked))) for _ in range(100)]
    assert least <= min(waits) <= max(waits) <= least + 0.5


@each_row(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": " 0.5 "}, 0.5),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after": "Sat, 21 Nov 2026 12:00:30 GMT"}, 30.0),
        ({"retry-after": "Sat, 21 Nov 2026 12:00:30"}, 30.0),
        ({"retry-after": "Sat, 21 Nov 2026 11:00:00 GMT"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": ""}, None),
        ({}, None),
    ],
)
def test_retry_after(headers: dict[str, Any], seconds: float | None) -> None:
    assert asked_wait_s(headers, datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)) == seconds
