"""From batches to many requests at once: callers hand over lists, one event loop answers all of them.

`run` may be called from several threads at once. All requests of all calls run side by side in one loop; how many are
really sent at once is the business of what answers them.
"""

import asyncio
import contextlib
import threading
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import CancelledError
from typing import Generic, Protocol, TypeVar

from manifests.errors import EngineDied, EngineError
from pipeline.engines.remote.loop_thread import LoopThread

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")


class Startable(Protocol):
    """`start` raises EngineUnavailable where there is no point in asking."""

    async def start(self) -> None: ...

    async def close(self) -> None: ...


class Batches(Generic[Asked, Answer]):
    """Starts `model` in a loop of its own and answers with `answer` there, until `close`.

    `thread` is the loop's name, `what` names the model in sentences. The constructor raises what `model.start` raises.
    """

    def __init__(self, thread: str, what: str, model: Startable, answer: Callable[[Asked], Awaitable[Answer]]) -> None:
        self._what = what
        self._model = model
        self._answer = answer
        self._calls: set[asyncio.Future[list[Answer]]] = set()
        self._end: EngineError | None = None
        self._closed = threading.Lock()
        self._thread = LoopThread(thread)
        try:
            self._thread.run(self._start_model)
        except BaseException:  # an interrupt too leaves no thread behind
            self._thread.stop()
            raise

    def run(self, asked: Sequence[Asked]) -> list[Answer]:
        """The answers, in the order of what was asked.

        Raises EngineDied or EngineUnavailable where the model is gone, whichever call noticed. An interrupt of the
        calling thread cancels the call's requests.
        """
        try:
            return self._thread.run(lambda: self._call(asked))
        except CancelledError:
            raise self._ended() from None

    def close(self) -> None:
        """End what is being asked, the model and the thread, in this order. A second call does nothing."""
        if not self._closed.acquire(blocking=False):
            return
        try:
            # Where the thread has died, nothing is left that could be ended in it.
            with contextlib.suppress(EngineDied):
                self._thread.run(self._close_model)
        finally:
            self._thread.stop()

    async def _start_model(self) -> None:
        try:
            await self._model.start()
        except BaseException:  # an interrupt too leaves no half-started model behind
            # Why it did not start is what counts, not that a half-started model cannot be closed either.
            with contextlib.suppress(Exception):
                await self._model.close()
            raise

    async def _close_model(self) -> None:
        self._end_calls(EngineDied(f"{self._what} was closed"))
        await asyncio.gather(*self._calls, return_exceptions=True)
        await self._model.close()

    async def _call(self, asked: Sequence[Asked]) -> list[Answer]:
        if self._end is not None:
            raise self._ended()
        call = asyncio.ensure_future(self._answer_all(asked))
        self._calls.add(call)
        try:
            return await call
        except EngineError as error:
            self._end_calls(error)
            raise
        finally:
            self._calls.discard(call)

    async def _answer_all(self, asked: Sequence[Asked]) -> list[Answer]:
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._answer_one(one)) for one in asked]
        except BaseExceptionGroup as several:
            raise several.exceptions[0] from None
        return [task.result() for task in tasks]

    async def _answer_one(self, asked: Asked) -> Answer:
        try:
            return await self._answer(asked)
        except (SystemExit, KeyboardInterrupt) as error:
            # asyncio lets these two end its loop, and the model could not even be closed.
            raise EngineDied(f"{self._what} ended with {type(error).__name__} {error}") from error

    def _end_calls(self, error: EngineError) -> None:
        """From here on, every call ends with that error; the first one stays."""
        self._end = self._end or error
        for call in self._calls:  # a call that is done already takes no notice
            call.cancel()

    def _ended(self) -> EngineError:
        """The error for one more caller: threads cannot share one, each adds its traceback."""
        error = self._end or EngineDied(f"{self._what} cancelled its requests")
        return type(error)(str(error))
