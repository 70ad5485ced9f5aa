"""The thread with the event loop: results, interrupts, and a loop that ends under those who wait."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor

import pytest

from manifests.errors import EngineDied
from pipeline.engines.remote.async_bridge import LoopThread

pytestmark = pytest.mark.timeout(60)


@pytest.fixture
def thread() -> Iterator[LoopThread]:
    thread = LoopThread("test")
    yield thread
    thread.stop()


async def number() -> int:
    await asyncio.sleep(0)
    return 3


async def broken() -> int:
    raise TimeoutError("its own")


async def leave() -> int:
    raise SystemExit(3)


def test_what_comes_back(thread: LoopThread) -> None:
    assert thread.run(number) == 3
    with pytest.raises(TimeoutError, match="its own"):
        thread.run(broken)
    assert thread.run(number) == 3


def test_it_waits_as_long_as_it_takes(thread: LoopThread, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.engines.remote.async_bridge.POLL_S", 0.001)

    async def slow() -> int:
        await asyncio.sleep(0.05)
        return 3

    assert thread.run(slow) == 3


def test_a_stopped_loop_takes_nothing(thread: LoopThread) -> None:
    thread.stop()
    thread.stop()
    with pytest.raises(EngineDied, match="has ended"):
        thread.run(number)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_who_waits_for_a_loop_that_ends_is_told(thread: LoopThread) -> None:
    begun = threading.Event()

    async def wait() -> int:
        begun.set()
        await asyncio.Event().wait()
        return 3

    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(thread.run, wait)
        begun.wait()
        with pytest.raises((SystemExit, EngineDied)):
            thread.run(leave)
        with pytest.raises((CancelledError, EngineDied)):
            waiting.result()


def test_a_future_that_nobody_will_ever_finish_is_no_trap(thread: LoopThread, monkeypatch: pytest.MonkeyPatch) -> None:
    # As when the loop ends between taking a coroutine and beginning with it.
    monkeypatch.setattr("asyncio.run_coroutine_threadsafe", lambda coroutine, loop: (coroutine.close(), Future())[1])
    monkeypatch.setattr("pipeline.engines.remote.async_bridge.POLL_S", 0.01)
    thread.stop()
    with pytest.raises(EngineDied, match="has ended"):
        thread.run(number)
