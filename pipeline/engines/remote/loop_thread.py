"""An event loop in a thread of its own, for callers that know nothing of coroutines."""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, wait
from typing import Any, Generic, TypeVar

from manifests.errors import EngineDied

T = TypeVar("T")

LOOK_S = 1.0
"""How often who waits looks whether the thread still lives. It ends by itself only if a task raises SystemExit."""


class LoopThread:
    """Runs coroutines for any number of threads until `stop`. A daemon: it holds up no process that ends."""

    def __init__(self, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def run(self, begin: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """The result of the coroutine that `begin` makes, awaited in the loop.

        What it raises is raised here. Whatever interrupts the waiting (KeyboardInterrupt) cancels the coroutine.
        Raises EngineDied where the thread has ended, concurrent.futures.CancelledError where the coroutine was
        cancelled.
        """
        errand = _Errand(self._loop, begin)
        try:
            future = self._submit(errand.run())
            while not wait([future], timeout=LOOK_S).done:
                if not self._thread.is_alive():
                    raise self._ended()
            return future.result()
        except BaseException:  # an interrupt of the waiting thread too
            errand.cancel()
            raise

    def stop(self) -> None:
        """End the loop: what still runs in it is cancelled, and its threads have ended when this returns."""
        with contextlib.suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _submit(self, coroutine: Coroutine[Any, Any, T]) -> Future[T]:
        try:
            return asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        except RuntimeError as error:  # the loop is closed
            coroutine.close()
            raise self._ended() from error

    def _ended(self) -> EngineDied:
        return EngineDied(f"the event loop of {self._thread.name} has ended")

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.get_loop().run_forever()


class _Errand(Generic[T]):
    """A coroutine that can be cancelled from its planning on.

    The future of `run_coroutine_threadsafe` cannot: the loop may be at work, and an interrupt come, before it is
    returned.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, begin: Callable[[], Coroutine[Any, Any, T]]) -> None:
        self._loop = loop
        self._begin = begin
        self._task: asyncio.Task[Any] | None = None
        self._cancelled = False

    async def run(self) -> T:
        self._task = asyncio.current_task()
        if self._cancelled:
            raise asyncio.CancelledError
        return await self._begin()

    def cancel(self) -> None:
        self._cancelled = True
        if self._task is not None:
            with contextlib.suppress(RuntimeError):  # the loop is closed
                self._loop.call_soon_threadsafe(self._task.cancel)
