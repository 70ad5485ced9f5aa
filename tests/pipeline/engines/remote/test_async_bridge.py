"""The thread with the event loop: results, interrupts, and a loop that ends while callers wait."""

import asyncio
import os
import signal
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


def test_results_and_exceptions_come_back(thread: LoopThread) -> None:
    assert thread.run(number) == 3
    with pytest.raises(TimeoutError, match="its own"):
        thread.run(broken)
    assert thread.run(number) == 3


def test_waiting_has_no_limit(thread: LoopThread, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.engines.remote.async_bridge.POLL_S", 0.001)

    async def slow() -> int:
        await asyncio.sleep(0.05)
        return 3

    assert thread.run(slow) == 3


def test_a_stopped_loop_refuses_calls(thread: LoopThread) -> None:
    thread.stop()
    thread.stop()
    with pytest.raises(EngineDied, match="has ended"):
        thread.run(number)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_caller_that_waits_for_an_ending_loop_gets_an_error(thread: LoopThread) -> None:
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


def test_a_call_that_an_ending_loop_never_starts_gets_an_error(
    thread: LoopThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As if the loop ended between accepting a coroutine and starting it.
    monkeypatch.setattr("asyncio.run_coroutine_threadsafe", lambda coroutine, loop: (coroutine.close(), Future())[1])
    monkeypatch.setattr("pipeline.engines.remote.async_bridge.POLL_S", 0.01)
    thread.stop()
    with pytest.raises(EngineDied, match="has ended"):
        thread.run(number)


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Handle SIGINT as usual: a process that was started in the background may ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_an_interrupt_cancels_a_call_from_its_first_moment(thread: LoopThread) -> None:
    """The call itself sends the signal, so that it often comes before the caller has begun to wait."""
    canceled = threading.Semaphore(0)

    async def interrupt() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            canceled.release()
            raise

    for _ in range(100):
        with pytest.raises(KeyboardInterrupt):
            thread.run(interrupt)
        assert canceled.acquire(timeout=10)
