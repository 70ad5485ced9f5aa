"""The engines that there are: found by kind and name, opened when asked for.

An engine is never swapped for another: what a recipe names is what runs, or the job stops with one line.
"""

from collections.abc import Mapping
from typing import Any

from manifests.errors import RecipeError
from manifests.storage import Place
from pipeline.doors import Door
from pipeline.engines.contract import KINDS, Engine
from pipeline.settings import Section

ENGINES = Door("parley.engines", Engine, KINDS)

Models = Mapping[str, Section]
"""The models of a recipe, by name. The settings of each say in `engine` which engine runs it."""


def load_engine(kind: str, name: str, models: Models | None = None, answers: Place | None = None) -> Any:
    """A ready engine: the one of that name, or one for a model of the recipe.

    Raises RecipeError for an unknown name, EngineUnavailable where it cannot load.
    """
    model = (models or {}).get(name)
    engine = find_engine(kind, name, models)
    if model is None:
        if engine.settings is not None:
            raise RecipeError(f"{name} is not an engine by itself: name a model of the recipe's `models`")
        return engine.open()
    return engine.open(model, answers) if engine.stores_answers else engine.open(model)


def engine_version(kind: str, name: str, models: Models | None = None) -> str:
    """Version of the engine, or of the recipe's model, without loading it. Raises like `load_engine`."""
    model = (models or {}).get(name)
    engine = find_engine(kind, name, models)
    return engine.version() if model is None else engine.version(model)


def find_engine(kind: str, name: str, models: Models | None = None) -> Engine:
    """The engine that a stage means by `name`. RecipeError where there is none of that kind."""
    model = (models or {}).get(name)
    wanted = engine_of(model) if model else name
    if found := ENGINES.named(wanted, kind):
        return found[0]
    if model:
        raise RecipeError(f"model {name} is of engine {wanted}, which is not a {kind} engine")
    known = ", ".join(engine.name for engine in ENGINES.all() if engine.kind == kind)
    raise RecipeError(f"no {kind} engine {name!r}; there are: {known}")


def engine_of(model: Section) -> str:
    """The name of the engine that runs the model."""
    return str(getattr(model, "engine", ""))


def is_engine(name: str) -> bool:
    """Whether an engine of any kind has that name."""
    return name in ENGINES.names()


def model_settings(name: str) -> type[Section] | None:
    """What a model of the engine `name` can be set to; None where no engine of that name takes a model."""
    return next((engine.settings for engine in ENGINES.named(name) if engine.settings), None)
