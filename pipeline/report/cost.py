"""Adds up what a corpus cost, from the commits of its job, where the corpus still has its `work` directory.

The manifest and the shards record no cost: the same input, recipe and seed give the same corpus on any machine.
"""

import re
from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, ValidationError

from manifests.errors import RecipeError
from manifests.storage import Place
from pipeline.job.commits import read_reports
from pipeline.job.directory import LOG, WORK
from pipeline.job.gpu_hours import read_gpu_time
from pipeline.job.gpu_use import GpuUse
from pipeline.job.profile import PoolTime, added, advice
from pipeline.stages.registry import find_stage

_PASS_LINE = '{"pools": '
_PASS = re.compile(r"before-[a-z-]+|take-[0-9]+")

Seconds = Annotated[float, Field(ge=0, le=1e12, allow_inf_nan=False)]


class _Tokens(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    requests: NonNegativeInt = 0
    reused: NonNegativeInt = 0
    prompt: NonNegativeInt = 0
    cached: NonNegativeInt = 0
    completion: NonNegativeInt = 0


class _GpuUse(BaseModel):
    model_config = ConfigDict(extra="forbid")
    looks: NonNegativeInt = 0
    busy: Seconds = 0
    power_w: Seconds = 0
    limit_w: Seconds = 0
    peak_bytes: NonNegativeInt = 0
    memory_bytes: NonNegativeInt = 0


class _PoolTime(BaseModel):
    model_config = ConfigDict(extra="forbid")
    workers: NonNegativeInt
    busy_s: Seconds
    starved_s: Seconds
    held_s: Seconds
    opening_s: Seconds
    wall_s: Seconds = 0
    rows: NonNegativeInt = 0
    audio_s: Seconds = 0
    gpu: _GpuUse | None = None


class _Profile(BaseModel):
    """The line of a pass in the log of a job."""

    pools: dict[str, _PoolTime]


class _Spent(BaseModel):
    """What the commit of a block says of its cost; a job directory too may come from a stranger."""

    seconds: dict[str, Seconds]
    tokens: dict[str, _Tokens] = {}


def read_cost(corpus: Place) -> dict[str, Any] | None:
    """Return the cost of the whole job, or None where the corpus does not record it.

    `stages`: the seconds of workers by stage, with the pool that the stage joins by default, most first. `tokens`:
    requests and tokens by the model's name in the recipe. `blocks`: commits that were read; `unread`: those that
    could not be. `gpu_hours`: of servers and of workers, or None where the job recorded none. `pools`: where the time
    of each pool's workers went, and `advice`: which of them the others waited for.
    """
    seconds: dict[str, float] = {}
    tokens: dict[str, dict[str, int]] = {}
    blocks = unread = 0
    for report in _reports(corpus / WORK):
        try:
            spent = _Spent.model_validate(report)
        except ValidationError:
            unread += 1
            continue
        blocks += 1
        for stage, value in spent.seconds.items():
            seconds[stage] = seconds.get(stage, 0.0) + value
        for model, used in spent.tokens.items():
            sums = tokens.setdefault(model, {})
            for name, number in used.model_dump().items():
                sums[name] = sums.get(name, 0) + number
    if not blocks:
        return None
    stages = [
        {"stage": stage, "pool": _pool(stage), "seconds": round(value, 2)}
        for stage, value in sorted(seconds.items(), key=lambda item: (-item[1], item[0]))
    ]
    models = [{"model": model, **sums} for model, sums in sorted(tokens.items())]
    times = read_times(corpus / WORK)
    return {
        "stages": stages,
        "tokens": models,
        "blocks": blocks,
        "unread": unread,
        "gpu_hours": _gpu_hours(corpus),
        "pools": [_pool_line(name, spent) for name, spent in times.items() if spent.whole_s],
        "advice": advice(times),
    }


def read_times(work: Place) -> dict[str, PoolTime]:
    """Add up where the time of the pools' workers went, from the log of the job; lines that make no sense are skipped.

    A job on an object store has no log.
    """
    log = work / LOG
    if LOG in work.links() or not log.is_file():
        return {}
    passes = []
    for line in log.read_text().splitlines():
        if not line.startswith(_PASS_LINE):
            continue
        try:
            found = _Profile.model_validate_json(line)
        except ValidationError:
            continue
        passes.append({name: _pool_time(spent) for name, spent in found.pools.items()})
    return added(passes)


def _pool_time(spent: _PoolTime) -> PoolTime:
    gpu = GpuUse(**spent.gpu.model_dump()) if spent.gpu else None
    return PoolTime(**{**spent.model_dump(), "gpu": gpu})


def _pool_line(name: str, spent: PoolTime) -> dict[str, Any]:
    shares = {key: round(spent.share(getattr(spent, f"{key}_s")), 4) for key in ("busy", "starved", "held", "opening")}
    gpu = spent.gpu.told() if spent.gpu else None
    return {"pool": name, "workers": spent.workers, **shares, "speed": round(spent.speed, 3), "gpu": gpu}


def _gpu_hours(corpus: Place) -> dict[str, float] | None:
    spent = read_gpu_time(corpus / WORK)
    return {"servers": spent.server_s / 3600, "workers": spent.worker_s / 3600} if spent else None


def _reports(work: Place) -> Iterator[dict[str, Any]]:
    """Yield the reports in all commits of the job's passes; links are not followed."""
    links = work.links()
    for directory in work.list():
        if _PASS.fullmatch(directory.name) and directory.name not in links and not directory.links():
            yield from read_reports(directory)


def _pool(stage: str) -> str | None:
    try:
        return find_stage(stage).pool
    except RecipeError:
        return None
