"""Accounts for GPU hours: what a job's servers and workers held, beside what it kept. Stored beside the rows.

Servers hold their GPUs (`serving.gpus`) as long as the job runs, busy or not: wall-clock time counts. Workers count
the time of their stages, times the GPUs of their pool. A run that was killed with -9 leaves no record of its time.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from time import monotonic
from typing import Any

from manifests.json_text import parse_json
from manifests.storage import Place
from pipeline.job.commits import read_reports
from pipeline.recipe import Recipe
from pipeline.recipes.pools import full_pools
from pipeline.settings import Server

GPU_TIME = "gpu-time.json"
_HOUR_S = 3600


@dataclass(frozen=True, slots=True)
class GpuTime:
    """Holds seconds: of the runs so far, of GPUs of servers, of GPUs of workers."""

    wall_s: float = 0.0
    server_s: float = 0.0
    worker_s: float = 0.0

    @property
    def hours(self) -> float:
        return (self.server_s + self.worker_s) / _HOUR_S

    def told(self, accepted_s: float) -> str:
        """Put it into words, beside the seconds of audio that were accepted."""
        parts = f"servers {self.server_s / _HOUR_S:.3f}, workers {self.worker_s / _HOUR_S:.3f}"
        each = f"; {self.hours / (accepted_s / _HOUR_S):.3f} for each accepted hour" if accepted_s else ""
        return f"{self.hours:.3f} ({parts}){each}"


def uses_gpus(recipe: Recipe) -> bool:
    """Tell whether a pool of the recipe claims GPUs, or a server of its models is said to have some."""
    return server_gpus(recipe) > 0 or any(pool.gpus for pool in recipe.pools.values())


def server_gpus(recipe: Recipe) -> float:
    """Return the GPUs of all servers; models behind the same address share theirs."""
    found: dict[str | None, float] = {}
    for model in recipe.models.values():
        serving = getattr(model, "serving", None)
        if isinstance(serving, Server):
            found[serving.base_url] = max(found.get(serving.base_url, 0.0), serving.gpus)
    return sum(found.values())


@contextmanager
def timed(recipe: Recipe, work: Place, passes: Sequence[Place]) -> Iterator[None]:
    """Add the time of the block to what earlier runs of the job took; nothing is written for a recipe without GPUs."""
    started = monotonic()
    try:
        yield
    finally:
        if uses_gpus(recipe):
            spent = monotonic() - started
            before = read_gpu_time(work) or GpuTime()
            now = GpuTime(
                round(before.wall_s + spent, 3),
                round(before.server_s + spent * server_gpus(recipe), 3),
                round(_worker_s(recipe, passes), 3),
            )
            (work / GPU_TIME).write_text(json.dumps(asdict(now)) + "\n")


def read_gpu_time(work: Place) -> GpuTime | None:
    """Read what `timed` wrote; None if there is nothing, or nothing that makes sense."""
    place = work / GPU_TIME
    try:
        found = parse_json(place.read_text()) if place.is_file() else None
        return GpuTime(*(_seconds(found, name) for name in ("wall_s", "server_s", "worker_s"))) if found else None
    except (ValueError, OSError, TypeError, KeyError):
        return None


def _seconds(found: Any, name: str) -> float:
    value = float(found[name])
    if not 0 <= value <= 1e12:
        raise ValueError(name)
    return value


def _worker_s(recipe: Recipe, passes: Sequence[Place]) -> float:
    gpus: Mapping[str, float] = {
        stage: pool.gpus for pool in full_pools(recipe).values() for stage in pool.stages if pool.gpus
    }
    if not gpus:
        return 0.0
    spent = [report.get("seconds", {}) for directory in passes for report in read_reports(directory)]
    return float(sum(gpus.get(stage, 0.0) * seconds for stages in spent for stage, seconds in stages.items()))
