"""What runs in a worker: some neighbouring stages, with their engines, on one unit after another."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from manifests.errors import EngineDied
from manifests.schema import Dialogue
from pipeline.engines.table import load_engine
from pipeline.recipe import Recipe
from pipeline.stage import Context, EngineKey, Stage, run_stage
from pipeline.stages import STAGE_TABLE
from voicebank.bank import load_bank
from voicebank.cast import Casting

ENGINE_LIVES = 3
"""How often a unit is tried, each time on fresh engines, before a dying engine stops the job."""


@dataclass(frozen=True)
class WorkOrder:
    """All that a worker needs to know; it travels to other machines."""

    recipe: Recipe
    seed: int
    stages: tuple[str, ...]
    prompts: Mapping[str, str]


class Worker:
    """Loads the engines of its stages once. Raises EngineUnavailable where one cannot load."""

    def __init__(self, order: WorkOrder) -> None:
        self._order = order
        self._stages = [STAGE_TABLE[name] for name in order.stages]
        self._casting = Casting(load_bank(order.recipe.cast.bank), order.recipe.tts.engine)
        self._context = self._load()

    def run(self, dialogues: Sequence[Dialogue]) -> tuple[list[Dialogue], dict[str, float]]:
        """The dialogues after all stages, and the seconds that each stage took."""
        seconds = {}
        result = list(dialogues)
        for stage in self._stages:
            started = time.perf_counter()
            result = self._run_stage(stage, result)
            seconds[stage.name] = time.perf_counter() - started
        return result, seconds

    def _run_stage(self, stage: Stage, dialogues: list[Dialogue]) -> list[Dialogue]:
        for _ in range(ENGINE_LIVES - 1):
            try:
                return run_stage(stage, dialogues, self._context)
            except EngineDied:
                self._context = self._load()
        return run_stage(stage, dialogues, self._context)

    def _load(self) -> Context:
        order = self._order
        engines: dict[EngineKey, Any] = {key: load_engine(*key) for key in engines_of(order.recipe, order.stages)}
        return Context(order.recipe, order.seed, self._casting, engines, order.prompts)


def engines_of(recipe: Recipe, stages: Sequence[str]) -> list[EngineKey]:
    """The engines that the stages use, each once."""
    return list(dict.fromkeys(key for name in stages for key in STAGE_TABLE[name].engines(recipe)))
