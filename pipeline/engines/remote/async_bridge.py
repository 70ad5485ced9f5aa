"""The bridge from a worker's threads to one event loop: callers hand over lists, the loop answers all of them.

`AsyncBridge.run` may be called from several threads at once. All requests of all calls run side by side in the loop;
what answers them decides how many are sent at once.

The thread is our own and not anyio's blocking portal, because an interrupt must cancel what is in flight. The portal
gives its caller nothing to cancel until the loop has taken the call: of 300 interrupts sent by the call's first line,
it left 14 calls running (anyio 4.16), `LoopThread` none. It also waits without a limit for a loop that has just ended.
"""

import asyncio
import contextlib
import threading
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from concurrent.futures import CancelledError, Future, wait
from typing import Any, Generic, Protocol, TypeVar

from manifests.errors import EngineDied, EngineError

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")
T = TypeVar("T")

POLL_S = 1.0
"""How often a waiting caller checks that the loop's thread is alive. The thread ends by itself only if a task raises
SystemExit or KeyboardInterrupt."""


class Startable(Protocol):
    """`start` raises EngineUnavailable where asking would be pointless."""

    async def start(self) -> None: ...

    async def close(self) -> None: ...


class AsyncBridge(Generic[Asked, Answer]):
    """Starts `model` in an event loop of its own and answers every request there with `answer`, until `close`.

    `thread` is the name of the loop's thread; `what` names the model in error messages. The constructor raises what
    `model.start` raises.
    """

    def __init__(self, thread: str, what: str, model: Startable, answer: Callable[[Asked], Awaitable[Answer]]) -> None:
        self._what = what
        self._model = model
        self._answer = answer
        self._calls: set[asyncio.Task[Any]] = set()
        self._end: EngineError | None = None
        self._closed = threading.Lock()
        self._thread = LoopThread(thread)
        try:
            self._thread.run(self._start_model)
        except BaseException:  # an interrupt must not leave the thread behind either
            self._thread.stop()
            raise

    def run(self, requests: Sequence[Asked]) -> list[Answer]:
        """Return the answers, in the order of the requests.

        Raises EngineDied or EngineUnavailable once the model is gone, whichever call noticed it. An interrupt of the
        calling thread cancels the call's requests.
        """
        try:
            return self._thread.run(lambda: self._answer_all(requests))
        except CancelledError:
            raise self._ended() from None

    def close(self) -> None:
        """End the calls in flight, the model and the thread, in this order. A second call does nothing."""
        if not self._closed.acquire(blocking=False):
            return
        try:
            # If the thread has died, there is nothing left in it to end.
            with contextlib.suppress(EngineDied):
                self._thread.run(self._close_model)
        finally:
            self._thread.stop()

    async def _start_model(self) -> None:
        try:
            await self._model.start()
        except BaseException:  # an interrupt must not leave a half-started model behind either
            # The caller needs to know why it did not start, not that closing it failed as well.
            with contextlib.suppress(Exception):
                await self._model.close()
            raise

    async def _close_model(self) -> None:
        self._end_calls(EngineDied(f"{self._what} was closed"))
        await asyncio.gather(*self._calls, return_exceptions=True)
        await self._model.close()

    async def _answer_all(self, requests: Sequence[Asked]) -> list[Answer]:
        if self._end is not None:
            raise self._ended()
        call = asyncio.current_task()
        assert call is not None
        self._calls.add(call)
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._answer_one(request)) for request in requests]
            return [task.result() for task in tasks]
        except BaseExceptionGroup as group_error:
            error = group_error.exceptions[0]
        finally:
            self._calls.discard(call)
        if isinstance(error, EngineError):
            self._end_calls(error)
        raise error

    async def _answer_one(self, request: Asked) -> Answer:
        try:
            return await self._answer(request)
        except (SystemExit, KeyboardInterrupt) as error:
            # asyncio lets these two end its loop, and then the model could not even be closed.
            raise EngineDied(f"{self._what} ended with {type(error).__name__} {error}") from error

    def _end_calls(self, error: EngineError) -> None:
        """End every call, now and later, with that error; the first error stays."""
        self._end = self._end or error
        for call in self._calls:
            call.cancel()

    def _ended(self) -> EngineError:
        """Make the error for one more caller. Threads cannot share one: each adds its own traceback."""
        error = self._end or EngineDied(f"{self._what} canceled its requests")
        return type(error)(str(error))


class LoopThread:
    """Runs coroutines for any number of threads until `stop`. It is a daemon: it does not keep a process alive."""

    def __init__(self, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def run(self, begin: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Return the result of the coroutine that `begin` makes, awaited in the loop.

        Raises what the coroutine raises; EngineDied if the thread has ended; concurrent.futures.CancelledError if the
        coroutine was canceled. Anything that interrupts the waiting (KeyboardInterrupt) cancels the coroutine.
        """
        call = _Call(self._loop, begin)
        try:
            future = self._submit(call.run())
            while not wait([future], timeout=POLL_S).done:
                if not self._thread.is_alive():
                    raise self._ended()
            return future.result()
        except BaseException:  # also an interrupt of the waiting thread
            call.cancel()
            raise

    def stop(self) -> None:
        """End the loop: cancel what still runs in it, and return once its threads have ended."""
        with contextlib.suppress(RuntimeError):  # the loop is closed already
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


class _Call(Generic[T]):
    """A coroutine that can be canceled from the moment it is handed over.

    The future of `run_coroutine_threadsafe` cannot: the loop may start on the coroutine, and an interrupt may come,
    before that function has returned it.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, begin: Callable[[], Coroutine[Any, Any, T]]) -> None:
        self._loop = loop
        self._begin = begin
        self._task: asyncio.Task[Any] | None = None
        self._canceled = False

    async def run(self) -> T:
        self._task = asyncio.current_task()
        if self._canceled:
            raise asyncio.CancelledError
        return await self._begin()

    def cancel(self) -> None:
        self._canceled = True
        if self._task is not None:
            with contextlib.suppress(RuntimeError):  # the loop is closed
                self._loop.call_soon_threadsafe(self._task.cancel)
