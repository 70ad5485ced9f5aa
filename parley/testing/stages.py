"""Live dialogues, and contexts to run stages in."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from manifests.schema import Dialogue, Hearing, Source, Take, Turn
from parley.testing.corpora import with_take as with_take
from pipeline.engines.registry import load_engine
from pipeline.recipe import Recipe
from pipeline.recipes.load import load_recipe
from pipeline.scoring.rates import score
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


def make_take(number: int = 1, voice_id: str = "tone-user-en-female-0", **known: Any) -> Take:
    """A take with a seed of its own and whatever else is known of it."""
    return Take(number, voice_id, **{"seed": number, "rate": 1.0} | known)


def make_hearing(hypothesis: str, text: str, language: str = "en", recognizer: str = "test") -> Hearing:
    """What transcribe makes of a recognizer's answer, but for the reason."""
    return Hearing(recognizer, hypothesis, score(text, hypothesis, language))


def take_of(turn: Turn) -> Take:
    """The take of a turn that has one."""
    assert turn.take is not None
    return turn.take


def recognizer_of(turn: Turn) -> str | None:
    """The recognizer whose hearing decides."""
    hearing = take_of(turn).hearing
    return hearing.recognizer if hearing else None


def tone_recipe(*overrides: str) -> Recipe:
    """Load the recipe that needs no model, no GPU and no system voice, with `key.path=value` overrides."""
    return load_recipe("tone-dry-run", overrides)


def make_context(
    recipe: Recipe | None = None,
    stages: Sequence[str] = (),
    engines: Mapping[EngineKey, Any] | None = None,
    seed: int = 0,
    **resources: Any,
) -> Context:
    """Make a context with the real engines of the stages, unless `engines` puts others in their place."""
    recipe = recipe or tone_recipe()
    loaded = {key: load_engine(*key) for key in engines_of(recipe, stages) if key not in (engines or {})}
    voices = {CASTING.name: open_casting(recipe)}
    return Context(recipe, seed, loaded | dict(engines or {}), {}, voices | resources)
