"""What runs in a worker: some neighboring stages, with their engines, on one block after another."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from manifests.errors import RecipeError
from manifests.schema import Dialogue
from manifests.storage import Place
from pipeline.dedup import load_index
from pipeline.engines.registry import load_engine
from pipeline.job.usage import Effort
from pipeline.recipe import Recipe, public_bank
from pipeline.stages._reference_embeddings import load_reference_embeddings
from pipeline.stages.contract import Context, EngineKey, Meter, run_stage
from pipeline.stages.registry import STAGE_TABLE
from voicebank.bank import Bank, load_bank
from voicebank.cast import Casting

ENGINE_LIVES = 3
"""How often a block is tried, each time in a fresh worker, before a dying engine stops the job."""

_NOBODY = Casting(Bank("none", "", ()), ())


@dataclass(frozen=True)
class WorkOrder:
    """All that a worker needs to know; it travels to other machines.

    `answers` is where language models' answers are stored, `duplicates` the index of near-duplicates, where there is
    one.
    """

    recipe: Recipe
    seed: int
    stages: tuple[str, ...]
    prompts: Mapping[str, str]
    answers: Place | None = None
    duplicates: Place | None = None


class Worker:
    """Loads the engines of its stages once. Raises EngineUnavailable where one cannot load.

    `run` raises EngineDied when an engine is gone; the worker is of no use then. Several blocks may be in work at once
    if all engines bear that.
    """

    def __init__(self, order: WorkOrder) -> None:
        recipe = order.recipe
        self._stages = [STAGE_TABLE[name] for name in order.stages]
        engines: dict[EngineKey, Any] = {
            key: load_engine(*key, recipe.models, order.answers) for key in engines_of(recipe, order.stages)
        }
        self._context = Context(
            recipe=recipe,
            seed=order.seed,
            casting=open_casting(recipe) if any(stage.voices for stage in self._stages) else _NOBODY,
            engines=engines,
            prompts=order.prompts,
            duplicates=load_index(order.duplicates) if order.duplicates and "dedup" in order.stages else {},
            reference_embeddings=load_reference_embeddings(recipe) if "assess" in order.stages else {},
        )

    def run(self, dialogues: Sequence[Dialogue]) -> tuple[list[Dialogue], Effort]:
        """The dialogues after all stages, and what that took."""
        context = replace(self._context, meter=Meter())
        seconds = {}
        result = list(dialogues)
        for stage in self._stages:
            started = time.perf_counter()
            result = run_stage(stage, result, context)
            seconds[stage.name] = time.perf_counter() - started
        return result, Effort(seconds, dict(context.meter.tokens))

    def close(self) -> None:
        """Let go of what engines hold outside this process."""
        for engine in self._context.engines.values():
            if close := getattr(engine, "close", None):
                close()


def open_casting(recipe: Recipe) -> Casting:
    """The recipe's voices, as far as its engines can speak with them. RecipeError where that is none."""
    engines = [recipe.engine_of(name) for name in recipe.tts.engine]
    bank = load_bank(recipe.cast.bank)
    if not bank.select(engines=engines):
        shown = public_bank(recipe.cast.bank)
        raise RecipeError(f"the bank {shown} has no voice for {', '.join(engines)}; name one that has: cast.bank=DIR")
    return Casting(bank, engines, recipe.cast.agents)


def engines_of(recipe: Recipe, stages: Sequence[str]) -> list[EngineKey]:
    """The engines that the stages use, each once."""
    return list(dict.fromkeys(key for name in stages for key in STAGE_TABLE[name].engines(recipe)))
