"""Finds stages by name."""

from collections.abc import Sequence

from manifests.errors import RecipeError
from pipeline.doors import Door
from pipeline.recipe import Recipe
from pipeline.stages.contract import EngineKey, Stage

STAGES = Door("parley.stages", Stage)


def find_stage(name: str) -> Stage:
    """Return the stage of that name; raises RecipeError if there is none."""
    if found := STAGES.named(name):
        return found[0]
    raise RecipeError(f"no stage {name!r}; there are: {', '.join(STAGES.names())}")


def is_stage(name: str) -> bool:
    return name in STAGES.names()


def engines_of(recipe: Recipe, stages: Sequence[str]) -> list[EngineKey]:
    """Return the engines that the stages use, each once."""
    return list(dict.fromkeys(key for name in stages for key in find_stage(name).engines(recipe)))
