"""Runs in a worker: neighboring stages, with their engines, on one block after another."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from manifests.schema import Dialogue
from manifests.storage import Place
from pipeline.engines.registry import load_engine
from pipeline.job.libraries import check_libraries, library_versions
from pipeline.job.usage import Effort
from pipeline.recipe import Recipe
from pipeline.stages.contract import Context, EngineKey, Meter, run_stage
from pipeline.stages.registry import engines_of, find_stage
from pipeline.weights.cache import locate

ENGINE_LIVES = 3
"""Number of times that a block is tried, each time in a new worker, before a dying engine stops the job."""


@dataclass(frozen=True)
class WorkOrder:
    """Tells a worker everything it needs, also on another machine.

    `answers` is the store of language models' answers, `work` the directory with the results of `Stage.prepare`,
    `libraries` are those of the machine where the job began.
    """

    recipe: Recipe
    seed: int
    stages: tuple[str, ...]
    prompts: Mapping[str, str]
    answers: Place | None = None
    work: Place | None = None
    libraries: Mapping[str, str] = field(default_factory=library_versions)


def check_node(recipe: Recipe, libraries: Mapping[str, str]) -> None:
    """Raise EngineUnavailable unless this machine has the same libraries and model files as the one of the job."""
    check_libraries(libraries)
    for name, settings in recipe.models.items():
        if model := getattr(settings, "model", None):
            locate(model, getattr(settings, "engine", name))


class Worker:
    """Loads the engines of its stages once; raises EngineUnavailable if one cannot load.

    `run` raises EngineDied when an engine has died; the worker is useless then. Several blocks may be in flight at
    once if all engines support that.
    """

    def __init__(self, order: WorkOrder) -> None:
        check_libraries(order.libraries)
        recipe = order.recipe
        self._stages = [find_stage(name) for name in order.stages]
        engines: dict[EngineKey, Any] = {
            key: load_engine(*key, recipe.models, order.answers) for key in engines_of(recipe, order.stages)
        }
        resources = {resource.name: resource for stage in self._stages for resource in stage.resources(recipe)}
        self._context = Context(
            recipe=recipe,
            seed=order.seed,
            engines=engines,
            prompts=order.prompts,
            resources={name: resource.load(recipe, order.work) for name, resource in resources.items()},
        )

    def run(self, dialogues: Sequence[Dialogue]) -> tuple[list[Dialogue], Effort]:
        """Return the dialogues after all stages, and the cost."""
        context = replace(self._context, meter=Meter())
        seconds = {}
        result = list(dialogues)
        for stage in self._stages:
            started = time.perf_counter()
            result = run_stage(stage, result, context)
            seconds[stage.name] = time.perf_counter() - started
        return result, Effort(seconds, dict(context.meter.tokens))

    def close(self) -> None:
        """Release what the engines hold outside this process."""
        for engine in self._context.engines.values():
            if close := getattr(engine, "close", None):
                close()
