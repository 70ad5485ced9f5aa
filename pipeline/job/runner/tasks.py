"""What a runner runs: blocks through pools of stages. Both runners do exactly these steps."""

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Generic, Protocol, TypeVar

from manifests.schema import Dialogue
from manifests.storage import Place
from pipeline.job.blocks import BlockReport, commit_block, read_block
from pipeline.job.usage import Effort
from pipeline.job.worker import WorkOrder
from pipeline.recipe import Pool
from pipeline.recipes.pools import full_pools

Item = TypeVar("Item")
Result = TypeVar("Result")
TakenItem = TypeVar("TakenItem", contravariant=True)
GivenResult = TypeVar("GivenResult", covariant=True)


@dataclass(frozen=True)
class BlockPass:
    """Blocks come from `source` and are committed to `target`. `only_live`: settled rows are left behind."""

    source: Place
    target: Place
    only_live: bool

    def load(self, block: int) -> list[Dialogue]:
        dialogues = read_block(self.source, block)
        return [d for d in dialogues if d.status == "live"] if self.only_live else dialogues

    def commit(self, block: int, dialogues: Sequence[Dialogue], effort: Effort) -> BlockReport:
        return commit_block(self.target, block, dialogues, effort)


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

    `run` yields a report for each block, in whatever order they finish. `map` applies a function that can travel to
    other processes, a bounded number of times at once, and yields the results in the order of the items. `work` is for
    items that need engines but no stages: results come in whatever order they are there, and an item whose worker dies
    is tried again with a fresh one, as blocks are.
    """

    def run(
        self, blocks: Sequence[int], block_pass: BlockPass, plans: Sequence[PoolPlan]
    ) -> Iterator[BlockReport]: ...

    def map(self, function: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[Result]: ...

    def work(self, items: Sequence[Item], plan: WorkPlan[Item, Result]) -> Generator[Result, None, None]: ...

    def close(self) -> None: ...


def plan_pools(order: WorkOrder) -> list[PoolPlan]:
    """The recipe's pools for the order's stages; pools without any of them are left out."""
    plans = []
    for name, pool in full_pools(order.recipe).items():
        wanted = tuple(stage for stage in pool.stages if stage in order.stages)
        if wanted:
            plans.append(PoolPlan(name, pool, replace(order, stages=wanted)))
    return plans
