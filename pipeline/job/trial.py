"""Runs the first rows of a job where nothing is kept, to see where its workers' time goes."""

import secrets
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from statistics import fmean, stdev
from typing import Any

from manifests.errors import UserError
from manifests.storage import Place, open_place
from pipeline.job.job import Job
from pipeline.job.listener import Listener, Profiled
from pipeline.job.profile import PoolTime, added
from pipeline.job.run import run_job
from pipeline.job.runner.pool_sizes import pool_sizes
from pipeline.job.runner.ray import RayRunner
from pipeline.job.tuning import Machine, PoolCost, measured_costs, pool_kind
from pipeline.recipe import Recipe
from pipeline.recipes.pools import full_pools
from pipeline.scratch import scratch_directory

_PREFIX = "parley-tune-"
_LEAST_BLOCKS = 4
"""Fewer blocks say nothing of how much they differ."""


@dataclass(frozen=True)
class Trial:
    """Holds what a trial measured: the cost of each pool, the rows and their audio, and the seconds of its passes.

    `is_crowded`: the pools' workers had to wait for cores.
    """

    costs: Sequence[PoolCost]
    machine: Machine
    rows: int
    audio_s: float
    seconds: float
    is_crowded: bool

    @property
    def rate(self) -> float:
        """Rows a second, without the time in which the engines were loaded."""
        return self.rows / self.seconds if self.seconds else 0.0


@contextmanager
def scratch_for(runner_address: str | None, directory: str | None) -> Iterator[Place]:
    """Make a place for trials, removed at the end: in `directory`, or on this machine.

    Raises UserError where a cluster's nodes could not see it.
    """
    if directory is None and runner_address is not None:
        raise UserError(
            "the nodes of a cluster must see the trial's files: name a directory that they share, --scratch"
        )
    if directory is None:
        with scratch_directory(_PREFIX) as path:
            yield open_place(str(path))
        return
    place = open_place(directory) / f"{_PREFIX}{secrets.token_hex(8)}"
    try:
        yield place
    finally:
        place.delete()


def run_trial(job: Job, runner: RayRunner, scratch: Place, listener: Listener) -> Trial:
    """Run the job in `scratch`, and measure what each pool costs."""
    there = runner.resources()
    machine = Machine(there.get("CPU", 1.0), there.get("GPU", 0.0), runner.has_workers_here)
    pools = full_pools(job.recipe)
    sizes = dict(zip(pools, pool_sizes(list(pools.values()), there, machine.is_shared), strict=True))
    recipe = _uncrowded(job.recipe, sizes, machine)
    watch = _Watch(listener)
    manifest = run_job(replace(job, recipe=recipe), scratch, runner, watch.listener())
    times, rows = added(watch.passes), manifest.counts.input_rows
    costs = measured_costs(job.recipe, sizes, times, rows, watch.errors(job.recipe))
    seconds = sum(_worked_s(one) for one in watch.passes)
    audio_s = sum(manifest.counts.audio_s(status) for status in manifest.counts.rows)
    busiest = sum(time.workers for name, time in times.items() if pool_kind(job.recipe, pools[name]) == "cpu")
    return Trial(costs, machine, rows, audio_s, seconds, machine.is_shared and busiest > machine.cpus)


def _uncrowded(recipe: Recipe, sizes: Mapping[str, int], machine: Machine) -> Recipe:
    """Share the cores among the pools whose number of workers is open: else each of them would take them all."""
    full = full_pools(recipe)
    open_pools = [name for name, pool in full.items() if pool_kind(recipe, pool) == "cpu" and not pool.workers]
    if not machine.is_shared or not open_pools:
        return recipe
    told = sum(full[name].workers for name in full if pool_kind(recipe, full[name]) == "cpu")
    share = max(1, int((machine.cpus - told) / len(open_pools)))
    pools = {
        name: pool.model_copy(update={"workers": min(share, sizes[name])}) if name in open_pools else pool
        for name, pool in full.items()
    }
    return recipe.model_copy(update={"pools": pools})


def _worked_s(times: Mapping[str, PoolTime]) -> float:
    """Return the seconds of a pass, less those in which its slowest pool was loading."""
    return max((time.wall_s - time.opening_s / max(time.slots, 1.0) for time in times.values()), default=0.0)


@dataclass
class _Watch:
    """Keeps the profile of each pass, and the seconds of each block's rows by stage."""

    inner: Listener
    passes: list[Mapping[str, PoolTime]] = field(default_factory=list)
    blocks: dict[int, dict[str, float]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(float)))
    rows: dict[int, int] = field(default_factory=dict)

    def listener(self) -> Listener:
        listener = Profiled(self.inner, self.passes.append)
        tell = listener.finished

        def finished(report: Any) -> None:
            self.rows[report.block] = max(report.rows, self.rows.get(report.block, 0))
            for stage, seconds in report.seconds.items():
                self.blocks[report.block][stage] += seconds
            tell(report)

        listener.finished = finished  # type: ignore[method-assign]
        return listener

    def errors(self, recipe: Recipe) -> dict[str, float]:
        """Return the standard error of each pool's seconds for a row, as a share of them, over the blocks."""
        if len(self.blocks) < _LEAST_BLOCKS:
            return {}
        found = {}
        for name, pool in full_pools(recipe).items():
            each = [sum(self.blocks[b].get(s, 0.0) for s in pool.stages) / self.rows[b] for b in self.blocks]
            if mean := fmean(each):
                found[name] = stdev(each) / len(each) ** 0.5 / mean
        return found
