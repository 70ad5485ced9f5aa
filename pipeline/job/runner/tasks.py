"""Defines the work of a runner: blocks, cut into parts, go through pools of workers. Both runners do these steps."""

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeVar

from manifests.schema import Dialogue
from manifests.storage import Place
from pipeline.job.blocks import BlockReport, audio_s, commit_block, new_audio_s, read_block
from pipeline.job.listener import Listener, Measure, Part
from pipeline.job.usage import Effort
from pipeline.job.worker import Worker, WorkOrder
from pipeline.recipe import Pool
from pipeline.recipes.pools import full_pools
from pipeline.stages.registry import engines_of, find_stage

Item = TypeVar("Item")
Result = TypeVar("Result")
Report = TypeVar("Report", covariant=True)

PART_ROWS = 8
"""Rows of a part for engines that take clip after clip: at most about a minute of one core's work."""
_LATE_SHARES = 2
"""Parts of what is left for each worker: with one, the pass would wait for the slowest of them."""


class PoolClaims(Protocol):
    """Describes a pool's share of a machine: `workers` (0: as many as fit) or `per_gpu`, CPUs and GPUs of each."""

    @property
    def workers(self) -> int: ...

    @property
    def per_gpu(self) -> int: ...

    @property
    def cpus(self) -> float: ...

    @property
    def gpus(self) -> float: ...


class PoolWorker(Protocol):
    """Holds engines. `run` raises EngineDied when one has died; the worker is useless then."""

    def run(self, content: Any) -> tuple[Any, Effort]: ...

    def close(self) -> None: ...


class WorkerPlan(Protocol):
    """Describes a pool of workers. A plan is a picklable value, and workers of equal plans are interchangeable.

    `open` makes a worker, in the process where it will work, and raises EngineUnavailable if an engine cannot load.
    `blocks_in_flight`: blocks that one worker works on at once. `takes_batches`: its engines are faster with many rows
    at once than with one after another. `keeps_blocks_whole`: it must get whole blocks.
    """

    @property
    def name(self) -> str: ...

    @property
    def claims(self) -> PoolClaims: ...

    @property
    def blocks_in_flight(self) -> int: ...

    @property
    def takes_batches(self) -> bool: ...

    @property
    def keeps_blocks_whole(self) -> bool: ...

    def open(self) -> PoolWorker: ...


class BlockWork(Protocol[Report]):
    """Loads and commits the content of blocks. It can be pickled.

    Content is whatever the pools work on: dialogues, or clips and the speakers in them. `load` reads a whole block
    from its source, and `cut` takes a part of it. `pack` turns content into one object that is cheap to send between
    workers. `commit` gets the contents of all parts, in order.
    """

    @property
    def part_rows(self) -> int: ...

    def load(self, block: int) -> Any: ...

    def cut(self, whole: Any, part: Part) -> Any: ...

    def measure(self, content: Any) -> Measure: ...

    def pack(self, content: Any) -> Any: ...

    def unpack(self, packed: Any) -> Any: ...

    def commit(self, block: int, contents: Sequence[Any], effort: Effort) -> Report: ...


@dataclass(frozen=True)
class BlockPass:
    """Loads blocks of dialogues from `source` and commits them to `target`.

    `only_live`: settled rows are left out.
    """

    source: Place
    target: Place
    only_live: bool
    part_rows: int = PART_ROWS

    def load(self, block: int) -> list[Dialogue]:
        dialogues = read_block(self.source, block)
        return [d for d in dialogues if d.status == "live"] if self.only_live else dialogues

    def cut(self, whole: Sequence[Dialogue], part: Part) -> list[Dialogue]:
        return part.cut(whole)

    def measure(self, content: Sequence[Dialogue]) -> Measure:
        settled = sum(dialogue.status != "live" for dialogue in content)
        kept = [dialogue for dialogue in content if dialogue.status == "kept"]
        return Measure(len(content), settled, len(kept), sum(map(audio_s, kept)), sum(map(new_audio_s, content)))

    def pack(self, content: Sequence[Dialogue]) -> list[Dialogue]:
        # Not as Arrow: its cost is one of the columns, of which a row has some hundred, and a part has few rows.
        return list(content)

    def unpack(self, packed: list[Dialogue]) -> list[Dialogue]:
        return packed

    def commit(self, block: int, contents: Sequence[Sequence[Dialogue]], effort: Effort) -> BlockReport:
        return commit_block(self.target, block, [dialogue for part in contents for dialogue in part], effort)


@dataclass(frozen=True)
class PoolPlan:
    """Plans a pool of the recipe, with only the stages that this pass runs."""

    name: str
    pool: Pool
    order: WorkOrder

    @property
    def claims(self) -> PoolClaims:
        return self.pool

    @property
    def blocks_in_flight(self) -> int:
        return self.pool.blocks_in_flight

    @property
    def takes_batches(self) -> bool:
        """Tell whether the engines take batches, as those on a GPU and models do; the others take clip after clip."""
        recipe = self.order.recipe
        return self.pool.gpus > 0 or any(name in recipe.models for _, name in engines_of(recipe, self.order.stages))

    @property
    def keeps_blocks_whole(self) -> bool:
        """Tell whether a stage looks at all rows of a block."""
        return any(find_stage(name).neighbors(self.order.recipe) for name in self.order.stages)

    def open(self) -> Worker:
        return Worker(self.order)


class Runner(Protocol):
    """Does the work.

    `run` takes blocks (number -> approximate rows) through the pools and yields a report for each, in the order of
    their commits. `map` applies a picklable function, a bounded number of times at once, and yields the results in the
    order of the items; `has_workers_here` as in `Mapper`. `check_nodes` calls a picklable function on every machine
    but this one, and raises its error.
    """

    def run(
        self,
        blocks: Mapping[int, int],
        work: BlockWork[Report],
        pools: Sequence[WorkerPlan],
        listener: Listener,
    ) -> Generator[Report, None, None]: ...

    @property
    def has_workers_here(self) -> bool: ...

    def map(self, function: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[Result]: ...

    def check_nodes(self, check: Callable[[], None]) -> None: ...

    def close(self) -> None: ...


def cut_blocks(
    blocks: Mapping[int, int], part_rows: int, pools: Sequence[WorkerPlan], sizes: Sequence[int], slots: Sequence[int]
) -> "CutBlocks":
    """Cut each block into parts. `sizes` are the workers of each pool, `slots` the parts that one works on at once.

    A block stays whole for engines that take batches; otherwise its parts have `part_rows` rows. Late parts are
    smaller, so that all workers are busy to the end, and so are all parts of a pass with few rows, as late retakes
    are. Blocks stay whole in any case where a pool must get whole blocks.
    """
    if any(plan.keeps_blocks_whole for plan in pools):
        return CutBlocks(dict.fromkeys(blocks, 1))
    batching = [size for plan, size, slot in zip(pools, sizes, slots, strict=True) if plan.takes_batches and slot == 1]
    takers = max(batching, default=0) or max(size * slot for size, slot in zip(sizes, slots, strict=True))
    if any(slot > 1 for slot in slots):  # late parts that are smaller would leave fewer rows in flight
        rows_each = -(-sum(blocks.values()) // takers)
        rows_each = max(1, rows_each if batching else min(part_rows, rows_each))
        counts = {block: max(1, -(-rows // rows_each)) for block, rows in blocks.items()}
    else:
        counts = _cut_batches(blocks, takers) if batching else _cut_evenly(blocks, takers, part_rows)
    return CutBlocks(counts)


@dataclass(frozen=True)
class CutBlocks:
    """Holds how many parts each block has. Parts are made one block at a time: a large job has a million of them."""

    counts: Mapping[int, int]

    def __len__(self) -> int:
        return len(self.counts)

    def __iter__(self) -> Iterator[list[Part]]:
        return ([Part(block, index, count) for index in range(count)] for block, count in self.counts.items())


def _cut_evenly(blocks: Mapping[int, int], takers: int, part_rows: int) -> dict[int, int]:
    """Return the number of parts of each block: a part is at most half of a taker's share of what is left."""
    counts, left = {}, sum(blocks.values())
    for block, rows in blocks.items():
        each = max(1, min(part_rows, left // (_LATE_SHARES * takers)))
        counts[block] = max(1, -(-rows // each))
        left -= rows
    return counts


def _cut_batches(blocks: Mapping[int, int], takers: int) -> dict[int, int]:
    """Return the number of parts of each block: one, but for those that are left after the last whole round.

    They are cut so that every taker gets at most one part. So the end of a pass never takes longer than whole blocks
    would, even where a batch takes the same time whatever its size.
    """
    late = list(blocks)[len(blocks) - len(blocks) % takers :]
    each = takers // len(late) if late else 1
    return dict.fromkeys(blocks, 1) | {block: max(1, min(each, blocks[block])) for block in late}


def plan_pools(order: WorkOrder) -> list[PoolPlan]:
    """Return the recipe's pools for the order's stages, without pools that have none of them."""
    plans = []
    for name, pool in full_pools(order.recipe).items():
        wanted = tuple(stage for stage in pool.stages if stage in order.stages)
        if wanted:
            plans.append(PoolPlan(name, pool, replace(order, stages=wanted)))
    return plans
