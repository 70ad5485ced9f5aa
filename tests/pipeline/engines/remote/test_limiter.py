"""The limiter, with a clock that the test sets and load signals that it scripts."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from pipeline.engines.remote.limiter import Limiter, LoadSignal
from tests.tables import each_row


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


async def window(
    limiter: Limiter, clock: Clock, complaints: int = 0, latency_s: float = 1.0, lasts_s: float = 1
) -> int:
    """Finish as many requests as the limit allows, `complaints` of them overloaded. Returns the new limit."""
    size = limiter.limit
    for _ in range(size):
        await limiter.acquire()
    clock.now += lasts_s
    for i in range(size):
        limiter.release(LoadSignal.OVERLOADED if i < complaints else LoadSignal.ANSWERED, latency_s)
    return limiter.limit


def run(test: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(test(), 10))


@each_row(
    ("ceiling", "complaints", "limits"),
    [
        pytest.param(8, [0, 0], [8, 8], id="never above the ceiling"),
        pytest.param(16, [16, 8, 4, 2, 1, 1], [8, 4, 2, 1, 1, 1], id="all complain: halved, never below one"),
        pytest.param(16, [8], [12], id="half of them complain: a quarter less"),
        pytest.param(64, [16], [56], id="a quarter of them complain: an eighth less"),
        pytest.param(64, [64, 3], [32, 33], id="a stray one among many: as none"),
        pytest.param(64, [7, 6], [60, 61], id="more than one in ten is not stray"),
        pytest.param(8, [8, 0, 0, 0, 0, 0], [4, 5, 6, 7, 8, 8], id="grows by one for each clean window"),
        pytest.param(1, [1, 0], [1, 1], id="a ceiling of one"),
    ],
)
def test_limit_after_each_window(ceiling: int, complaints: list[int], limits: list[int]) -> None:
    async def test() -> None:
        clock = Clock()
        limiter = Limiter(ceiling, clock)
        assert [await window(limiter, clock, number) for number in complaints] == limits

    run(test)


@pytest.mark.parametrize(
    ("latency_s", "lasts_s", "limit"),
    [
        pytest.param(1.0, 1.0, 6, id="as quick as ever: grows"),
        pytest.param(2.0, 2.0, 6, id="twice as slow, as answers of other length are: grows"),
        pytest.param(5.0, 5.0, 5, id="requests only queue: holds"),
        pytest.param(5.0, 0.5, 6, id="slow, but more comes out: grows"),
    ],
)
def test_the_limit_stops_growing_when_requests_only_queue(latency_s: float, lasts_s: float, limit: int) -> None:
    async def test() -> None:
        clock = Clock()
        limiter = Limiter(8, clock)
        await window(limiter, clock, complaints=8)
        assert await window(limiter, clock) == 5
        assert await window(limiter, clock, latency_s=latency_s, lasts_s=lasts_s) == limit

    run(test)


def test_longer_answers_count_as_normal_after_some_windows() -> None:
    async def test() -> None:
        clock = Clock()
        limiter = Limiter(8, clock)
        await window(limiter, clock)
        await window(limiter, clock, complaints=8)
        limits = [await window(limiter, clock, latency_s=4.0, lasts_s=4.0) for _ in range(40)]
        assert limits[:5] == [4] * 5
        assert limits[-1] == 8

    run(test)


def test_signals_without_information_change_nothing() -> None:
    async def test() -> None:
        limiter = Limiter(4)
        for _ in range(100):
            await limiter.acquire()
            limiter.release(LoadSignal.NONE)
        assert (limiter.limit, limiter.in_flight) == (4, 0)

    run(test)


def test_first_come_first_served() -> None:
    async def test() -> None:
        limiter, served = Limiter(2), []

        async def one(number: int) -> None:
            await limiter.acquire()
            served.append(number)
            await asyncio.sleep(0)
            limiter.release(LoadSignal.NONE)

        await asyncio.gather(*(one(number) for number in range(20)))
        assert served == list(range(20))

    run(test)


def test_no_request_enters_while_a_shrunken_limit_is_exceeded() -> None:
    async def test() -> None:
        limiter = Limiter(6)
        for _ in range(6):
            await limiter.acquire()
        waiting = [asyncio.create_task(limiter.acquire()) for _ in range(9)]
        await asyncio.sleep(0)
        in_flight = []
        for number in range(12):
            limiter.release(LoadSignal.OVERLOADED if number < 6 else LoadSignal.NONE)
            in_flight.append(limiter.in_flight)
        assert in_flight == [6, 6, 6, 6, 6, 5, 4, 3, 3, 3, 3, 3]
        await asyncio.gather(*waiting)

    run(test)


async def _waiting(limiter: Limiter, number: int) -> list[asyncio.Task[None]]:
    tasks = [asyncio.create_task(limiter.acquire()) for _ in range(number)]
    await asyncio.sleep(0)
    return tasks


def test_a_request_canceled_while_waiting_takes_no_place() -> None:
    async def test() -> None:
        limiter = Limiter(1)
        await limiter.acquire()
        first, second = await _waiting(limiter, 2)
        first.cancel()
        await asyncio.sleep(0)
        limiter.release(LoadSignal.NONE)
        await second
        assert limiter.in_flight == 1

    run(test)


def test_a_request_canceled_at_the_moment_of_admission_passes_its_place_on() -> None:
    async def test() -> None:
        limiter = Limiter(1)
        await limiter.acquire()
        first, second = await _waiting(limiter, 2)
        limiter.release(LoadSignal.NONE)
        first.cancel()
        await second
        assert limiter.in_flight == 1
        assert first.cancelled()

    run(test)


def test_new_requests_enter_when_all_waiting_ones_were_canceled() -> None:
    async def test() -> None:
        limiter = Limiter(1)
        await limiter.acquire()
        for task in await _waiting(limiter, 3):
            task.cancel()
        await asyncio.sleep(0)
        limiter.release(LoadSignal.NONE)
        await limiter.acquire()
        assert limiter.in_flight == 1

    run(test)
