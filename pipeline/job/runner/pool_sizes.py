"""Decides how many workers each pool of a pass gets."""

from collections.abc import Mapping, Sequence

from pipeline.job.runner.tasks import PoolClaims

FREE_CPUS = 1.0
"""CPUs of a cluster that stay free for other tasks."""


def pool_sizes(pools: Sequence[PoolClaims], resources: Mapping[str, float], shared: bool) -> list[int]:
    """Return the workers of each pool: the recipe's number, in all or for each GPU, else as many as the shared GPUs
    allow, or one per core.

    On one machine (`shared`) every pool may have all cores, since pools wait for one another. On a cluster the claims
    must fit side by side, and one CPU must stay free for other work.
    """
    cpus, gpus = resources.get("CPU", 1.0), resources.get("GPU", 0.0)
    told = [pool.workers or int(pool.per_gpu * gpus) for pool in pools]
    spare_gpus = gpus - sum(pool.gpus * size for pool, size in zip(pools, told, strict=True))
    open_gpus = sum(pool.gpus for pool, size in zip(pools, told, strict=True) if not size)
    on_gpus = int(spare_gpus / open_gpus + 1e-6) if open_gpus else 0  # 2 - 6 * 0.2 is a little less than 0.8
    sizes = [size or (on_gpus if pool.gpus else 0) for pool, size in zip(pools, told, strict=True)]
    open_cpus = sum(pool.cpus for pool, size in zip(pools, sizes, strict=True) if not size and not pool.gpus)
    spare = cpus - 1 - sum(pool.cpus * size for pool, size in zip(pools, sizes, strict=True))
    filling = int(cpus) if shared or not open_cpus else int(spare / open_cpus)
    return [size or (1 if pool.gpus else max(1, filling)) for pool, size in zip(pools, sizes, strict=True)]


def fitting_sizes(pools: Sequence[PoolClaims], sizes: Sequence[int], resources: Mapping[str, float]) -> list[int]:
    """Return `sizes`, less as many workers as do not fit on the cluster, one after another from the largest pool.

    A pool keeps at least one, so the sizes may still not fit.
    """
    fitting = list(sizes)
    for kind, free in (("GPU", 0.0), ("CPU", FREE_CPUS)):
        claims = [pool.gpus if kind == "GPU" else pool.cpus for pool in pools]
        while sum(claim * size for claim, size in zip(claims, fitting, strict=True)) + free > resources.get(kind, 0.0):
            spare = [at for at, claim in enumerate(claims) if claim and fitting[at] > 1]
            if not spare:
                break
            fitting[max(spare, key=fitting.__getitem__)] -= 1
    return fitting


def told_sizes(
    names: Sequence[str], before: Sequence[int], after: Sequence[int], resources: Mapping[str, float]
) -> str:
    """Say which pools have fewer workers than before."""
    has = f"{resources.get('CPU', 0.0):g} CPUs and {resources.get('GPU', 0.0):g} GPUs"
    fewer = [
        f"{name} {now} in place of {then}" for name, then, now in zip(names, before, after, strict=True) if now < then
    ]
    return f"the cluster has {has} left, so pools get fewer workers: {', '.join(fewer)}"
