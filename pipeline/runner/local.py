"""The in-process runner: a loop that one can read aloud and step through. Same corpus as Ray, one core."""

from collections.abc import Iterator, Sequence

from pipeline.runner.tasks import PoolPlan, UnitPass
from pipeline.units import UnitReport
from pipeline.worker import Worker


class LocalRunner:
    """Keeps its workers from one pass to the next, so that engines load once."""

    def __init__(self) -> None:
        self._workers: dict[tuple[str, ...], Worker] = {}

    def run(self, units: Sequence[int], unit_pass: UnitPass, plans: Sequence[PoolPlan]) -> Iterator[UnitReport]:
        workers = [self._worker(plan) for plan in plans]
        for unit in units:
            dialogues = unit_pass.load(unit)
            seconds: dict[str, float] = {}
            for worker in workers:
                dialogues, taken = worker.run(dialogues)
                seconds |= taken
            yield unit_pass.commit(unit, dialogues, seconds)

    def close(self) -> None:
        self._workers.clear()

    def _worker(self, plan: PoolPlan) -> Worker:
        stages = plan.order.stages
        if stages not in self._workers:
            self._workers[stages] = Worker(plan.order)
        return self._workers[stages]
