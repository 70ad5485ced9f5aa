"""The in-process runner: a loop that one can read aloud and step through. Same corpus as Ray, one core."""

from collections.abc import Callable, Generator, Iterator, Sequence
from typing import TypeVar

from manifests.errors import EngineDied
from manifests.schema import Dialogue
from pipeline.job.blocks import BlockReport
from pipeline.job.runner.tasks import BlockPass, ItemWorker, PoolPlan, WorkPlan
from pipeline.job.usage import Effort
from pipeline.job.worker import ENGINE_LIVES, Worker

Item = TypeVar("Item")
Result = TypeVar("Result")


class LocalRunner:
    """Keeps its workers from one pass to the next, so that engines load once."""

    def __init__(self) -> None:
        self._workers: dict[tuple[str, ...], Worker] = {}

    def run(self, blocks: Sequence[int], block_pass: BlockPass, plans: Sequence[PoolPlan]) -> Iterator[BlockReport]:
        for plan in plans:
            self._worker(plan)  # an engine that is not here is heard of before any work
        for block in blocks:
            dialogues, effort = block_pass.load(block), Effort()
            for plan in plans:
                dialogues, taken = self._run_pool(plan, dialogues)
                effort += taken
            yield block_pass.commit(block, dialogues, effort)

    def map(self, function: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[Result]:
        return map(function, items)

    def work(self, items: Sequence[Item], plan: WorkPlan[Item, Result]) -> Generator[Result, None, None]:
        worker = plan.open()  # an engine that is not here is heard of before any work
        try:
            for item in items:
                worker, result = _run_item(worker, item, plan)
                yield result
        finally:
            worker.close()

    def close(self) -> None:
        for worker in self._workers.values():
            worker.close()
        self._workers.clear()

    def _run_pool(self, plan: PoolPlan, dialogues: list[Dialogue]) -> tuple[list[Dialogue], Effort]:
        for _ in range(ENGINE_LIVES - 1):
            try:
                return self._worker(plan).run(dialogues)
            except EngineDied:
                self._workers.pop(plan.order.stages).close()
        return self._worker(plan).run(dialogues)

    def _worker(self, plan: PoolPlan) -> Worker:
        stages = plan.order.stages
        if stages not in self._workers:
            self._workers[stages] = Worker(plan.order)
        return self._workers[stages]


def _run_item(
    worker: ItemWorker[Item, Result], item: Item, plan: WorkPlan[Item, Result]
) -> tuple[ItemWorker[Item, Result], Result]:
    """The result, and the worker that gave it: a fresh one where the engines of the others died."""
    for _ in range(ENGINE_LIVES - 1):
        try:
            return worker, worker.run(item)
        except EngineDied:
            worker.close()
            worker = plan.open()
    return worker, worker.run(item)
