"""Counting attempts, the pauses between them, and when a server counts as dead; with a clock that the test sets."""

from datetime import UTC, datetime
from typing import Any

import pytest
from tenacity import Future, RetryCallState

from manifests.errors import EngineDied
from pipeline.engines.remote.client import Attempts, BackoffPolicy, Liveness
from pipeline.engines.remote.error_kinds import TransientError, retry_after_s
from tests.tables import each_row


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


REFUSED = TransientError("no connection", unreachable=True, answered=False)
GATEWAY = TransientError("HTTP 503", unreachable=True)
SILENT = TransientError("no answer in time", answered=False)
BUSY = TransientError("HTTP 429")


def make_attempts(patience_s: float = 100, limit: int = 3) -> tuple[Attempts, Liveness, Clock]:
    clock = Clock()
    liveness = Liveness(patience_s, clock)
    return Attempts(limit, BackoffPolicy(), liveness), liveness, clock


def try_once(attempts: Attempts, clock: Clock, error: TransientError, lasts_s: float = 1) -> int:
    attempts.begin()
    clock.now += lasts_s
    attempts.failed(error, "the server")
    return attempts.counted


@pytest.mark.parametrize("error", [BUSY, SILENT], ids=str)
def test_an_attempt_that_the_server_spoiled_counts(error: TransientError) -> None:
    attempts, _, clock = make_attempts()
    assert [try_once(attempts, clock, error) for _ in range(3)] == [1, 2, 3]


@pytest.mark.parametrize("error", [REFUSED, GATEWAY], ids=str)
def test_attempts_do_not_count_while_no_request_reaches_the_server(error: TransientError) -> None:
    attempts, _, clock = make_attempts()
    assert [try_once(attempts, clock, error) for _ in range(5)] == [0] * 5


@pytest.mark.parametrize("error", [REFUSED, GATEWAY], ids=str)
def test_unreachable_attempts_count_if_others_are_answered(error: TransientError) -> None:
    attempts, liveness, clock = make_attempts()
    counts = []
    for _ in range(3):
        liveness.answered()
        clock.now += 1
        counts.append(try_once(attempts, clock, error))
        clock.now += 1
    assert counts == [0, 1, 2]  # an answer before the first sending says nothing about this request


def test_a_dying_server_costs_requests_in_flight_one_attempt() -> None:
    attempts, liveness, clock = make_attempts()
    attempts.begin()
    clock.now += 1
    liveness.answered()
    clock.now += 1
    attempts.failed(SILENT, "the server")
    assert [try_once(attempts, clock, REFUSED) for _ in range(5)] == [1] * 5


def test_attempts_are_over_at_the_limit() -> None:
    attempts, _, clock = make_attempts(limit=2)
    over = []
    for _ in range(2):
        try_once(attempts, clock, BUSY)
        over.append(attempts.is_over(_state(BUSY)))
    assert over == [False, True]


@pytest.mark.parametrize("error", [REFUSED, GATEWAY, SILENT], ids=str)
def test_a_server_that_is_silent_for_the_whole_patience_is_dead(error: TransientError) -> None:
    attempts, liveness, clock = make_attempts(patience_s=100)
    liveness.answered()
    clock.now = 500  # nothing was asked meanwhile, so this does not count as silence
    try_once(attempts, clock, error, lasts_s=60)
    with pytest.raises(EngineDied, match=r"^the server has not answered for 120 s: "):
        try_once(attempts, clock, error, lasts_s=60)


def test_an_answer_to_any_request_is_a_sign_of_life() -> None:
    attempts, liveness, clock = make_attempts(patience_s=100, limit=99)
    for _ in range(10):
        try_once(attempts, clock, REFUSED, lasts_s=60)
        liveness.answered()
    assert attempts.counted == 0  # and EngineDied was not raised


def test_a_server_that_answers_with_errors_is_alive() -> None:
    attempts, _, clock = make_attempts(patience_s=100)
    assert try_once(attempts, clock, BUSY, lasts_s=1000) == 1


def _state(error: TransientError) -> RetryCallState:
    state = RetryCallState(None, None, (), {})  # type: ignore[arg-type]
    state.outcome = Future.construct(1, error, True)
    return state


@pytest.mark.parametrize(("tries", "longest"), [(1, 0.5), (2, 1.0), (4, 4.0), (20, 20.0), (5000, 20.0)])
def test_the_pause_doubles_up_to_its_cap_and_is_spread(tries: int, longest: float) -> None:
    attempts, _, clock = make_attempts(limit=10_000, patience_s=10_000)
    for _ in range(tries):
        try_once(attempts, clock, BUSY)
    waits = [attempts.pause_s(_state(BUSY)) for _ in range(300)]
    assert 0 <= min(waits) < longest / 4
    assert 3 / 4 * longest < max(waits) <= longest


@pytest.mark.parametrize(("asked", "least"), [(3.0, 3.0), (0.0, 0.0), (86_400.0, 60.0)])
def test_the_pause_is_what_the_server_asks_for(asked: float, least: float) -> None:
    attempts, _, _ = make_attempts()
    waits = [attempts.pause_s(_state(TransientError("HTTP 429", retry_after_s=asked))) for _ in range(100)]
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
    assert retry_after_s(headers, datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)) == seconds
