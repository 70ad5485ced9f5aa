"""What a runner runs: units through pools of stages. Both runners do exactly these steps."""

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Generic, Protocol, TypeVar

from manifests.schema import Dialogue
from manifests.storage import Place
from pipeline.effort import Effort
from pipeline.recipe import Pool
from pipeline.units import UnitReport, commit_unit, read_unit
from pipeline.worker import WorkOrder

Item = TypeVar("Item")
Result = TypeVar("Result")
TakenItem = TypeVar("TakenItem", contravariant=True)
GivenResult = TypeVar("GivenResult", covariant=True)


@dataclass(frozen=True)
class UnitPass:
    """Units come from `source` and are committed to `target`. `only_live`: settled rows are left behind."""

    source: Place
    target: Place
    only_live: bool

    def load(self, unit: int) -> list[Dialogue]:
        dialogues = read_unit(self.source, unit)
        return [d for d in dialogues if d.status == "live"] if self.only_live else dialogues

    def commit(self, unit: int, dialogues: Sequence[Dialogue], effort: Effort) -> UnitReport:
        return commit_unit(self.target, unit, dialogues, effort)


@dataclass(frozen=True)
class PoolPlan:
    """A pool of the recipe, cut to the stages that this pass runs."""

    name: str
    pool: Pool
    order: WorkOrder


class Claims(Protocol):
    """What a pool takes of a machine: `workers` (0: as many as there is room for), CPUs and GPUs of each."""

    @property
    def workers(self) -> int: ...

    @property
    def cpus(self) -> float: ...

    @property
    def gpus(self) -> float: ...


class ItemWorker(Protocol[TakenItem, GivenResult]):
    """Holds engines. `run` raises EngineDied when one is gone; the worker is of no use then."""

    def run(self, item: TakenItem) -> GivenResult: ...

    def close(self) -> None: ...


@dataclass(frozen=True)
class WorkPlan(Generic[Item, Result]):
    """A pool of workers that each take one item after another.

    `open` makes a worker, in the process where it will work, and raises EngineUnavailable where an engine cannot load.
    It must be able to travel: a function of a module, or a `partial` of one.
    """

    name: str
    claims: Claims
    open: Callable[[], ItemWorker[Item, Result]]


class Runner(Protocol):
    """Where the work is done.

    `run` yields a report for each unit, in whatever order they finish. `map` applies a function that can travel to
    other processes, a bounded number of times at once, and yields the results in the order of the items. `work` is for
    items that need engines but no stages: results come in whatever order they are there, and an item whose worker dies
    is tried again with a fresh one, as units are.
    """

    def run(self, units: Sequence[int], unit_pass: UnitPass, plans: Sequence[PoolPlan]) -> Iterator[UnitReport]: ...

    def map(self, function: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[Result]: ...

    def work(self, items: Sequence[Item], plan: WorkPlan[Item, Result]) -> Generator[Result, None, None]: ...

    def close(self) -> None: ...


def plan_pools(order: WorkOrder) -> list[PoolPlan]:
    """The recipe's pools for the order's stages; pools without any of them are left out."""
    plans = []
    for name, pool in order.recipe.pools.items():
        wanted = tuple(stage for stage in pool.stages if stage in order.stages)
        if wanted:
            plans.append(PoolPlan(name, pool, replace(order, stages=wanted)))
    return plans
