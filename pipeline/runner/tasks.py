"""What a runner runs: units through pools of stages. Both runners do exactly these steps."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from manifests.schema import Dialogue
from manifests.storage import Place
from pipeline.recipe import Pool, Recipe
from pipeline.units import UnitReport, commit_unit, read_unit
from pipeline.worker import WorkOrder


@dataclass(frozen=True)
class UnitPass:
    """Units come from `source` and are committed to `target`. `only_live`: settled rows are left behind."""

    source: Place
    target: Place
    only_live: bool

    def load(self, unit: int) -> list[Dialogue]:
        dialogues = read_unit(self.source, unit)
        return [d for d in dialogues if d.status == "live"] if self.only_live else dialogues

    def commit(self, unit: int, dialogues: Sequence[Dialogue], seconds: Mapping[str, float]) -> UnitReport:
        return commit_unit(self.target, unit, dialogues, seconds)


@dataclass(frozen=True)
class PoolPlan:
    """A pool of the recipe, cut to the stages that this pass runs."""

    name: str
    pool: Pool
    order: WorkOrder


class Runner(Protocol):
    """`run` yields a report for each unit, in whatever order they finish."""

    def run(self, units: Sequence[int], unit_pass: UnitPass, plans: Sequence[PoolPlan]) -> Iterator[UnitReport]: ...

    def close(self) -> None: ...


def plan_pools(recipe: Recipe, seed: int, stages: Sequence[str], prompts: Mapping[str, str]) -> list[PoolPlan]:
    """The recipe's pools for these stages, in order; pools without any of them are left out."""
    plans = []
    for name, pool in recipe.pools.items():
        wanted = tuple(stage for stage in pool.stages if stage in stages)
        if wanted:
            plans.append(PoolPlan(name, pool, WorkOrder(recipe, seed, wanted, prompts)))
    return plans
