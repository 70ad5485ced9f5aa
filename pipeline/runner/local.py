"""The in-process runner: a loop that one can read aloud and step through. Same corpus as Ray, one core."""

from collections.abc import Callable, Generator, Iterator, Sequence
from typing import TypeVar

from manifests.errors import EngineDied
from manifests.schema import Dialogue
from pipeline.effort import Effort
from pipeline.runner.tasks import ItemWorker, PoolPlan, UnitPass, WorkPlan
from pipeline.units import UnitReport
from pipeline.worker import ENGINE_LIVES, Worker

Item = TypeVar("Item")
Result = TypeVar("Result")


class LocalRunner:
    """Keeps its workers from one pass to the next, so that engines load once."""

    def __init__(self) -> None:
        self._workers: dict[tuple[str, ...], Worker] = {}

    def run(self, units: Sequence[int], unit_pass: UnitPass, plans: Sequence[PoolPlan]) -> Iterator[UnitReport]:
        for plan in plans:
            self._worker(plan)  # an engine that is not here is heard of before any work
        for unit in units:
            dialogues, effort = unit_pass.load(unit), Effort()
            for plan in plans:
                dialogues, taken = self._run_pool(plan, dialogues)
                effort += taken
            yield unit_pass.commit(unit, dialogues, effort)

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
