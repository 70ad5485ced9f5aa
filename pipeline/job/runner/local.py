"""Runs jobs in this process: a loop that you can read aloud and step through. Same corpus as Ray, one core."""

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from manifests.errors import EngineDied
from pipeline.job.listener import Listener, Moved
from pipeline.job.runner.tasks import BlockWork, PoolWorker, WorkerPlan, cut_blocks
from pipeline.job.runner.warnings import Warnings
from pipeline.job.usage import Effort
from pipeline.job.worker import ENGINE_LIVES

Item = TypeVar("Item")
Result = TypeVar("Result")
Report = TypeVar("Report")


class LocalRunner:
    """Runs in this process. Keeps its workers while the next pass needs the same ones, so that engines load once."""

    has_workers_here = False

    def __init__(self) -> None:
        self._workers: list[tuple[WorkerPlan, PoolWorker]] = []

    def run(
        self, blocks: Mapping[int, int], work: BlockWork[Report], pools: Sequence[WorkerPlan], listener: Listener
    ) -> Generator[Report, None, None]:
        with Warnings(listener.noted):
            yield from self._run(blocks, work, pools, listener)

    def _run(
        self, blocks: Mapping[int, int], work: BlockWork[Report], pools: Sequence[WorkerPlan], listener: Listener
    ) -> Generator[Report, None, None]:
        if not blocks:
            return
        self._close_all_but(pools)
        for plan in pools:
            self._worker(plan)  # a missing engine is reported before the work begins
        ones = [1] * len(pools)
        for parts in cut_blocks(blocks, work.part_rows, pools, ones, ones):
            contents, effort = [], Effort()
            whole = work.load(parts[0].block)
            for part in parts:
                content = work.cut(whole, part)
                for plan in pools:
                    listener.moved(Moved(part, plan.name, work.measure(content)))
                    content, taken = self._run_pool(plan, content)
                    effort += taken
                listener.moved(Moved(part, None, work.measure(content)))
                contents.append(content)
            yield work.commit(parts[0].block, contents, effort)

    def map(self, function: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[Result]:
        return map(function, items)

    def check_nodes(self, check: Callable[[], None]) -> None:
        """Do nothing: there is no other machine."""

    def close(self) -> None:
        self._close_all_but(())

    def _run_pool(self, plan: WorkerPlan, content: Any) -> tuple[Any, Effort]:
        for _ in range(ENGINE_LIVES - 1):
            try:
                return self._worker(plan).run(content)
            except EngineDied:
                self._close_all_but([other for other, _ in self._workers if other != plan])
        return self._worker(plan).run(content)

    def _worker(self, plan: WorkerPlan) -> PoolWorker:
        for other, worker in self._workers:
            if other == plan:
                return worker
        self._workers.append((plan, plan.open()))
        return self._workers[-1][1]

    def _close_all_but(self, pools: Sequence[WorkerPlan]) -> None:
        for plan, worker in self._workers:
            if plan not in pools:
                worker.close()
        self._workers = [(plan, worker) for plan, worker in self._workers if plan in pools]
