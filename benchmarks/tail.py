"""How long the last tenth of a pass takes: all workers should have work to its end.

    python benchmarks/tail.py [--workers 2 4 8] [--rows 256]

Engines that sleep, in two pools of Ray actors: one speaks for some time a row (log-normal, as texts and speech are),
the other hears in a quarter of that. The same rows once in parts as Parley cuts them, where late ones are smaller, and
once in parts of one size; a pass of late retakes, with few rows in each block, besides. "last tenth" is the time from
nine tenths of the rows to the last one, over a tenth of the whole, from the first part's start (coarse where a part
holds more than a tenth of the rows); "over even" is the whole over the time of all speaking, spread over the workers
without a rest. 1.0 is even work in both.
Sleeping costs no cores, so a busy machine disturbs the figures little.
"""

import argparse
import math
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.job.listener import Listener, Measure, Moved, Part
from pipeline.job.runner import ray as ray_runner
from pipeline.job.runner.tasks import PART_ROWS, CutBlocks, WorkerPlan, cut_blocks
from pipeline.job.usage import Effort

BLOCK_ROWS = 16
SPEAK_S, HEAR_S = 0.2, 0.05
SPREAD = 0.6
"""Standard deviation of the logarithm of a row's seconds."""
BATCH_SHARE = 0.5
"""Of an engine that takes batches: the share of a whole block's time that any batch takes, however small."""


@dataclass(frozen=True)
class Claims:
    workers: int
    cpus: float = 0.1
    gpus: float = 0.0


@dataclass(frozen=True)
class Rows:
    """Block b holds rows b * 1000, b * 1000 + 1, ... `sizes` says how many."""

    sizes: tuple[tuple[int, int], ...]
    part_rows: int = PART_ROWS

    def load(self, block: int) -> range:
        return range(block * 1000, block * 1000 + dict(self.sizes)[block])

    def cut(self, whole: range, part: Part) -> list[int]:
        return part.cut(whole)

    def measure(self, content: Sequence[int]) -> Measure:
        return Measure(len(content))

    def pack(self, content: Sequence[int]) -> Sequence[int]:
        return content

    def unpack(self, packed: Sequence[int]) -> Sequence[int]:
        return packed

    def commit(self, block: int, contents: Sequence[Sequence[int]], effort: Effort) -> int:
        return block


@dataclass(frozen=True)
class Sleeping:
    """A pool whose workers sleep `mean_s` a row on the average."""

    name: str
    mean_s: float
    claims: Claims
    takes_batches: bool
    blocks_in_flight: int = 1
    keeps_blocks_whole: bool = False

    def open(self) -> "Sleeper":
        return Sleeper(self)


class Sleeper:
    def __init__(self, plan: Sleeping) -> None:
        self._plan = plan

    def run(self, rows: Sequence[int]) -> tuple[Sequence[int], Effort]:
        seconds = sum(row_s(self._plan.name, self._plan.mean_s, row) for row in rows)
        if self._plan.takes_batches:
            fixed = BATCH_SHARE * BLOCK_ROWS * self._plan.mean_s
            seconds = fixed + (1 - BATCH_SHARE) * seconds
        time.sleep(seconds)
        return rows, Effort()

    def close(self) -> None:
        pass


class Leaving(Listener):
    """Notes when rows leave the last pool."""

    def __init__(self) -> None:
        self.began: float | None = None
        self.left: list[float] = []

    def moved(self, event: Moved) -> None:
        self.began = self.began or time.monotonic()
        if event.pool is None:
            self.left += [time.monotonic()] * event.measure.rows

    @property
    def whole_s(self) -> float:
        return self.left[-1] - (self.began or 0.0)

    @property
    def last_tenth(self) -> float:
        """Time of the last tenth of the rows over a tenth of the whole."""
        before = self.left[-max(1, len(self.left) // 10) - 1]
        return (self.left[-1] - before) / (self.whole_s / 10)


def even_s(sizes: Mapping[int, int], workers: int) -> float:
    """Seconds of all speaking in whole blocks, spread over the workers; engines for rows and for batches take the same
    on the average."""
    rows = [row for block in sizes for row in Rows(tuple(sizes.items())).load(block)]
    return sum(row_s("speak", SPEAK_S, row) for row in rows) / workers


def row_s(pool: str, mean_s: float, row: int) -> float:
    return random.Random(f"{pool} {row}").lognormvariate(0, SPREAD) / math.exp(SPREAD**2 / 2) * mean_s


def cut_evenly(
    blocks: Mapping[int, int], part_rows: int, pools: Sequence[WorkerPlan], sizes: Sequence[int], slots: Sequence[int]
) -> CutBlocks:
    """Cut as `cut_blocks` would without looking at how much is left."""
    each = max(blocks.values()) if any(plan.takes_batches for plan in pools) else part_rows
    return CutBlocks({block: max(1, -(-rows // each)) for block, rows in blocks.items()})


def run(runner: ray_runner.RayRunner, sizes: Mapping[int, int], workers: int, is_batched: bool, cut: Any) -> Leaving:
    pools = [
        Sleeping("speak", SPEAK_S, Claims(workers), is_batched),
        Sleeping("hear", HEAR_S, Claims(max(1, workers // 2)), is_batched),
    ]
    leaving = Leaving()
    ray_runner.cut_blocks = cut  # type: ignore[attr-defined]
    for _ in runner.run(sizes, Rows(tuple(sizes.items())), pools, leaving):
        pass
    return leaving


def open_all(runner: ray_runner.RayRunner, workers: int, is_batched: bool) -> None:
    """Have all workers loaded before the passes that are measured, which keep them."""
    import ray

    run(runner, dict.fromkeys(range(2 * workers), 1), workers, is_batched, cut_evenly)
    ray.get([actor.opening for pool in runner._pools for actor in pool.actors])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, nargs="+", default=[2, 4, 8])
    parser.add_argument("--rows", type=int, default=512)
    arguments = parser.parse_args()
    draw = random.Random(3)
    first = dict.fromkeys(range(arguments.rows // BLOCK_ROWS), BLOCK_ROWS)
    retakes = {block: draw.randint(1, 5) for block in first}
    print("workers  engines take  pass     last tenth  without  over even  without")
    for workers in arguments.workers:
        for is_batched in (False, True):
            runner = ray_runner.RayRunner()
            try:
                open_all(runner, workers, is_batched)
                for name, sizes in (("first", first), ("retakes", retakes)):
                    late = run(runner, sizes, workers, is_batched, cut_blocks)
                    even = run(runner, sizes, workers, is_batched, cut_evenly)
                    least_s = even_s(sizes, workers)
                    print(
                        f"{workers:7}  {'batches' if is_batched else 'rows':12}  {name:7}  {late.last_tenth:10.2f}  "
                        f"{even.last_tenth:7.2f}  {late.whole_s / least_s:9.2f}  {even.whole_s / least_s:7.2f}",
                        flush=True,
                    )
            finally:
                runner.close()


if __name__ == "__main__":
    main()
