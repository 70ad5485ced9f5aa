"""Schedules the work under Ray: which actor takes what, and when. It runs in the thread that asks for reports.

A part of a block goes from pool to pool as one object of Ray's store; when all parts of a block have left the last
pool, one of its actors joins and commits them. So no audio reaches the driver. A pool starts no part while the
next pool already has as many waiting as it can work on at once: the queue between two pools is bounded, whatever their
speeds.

A part whose worker dies is tried again with a new one; a part whose object is lost with a node begins again from its
source. After ENGINE_LIVES such failures the job stops.
"""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

from manifests.errors import EngineDied
from pipeline.job.listener import Listener, Measure, Moved, Part
from pipeline.job.profile import PoolState, Stopwatch
from pipeline.job.runner.actors import ActorHandle, ActorPool, CallResult, rebuilt, result_of
from pipeline.job.runner.tasks import BlockWork, CutBlocks
from pipeline.job.usage import Effort
from pipeline.job.worker import ENGINE_LIVES

Report = TypeVar("Report")

BEAT_S = 1.0


@dataclass(frozen=True)
class _Task:
    """Describes a part on its way through pool number `pool` or, with `part` None, a block to be committed.

    `packed` are the objects to work on; if empty, the part comes from its source. `deaths` counts the workers of this
    pool that died on it, `losses` the times that the results of earlier pools were lost.
    """

    block: int
    part: Part | None
    pool: int = 0
    packed: tuple[Any, ...] = ()
    effort: Effort = field(default_factory=Effort)
    measure: Measure = field(default_factory=lambda: Measure(0))
    deaths: int = 0
    losses: int = 0


class Chain(Generic[Report]):
    """Runs one pass of blocks, cut into parts, through the pools."""

    def __init__(
        self,
        blocks: CutBlocks,
        rows: Iterable[int],
        work: BlockWork[Report],
        pools: Sequence[ActorPool],
        listener: Listener,
        check: Callable[[], None] = lambda: None,
    ) -> None:
        """Take `rows` rows in `blocks` through the pools; `check` is called about once a second, to stop the pass."""
        self._check = check
        self._work, self._pools, self._listener = work, pools, listener
        self._source = self._parts(blocks, rows)
        self._waiting: list[deque[_Task]] = [deque() for _ in pools]
        self._joining: dict[int, dict[int, _Task]] = {}
        self._calls: dict[Any, tuple[ActorPool, ActorHandle, _Task | None, Any]] = {}
        self._left = len(blocks)
        self._told: set[str] = set()
        self._stopwatch = Stopwatch()

    def reports(self) -> Generator[Report, None, None]:
        """Yield the report of each block when it is committed."""
        import ray

        for pool in self._pools:
            for actor in pool.actors:
                self._expect(pool, actor)
        while self._left:
            self._check()
            self._start_calls()
            self._stopwatch.look(map(self._state, range(len(self._pools))))
            done, _ = ray.wait(list(self._calls), num_returns=1, timeout=BEAT_S)
            if not done:
                self._listener.waiting()
            for future in done:
                yield from self._end_call(future)
        self._stopwatch.look(())
        self._listener.profiled(self._stopwatch.times)

    @staticmethod
    def _parts(blocks: CutBlocks, rows: Iterable[int]) -> Iterator[_Task]:
        for parts, count in zip(blocks, rows, strict=True):
            for part in parts:
                start, stop = part.bounds(count)
                yield _Task(part.block, part, measure=Measure(stop - start))

    def _expect(self, pool: ActorPool, actor: ActorHandle) -> None:
        if not actor.is_open:
            self._calls[actor.opening] = pool, actor, None, None

    def _start_calls(self) -> None:
        """Give work to all free actors, the last pool first, which makes room for the others."""
        for number in reversed(range(len(self._pools))):
            pool = self._pools[number]
            while (actor := pool.free()) and (task := self._next(number)):
                self._start_call(pool, actor, task)

    def _next(self, number: int) -> _Task | None:
        waiting = self._waiting[number]
        if self._is_held(number):
            return None
        if waiting:
            return waiting.popleft()
        return next(self._source, None) if number == 0 else None

    def _is_held(self, number: int) -> bool:
        """Tell whether the pool behind has as much waiting as it can work on at once."""
        following = number + 1
        if following == len(self._pools):
            return False
        return len(self._waiting[following]) >= max(1, self._pools[following].capacity)

    def _state(self, number: int) -> PoolState:
        pool = self._pools[number]
        busy = sum(actor.load for actor in pool.actors)
        opening = sum(not actor.is_open for actor in pool.actors) * pool.slots
        free = pool.capacity - busy - opening
        return PoolState(pool.plan.name, len(pool.actors), busy, free, opening, self._is_held(number))

    def _start_call(self, pool: ActorPool, actor: ActorHandle, task: _Task) -> None:
        if task.part is None:
            future = actor.actor.commit.remote(self._work, task.block, task.effort, *task.packed)
            content = None
        else:
            self._listener.moved(Moved(task.part, pool.plan.name, task.measure))
            call = actor.actor.run.options(num_returns=2)
            future, content = call.remote(self._work, task.part, *task.packed)
        actor.load += 1
        self._calls[future] = pool, actor, task, content

    def _end_call(self, future: Any) -> Iterator[Report]:
        pool, actor, task, content = self._calls.pop(future)
        result = result_of(future)
        self._note(result)
        self._stopwatch.count(pool.plan.name, gpu=result.gpu)
        if task is None:
            self._opened(pool, actor, result)
            return
        actor.load -= 1
        if result.died and actor in pool.actors:
            self._replace(pool, actor)
        if result.died or result.lost:
            self._try_again(pool, task, result)
        elif result.error:
            raise rebuilt(result.error)
        elif task.part is None:
            self._left -= 1
            del self._joining[task.block]
            yield result.value
        else:
            self._stopwatch.count(pool.plan.name, result.value[0].rows, result.value[0].new_s)
            self._advance(task, result.value, content)

    def _note(self, result: CallResult) -> None:
        """Pass on the warnings of workers, each once, however many workers have the same."""
        for sentence in result.told:
            if sentence not in self._told:
                self._told.add(sentence)
                self._listener.noted(sentence)

    def _opened(self, pool: ActorPool, actor: ActorHandle, result: CallResult) -> None:
        if actor not in pool.actors:  # it was taken back before it had loaded
            return
        if result.died and result.error is None:
            pool.failed_openings += 1
            if pool.failed_openings >= ENGINE_LIVES:
                raise EngineDied(
                    f"workers of pool {pool.plan.name} ended {ENGINE_LIVES} times while they loaded: {result.value}"
                )
            self._replace(pool, actor)
        elif result.error:
            raise rebuilt(result.error)
        else:
            actor.is_open, pool.failed_openings = True, 0

    def _replace(self, pool: ActorPool, actor: ActorHandle) -> None:
        pool.remove(actor)
        self._expect(pool, pool.add())

    def _try_again(self, pool: ActorPool, task: _Task, result: CallResult) -> None:
        """Put the task first in its pool's queue; if its objects are lost, its parts begin again from their source."""
        deaths, losses = task.deaths + result.died, task.losses + result.lost
        if max(deaths, losses) >= ENGINE_LIVES:
            raise rebuilt(result.error) if result.error else EngineDied(_why(pool, task, result))
        if result.died:
            self._waiting[task.pool].appendleft(replace(task, deaths=deaths))
            return
        parts = self._joining.pop(task.block).values() if task.part is None else [task]
        for lost in parts:
            self._waiting[0].append(_Task(task.block, lost.part, measure=Measure(lost.measure.rows), losses=losses))

    def _advance(self, task: _Task, found: tuple[Measure, Effort], content: Any) -> None:
        """Move the task to the next pool or, after the last one, to the other parts of its block."""
        assert task.part is not None
        measure, effort = found
        done = replace(task, packed=(content,), effort=task.effort + effort, measure=measure, pool=task.pool + 1)
        if done.pool < len(self._pools):
            self._waiting[done.pool].append(replace(done, deaths=0))
            return
        self._listener.moved(Moved(task.part, None, measure))
        joined = self._joining.setdefault(task.block, {})
        joined[task.part.index] = done
        if len(joined) == task.part.of:
            self._commit([joined[index] for index in range(task.part.of)])

    def _commit(self, parts: Sequence[_Task]) -> None:
        last = len(self._pools) - 1
        packed = tuple(content for part in parts for content in part.packed)
        effort = sum((part.effort for part in parts), Effort())
        losses = max(part.losses for part in parts)
        self._waiting[last].appendleft(_Task(parts[0].block, None, last, packed, effort, losses=losses))


def _why(pool: ActorPool, task: _Task, result: CallResult) -> str:
    if result.lost:
        return f"results of block {task.block} were lost {ENGINE_LIVES} times on the way to pool {pool.plan.name}"
    return f"block {task.block} ended its worker {ENGINE_LIVES} times in pool {pool.plan.name}"
