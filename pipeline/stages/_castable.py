"""Which synthesizer of a recipe speaks with which voice of its bank, and whether it can."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from manifests.errors import RecipeError
from pipeline.engines.registry import find_speaking
from pipeline.recipe import Recipe
from voicebank.bank import Bank
from voicebank.inputs import VoiceInputs, assigned, inputs_problem


def castable_bank(recipe: Recipe, synthesizers: Sequence[str], bank: Bank) -> Bank:
    """Return the bank with every voice given to one of the recipe's `synthesizers` where one can speak with it.

    A voice goes to the synthesizer that it names; one with a recording also to those that clone. `Voice.engine` then
    is that synthesizer's engine or, where two models use the same one, the model's name in the recipe. Raises
    RecipeError, in one sentence, for a voice that its own synthesizer cannot take: a clip in place of an embedding or
    the reverse, and embeddings of another width or length.
    """
    shared = _shared(recipe, synthesizers)
    if torn := [voice for voice in bank.voices if voice.engine in shared and not voice.is_recorded]:
        raise RecipeError(
            f"two models use the engine {torn[0].engine}, and voice {torn[0].voice_id} names only the engine: "
            "name one of them, or give the voices clips with `parley voicebank voice-prompts`"
        )
    own, cloning = synthesizer_inputs(recipe, synthesizers)
    for engine, takes in own.items():
        problem = inputs_problem([voice for voice in bank.voices if voice.engine == engine], takes) if takes else None
        if problem:
            raise RecipeError(f"the bank {bank.name} does not fit {engine}: {problem}")
    return replace(bank, voices=assigned(bank.voices, own, cloning))


def synthesizer_inputs(recipe: Recipe, synthesizers: Sequence[str]) -> tuple[dict[str, VoiceInputs | None], list[str]]:
    """Return what each synthesizer takes, by the name in `Voice.engine`, and the names of those that clone."""
    shared = _shared(recipe, synthesizers)
    engines = {name: recipe.engine_of(name) for name in synthesizers}
    own = {name if engine in shared else engine: _inputs(recipe, name) for name, engine in engines.items()}
    return own, [name for name, inputs in own.items() if inputs is not None and inputs.clips]


def _shared(recipe: Recipe, synthesizers: Sequence[str]) -> set[str]:
    """Return the engines that several models use."""
    return {engine for engine, times in Counter(map(recipe.engine_of, synthesizers)).items() if times > 1}


def _inputs(recipe: Recipe, name: str) -> VoiceInputs | None:
    """Return what a synthesizer says that it takes; None where it says nothing."""
    model, declared = recipe.models.get(name), find_speaking(name, recipe.models).voice_inputs
    if declared is None:
        return None
    return declared(model) if model is not None else declared()
