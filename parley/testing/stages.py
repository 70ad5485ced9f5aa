"""Live dialogues, and contexts to run stages in."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from manifests.schema import Dialogue, Source, Turn
from pipeline.engines.registry import load_engine
from pipeline.job.worker import engines_of, open_casting
from pipeline.recipe import Recipe, load_recipe
from pipeline.stages.contract import Context, EngineKey


def make_dialogue(
    *exchanges: tuple[str, str],
    dialogue_id: str = "test-1",
    language: str = "en",
    spoken: bool = False,
    **changes: Any,
) -> Dialogue:
    """Make a live dialogue of (question, answer) pairs.

    `spoken`: its turns already carry the text to be spoken. `changes` are fields of the dialogue.
    """
    texts = [text for pair in exchanges or [("How are you?", "I am fine, thank you.")] for text in pair]
    turns = tuple(
        Turn(role="agent" if i % 2 else "user", original_text=text, text=text if spoken else None)
        for i, text in enumerate(texts)
    )
    dialogue = Dialogue(dialogue_id=dialogue_id, language=language, source=Source("test", "0"), turns=turns)
    return replace(dialogue, **changes)


def tone_recipe(*overrides: str) -> Recipe:
    """Load the recipe that needs no model, no GPU and no system voice, with `key.path=value` overrides."""
    return load_recipe("tone-dry-run", overrides)


def make_context(
    recipe: Recipe | None = None,
    stages: Sequence[str] = (),
    engines: Mapping[EngineKey, Any] | None = None,
    seed: int = 0,
    **known: Any,
) -> Context:
    """Make a context with the real engines of the stages, unless `engines` puts others in their place."""
    recipe = recipe or tone_recipe()
    loaded = {key: load_engine(*key) for key in engines_of(recipe, stages) if key not in (engines or {})}
    return Context(recipe, seed, open_casting(recipe), loaded | dict(engines or {}), {}, **known)
