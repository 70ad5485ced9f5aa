"""Assigns a recipe's stages to pools of workers."""

from collections.abc import Iterator
from itertools import groupby

from pipeline.recipe import Pool, Recipe
from pipeline.stages.registry import find_stage, is_stage


def full_pools(recipe: Recipe) -> dict[str, Pool]:
    """Return the pools, with each stage of the recipe in one of them, in order.

    A stage that no pool names joins the pool of the stage before it. If the recipe names no pools, neighboring stages
    that declare the same pool share one.
    """
    full: dict[str, Pool] = {}
    for name, group in groupby(_pool_of_each(recipe), key=lambda pair: pair[0]):
        stages = tuple(stage for _, stage in group)
        claims = recipe.pools[name].model_dump() if recipe.pools else {}
        full[name if name not in full else f"{name}-{stages[0]}"] = Pool(**{**claims, "stages": stages})
    return full


def pool_problems(recipe: Recipe) -> list[str]:
    """Return what is wrong with the recipe's pools, if anything. Stages that the recipe does not run are ignored."""
    order = ", ".join(recipe.stages)
    problems = []
    for name, pool in recipe.pools.items():
        unknown = [stage for stage in pool.stages if stage not in recipe.stages]
        problems += [f"pools.{name}: {problem}" for stage in unknown if (problem := _unknown_stage(stage))]
        known = [stage for stage in pool.stages if stage in recipe.stages]
        if known != [stage for stage in recipe.stages if stage in known]:
            problems.append(f"pools.{name}: name its stages in the order of the recipe: {order}")
    runs = [name for name, _ in groupby(pool for pool, _ in _pool_of_each(recipe))]
    if recipe.pools:
        torn = sorted({name for name in runs if runs.count(name) > 1})
        problems += [f"pools.{name}: its stages are not neighbors; the order is {order}" for name in torn]
    for name, pool in full_pools(recipe).items():
        if pool.blocks_in_flight > 1 and any(find_stage(stage).treats_takes for stage in pool.stages):
            problems.append(f"pools.{name}: only stages that write text can have several blocks in flight")
    return problems


def _unknown_stage(name: str) -> str | None:
    """Say that a stage does not exist; None for one that exists and is switched off."""
    return None if is_stage(name) else f"there is no stage {name!r}"


def _pool_of_each(recipe: Recipe) -> Iterator[tuple[str, str]]:
    """Yield (pool, stage) for every stage in order."""
    if not recipe.pools:
        yield from ((find_stage(stage).pool, stage) for stage in recipe.stages)
        return
    named = {stage: name for name, pool in recipe.pools.items() for stage in pool.stages}
    current = next((named[stage] for stage in recipe.stages if stage in named), next(iter(recipe.pools)))
    for stage in recipe.stages:
        current = named.get(stage, current)
        yield current, stage
