"""Finds engines by kind and name, and opens them on request.

An engine is never replaced by another: the engine that a recipe names runs, or the job stops with a one-line error.
"""

from collections.abc import Mapping
from typing import Any

from manifests.errors import RecipeError
from manifests.storage import Place
from pipeline.doors import Door
from pipeline.engines.contract import KINDS, SPEAKING_KINDS, Engine
from pipeline.settings import Section

ENGINES = Door("parley.engines", Engine, KINDS)

Models = Mapping[str, Section]
"""The models of a recipe, by name. The setting `engine` of each names the engine that runs it."""


def load_engine(kind: str, name: str, models: Models | None = None, answers: Place | None = None) -> Any:
    """Load the engine of that name, or the engine of the recipe's model of that name.

    Raises RecipeError for an unknown name, and EngineUnavailable if it cannot load.
    """
    model = (models or {}).get(name)
    engine = find_engine(kind, name, models)
    if model is None:
        if engine.settings is not None:
            raise RecipeError(
                f"the engine {name} needs a model: define one in the recipe's `models`, and use its name instead"
            )
        return engine.open()
    _check_agreed(engine, name, model)
    return engine.open(model, answers) if engine.stores_answers else engine.open(model)


def load_verifier(name: str, models: Models | None = None) -> Any:
    """Load the speaker encoder of that name, for telling people apart; raises like `check_verifier`."""
    check_verifier(name, models)
    return load_engine("encoder", name, models)


def check_verifier(name: str, models: Models | None = None) -> None:
    """Raise RecipeError for an encoder that conditions a synthesizer: the length of its vectors means something."""
    if keeps_norm(name, models):
        raise RecipeError(
            f"the encoder {name} conditions a synthesizer and keeps the length of its vectors: it is for embeddings; "
            "name one that tells people apart, such as resemblyzer or wavlm"
        )


def keeps_norm(encoder: str, models: Models | None = None) -> bool:
    """Tell whether an encoder's embeddings are raw, of any length; raises RecipeError if there is no such encoder."""
    return find_engine("encoder", encoder, models).keeps_norm


def engine_version(kind: str, name: str, models: Models | None = None) -> str:
    """Return the version of the engine or of the recipe's model, without loading it. Raises like `load_engine`."""
    model = (models or {}).get(name)
    engine = find_engine(kind, name, models)
    if model is None:
        return engine.version()
    _check_agreed(engine, name, model)
    return engine.version(model)


def _check_agreed(engine: Engine, name: str, model: Section) -> None:
    """Raise RecipeError for a model that brings code of its own, unless the user has agreed that it runs."""
    if engine.runs_model_code and not getattr(getattr(model, "serving", None), "run_model_code", False):
        raise RecipeError(
            f"the engine {engine.name} runs code that comes with the model {name}: if you trust the model, say so "
            f"with --set models.{name}.serving.run_model_code=true"
        )


def find_engine(kind: str, name: str, models: Models | None = None) -> Engine:
    """Return the engine that a stage means by `name`; raises RecipeError if there is none of that kind."""
    model = (models or {}).get(name)
    wanted = engine_of(model) if model else name
    if found := ENGINES.named(wanted, kind):
        return found[0]
    if model:
        raise RecipeError(f"model {name} uses engine {wanted}, which is not a {kind} engine")
    known = ", ".join(engine.name for engine in ENGINES.all() if engine.kind == kind)
    raise RecipeError(f"no {kind} engine {name!r}; there are: {known}")


def find_speaking(name: str, models: Models | None = None) -> Engine:
    """Return the engine of that name that speaks, turns or whole dialogues; raises RecipeError if there is none."""
    wanted = engine_of(models[name]) if models and name in models else name
    kind = next((kind for kind in SPEAKING_KINDS if ENGINES.named(wanted, kind)), SPEAKING_KINDS[0])
    return find_engine(kind, name, models)


def engine_of(model: Section) -> str:
    """Return the name of the engine that runs the model."""
    return str(getattr(model, "engine", ""))


def is_engine(name: str) -> bool:
    """Tell whether an engine of any kind has that name."""
    return name in ENGINES.names()


def model_settings(name: str) -> type[Section] | None:
    """Return the settings class of models of the engine `name`; None if no engine of that name takes a model."""
    return next((engine.settings for engine in ENGINES.named(name) if engine.settings), None)
