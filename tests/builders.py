"""Small things that many tests need: dialogues, contexts, engines that misbehave on purpose."""

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from manifests.schema import Dialogue, Source, Turn
from pipeline.engines.contract import Engine
from pipeline.engines.registry import load_engine
from pipeline.recipe import Recipe
from pipeline.recipes.load import load_recipe
from pipeline.stages.cast import CASTING, open_casting
from pipeline.stages.contract import Context, EngineKey
from pipeline.stages.registry import engines_of


def make_dialogue(
    *exchanges: tuple[str, str],
    dialogue_id: str = "test-1",
    language: str = "en",
    spoken: bool = False,
    **changes: Any,
) -> Dialogue:
    """A live dialogue of (question, answer) pairs. `spoken`: its turns already carry the text to be spoken."""
    texts = [text for pair in exchanges or [("How are you?", "I am fine, thank you.")] for text in pair]
    turns = tuple(
        Turn(role="agent" if i % 2 else "user", original_text=text, text=text if spoken else None)
        for i, text in enumerate(texts)
    )
    dialogue = Dialogue(dialogue_id=dialogue_id, language=language, source=Source("test", "0"), turns=turns)
    return replace(dialogue, **changes)


def double(kind: str, name: str, module: str, factory: str) -> Engine:
    """The declaration of an engine that a test's module holds, imported when it is opened."""

    def version(model: Any = None) -> str:
        found = importlib.import_module(module)
        return str(found.version() if model is None else found.version(model))

    return Engine(
        kind,
        name,
        "a test's",
        open=lambda *given: getattr(importlib.import_module(module), factory)(*given),
        version=version,
    )


def tone_recipe(*overrides: str) -> Recipe:
    return load_recipe("tone-dry-run", overrides)


def make_context(
    recipe: Recipe | None = None,
    stages: Sequence[str] = (),
    engines: Mapping[EngineKey, Any] | None = None,
    seed: int = 0,
    **resources: Any,
) -> Context:
    """A context with the true engines of the stages, unless `engines` puts others in their place."""
    recipe = recipe or tone_recipe()
    loaded = {key: load_engine(*key) for key in engines_of(recipe, stages) if key not in (engines or {})}
    voices = {CASTING.name: open_casting(recipe)}
    return Context(recipe, seed, loaded | dict(engines or {}), {}, voices | resources)
