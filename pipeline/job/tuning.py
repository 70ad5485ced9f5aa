"""Proposes how many workers each pool should have, from where the time of a trial's workers went.

A pool's cost is the seconds of one of its workers for a row of the input. Rows flow through all pools at one rate, so
a pool needs as many workers as that rate times its cost. Cores and GPUs bound the rate; servers are taken to answer as
fast as they did. All of it assumes that twice the workers do twice the work, which is true of cores and only in part
of workers that share a GPU: a proposal is something to try, and to measure again.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pipeline.engines.registry import Models
from pipeline.job.profile import PoolTime
from pipeline.recipe import Pool, Recipe
from pipeline.recipes.pools import full_pools
from pipeline.settings import Server
from pipeline.stages.registry import engines_of

Kind = Literal["cpu", "gpu", "server"]

SLACK = 1.25
"""A pool gets this much more than its share, so that the slowest one is the one that must be."""
MOST_ON_A_GPU = 8
"""Processes on one GPU: 4 gave 1.9 times the speech of one, and a context of CUDA alone takes 0.5 GB."""
_MEMORY_TO_USE = 0.9
_NEAR = 0.2
"""A number of workers that is off by a smaller share is left as it is: no trial measures better than that."""


@dataclass(frozen=True)
class Machine:
    """Counts what there is to share. `is_shared`: on one machine pools may have more workers than cores."""

    cpus: float
    gpus: float = 0.0
    is_shared: bool = True


@dataclass(frozen=True)
class PoolCost:
    """One pool: its settings, its workers in a real run, and its cost.

    `row_s`: seconds of one worker's slot for a row of the input. `error`: the standard error of that, as a share of
    it, None where too few blocks were seen.
    """

    name: str
    pool: Pool
    kind: Kind
    workers: int
    row_s: float
    time: PoolTime
    error: float | None = None


@dataclass(frozen=True)
class Change:
    """Proposes settings, each as it follows `--set`, and says why."""

    settings: tuple[str, ...]
    reason: str


def pool_kind(recipe: Recipe, pool: Pool) -> Kind:
    """Tell what the workers of a pool use most: a GPU, a server elsewhere, or their cores."""
    if pool.gpus:
        return "gpu"
    models = [recipe.models.get(name) for _, name in engines_of(recipe, pool.stages)]
    return "server" if any(isinstance(getattr(model, "serving", None), Server) for model in models) else "cpu"


def propose(costs: Sequence[PoolCost], recipe: Recipe, machine: Machine) -> list[Change]:
    """Return what to change; empty where nothing would change much."""
    on_gpus = _share_gpus([cost for cost in costs if cost.kind == "gpu"], machine)
    counts = {cost.name: cost.workers for cost in costs} | {
        name: count * int(machine.gpus) for name, count in on_gpus.items()
    }
    with_gpus = [
        counts[cost.name] * _slots_of_a_worker(cost) / cost.row_s
        for cost in costs
        if cost.kind == "gpu" and cost.row_s
    ]
    rate = min([*with_gpus, *_rate_of_cores(costs, machine)], default=0.0)
    changes = _gpu_changes(costs, on_gpus, machine)
    for cost in costs:
        if cost.row_s and rate and cost.kind != "gpu":
            changes += _workers_changed(cost, rate, machine)
    changes += [change for cost in costs if cost.name == _slowest(costs) for change in _larger_batches(cost, recipe)]
    return changes if recipe.pools else _with_stages(changes, recipe)


def expected(costs: Sequence[PoolCost], changes: Sequence[Change], machine: Machine) -> float:
    """Return the rows a second of the pools after the changes, if twice the workers do twice the work."""
    said = dict(setting.split("=", 1) for change in changes for setting in change.settings)
    after = []
    for cost in costs:
        at = f"pools.{cost.name}."
        per_gpu = int(said.get(f"{at}per_gpu", 0))
        workers = float(per_gpu * int(machine.gpus) or int(said.get(f"{at}workers", cost.workers)))
        workers *= int(said.get(f"{at}blocks_in_flight", cost.pool.blocks_in_flight)) / cost.pool.blocks_in_flight
        after.append(workers * _slots_of_a_worker(cost) / cost.row_s if cost.row_s else math.inf)
    return min([*after, *_rate_of_cores(costs, machine)], default=0.0)


def measured_costs(
    recipe: Recipe, sizes: Mapping[str, int], times: Mapping[str, PoolTime], rows: int, errors: Mapping[str, float]
) -> list[PoolCost]:
    """Return the cost of each pool that worked: `times` of a trial with `rows` rows, `sizes` as in a real run."""
    return [
        PoolCost(name, pool, pool_kind(recipe, pool), sizes[name], times[name].busy_s / rows, times[name],
                 errors.get(name))
        for name, pool in full_pools(recipe).items()
        if name in times and rows
    ]  # fmt: skip


def _slots_of_a_worker(cost: PoolCost) -> float:
    return cost.time.slots / cost.time.workers if cost.time.workers and cost.time.slots else 1.0


def _rate_of_cores(costs: Sequence[PoolCost], machine: Machine) -> list[float]:
    """Return the rows a second that the cores allow; empty where no pool computes on them."""
    core_s = sum(cost.row_s * max(cost.pool.cpus, 0.1) for cost in costs if cost.kind == "cpu")
    return [machine.cpus / core_s] if core_s else []


def _slowest(costs: Sequence[PoolCost]) -> str | None:
    ranked = [(cost.row_s / (cost.workers * _slots_of_a_worker(cost)), cost.name) for cost in costs if cost.workers]
    return max(ranked, default=(0.0, None))[1]


def _share_gpus(costs: Sequence[PoolCost], machine: Machine) -> dict[str, int]:
    """Return the workers of each pool on one GPU, in the proportion of their costs.

    Pools whose worker takes whole GPUs stay as they are, and so do all of them if the GPUs are full already.
    """
    sharing = [cost for cost in costs if cost.pool.gpus < 1 and cost.row_s]
    uses = [cost.time.gpu for cost in sharing if cost.time.gpu]
    if len(sharing) < 2 or machine.gpus < 1 or any(use.is_full for use in uses):
        return {}
    now = sum(cost.workers for cost in sharing) / machine.gpus
    fullest = max((use.memory_share for use in uses), default=0.0)
    room = int(_MEMORY_TO_USE * now / fullest) if fullest else MOST_ON_A_GPU
    most = max(len(sharing), min(MOST_ON_A_GPU, room))
    least = min(cost.row_s for cost in sharing)
    wanted = {cost.name: max(1, round(cost.row_s / least)) for cost in sharing}
    while sum(wanted.values()) > most:
        costly = {cost.name: cost.row_s / (wanted[cost.name] - 1) for cost in sharing if wanted[cost.name] > 1}
        if not costly:
            break
        wanted[min(costly, key=lambda name: costly[name])] -= 1
    return wanted


def _gpu_changes(costs: Sequence[PoolCost], on_gpus: Mapping[str, int], machine: Machine) -> list[Change]:
    on_cards = [cost for cost in costs if cost.name in on_gpus]
    if all(cost.workers == on_gpus[cost.name] * int(machine.gpus) for cost in on_cards):
        return []
    share = math.floor(100 / sum(on_gpus.values())) / 100
    settings: list[str] = []
    for name, count in on_gpus.items():
        settings += [f"pools.{name}.workers=0", f"pools.{name}.per_gpu={count}", f"pools.{name}.gpus={share:g}"]
    spoken = ", ".join(f"{cost.name} {cost.row_s:.3g} s" for cost in on_cards)
    return [Change(tuple(settings), f"a row takes of a worker on the GPU: {spoken}")]


def _workers_changed(cost: PoolCost, rate: float, machine: Machine) -> list[Change]:
    """Propose the workers that a pool without GPU needs at the rate, or its blocks in flight where it has several."""
    needed = SLACK * rate * cost.row_s
    each = _slots_of_a_worker(cost)
    reason = f"a row takes {cost.row_s:.3g} s of {'an open request' if cost.kind == 'server' else 'a core'}"
    if cost.kind == "server" and cost.pool.blocks_in_flight > 1:
        blocks = max(1, math.ceil(needed / cost.workers / (each / cost.pool.blocks_in_flight)))
        if _is_near(blocks, cost.pool.blocks_in_flight):
            return []
        return [Change((f"pools.{cost.name}.blocks_in_flight={blocks}",), f"{reason}, and the others do {rate:.3g}/s")]
    workers = max(1, math.ceil(needed / each - 1e-9))
    if cost.kind == "cpu":
        workers = min(workers, max(1, int(machine.cpus / max(cost.pool.cpus, 0.1))))
    if _is_near(workers, cost.workers):
        return []
    return [Change((f"pools.{cost.name}.workers={workers}",), f"{reason}, and the machine does {rate:.3g} rows/s")]


def _is_near(new: int, old: int) -> bool:
    return abs(new - old) <= _NEAR * old


def _larger_batches(cost: PoolCost, recipe: Recipe) -> list[Change]:
    """Propose batches of twice the size where the slowest pool's GPU has been seen to have room."""
    gpu = cost.time.gpu
    if gpu is None or gpu.is_full or gpu.memory_share > _MEMORY_TO_USE / 2:
        return []
    return [
        Change((f"models.{name}.serving.batch_s={2 * size:g}",), f"{cost.name} is the slowest pool: {gpu.told()}")
        for name, size in _batches(recipe.models, [name for _, name in engines_of(recipe, cost.pool.stages)])
    ]


def _batches(models: Models, names: Sequence[str]) -> list[tuple[str, float]]:
    sizes = {name: getattr(getattr(models.get(name), "serving", None), "batch_s", None) for name in names}
    return [(name, size) for name, size in sizes.items() if size]


def _with_stages(changes: Sequence[Change], recipe: Recipe) -> list[Change]:
    """Name all pools with their stages, as `pools` must once it names one, before what changes in them."""
    if not changes:
        return []
    settings = tuple(f"pools.{name}.stages=[{', '.join(pool.stages)}]" for name, pool in full_pools(recipe).items())
    return [Change(settings, "the recipe names no pools: these are the ones that it has"), *changes]
