"""synthesize: speaks every turn without a take with the voice of its role; the background has one of its own.

A failed take has a `reason` and no audio; the later stages leave it alone until gate decides.
"""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from pydantic import Field

from manifests.changes import replace
from manifests.reasons import Reason
from manifests.schema import Dialogue, Take, Turn
from pipeline.audio.samples import encode
from pipeline.engines.contract import SPEAKING_KINDS, Clip, Failure, SpeechRequest, SpeechSynthesizer
from pipeline.recipe import Recipe
from pipeline.settings import EngineList, Section, Server
from pipeline.stages._again import is_arranged, is_left_out
from pipeline.stages._takes import TurnPosition, put_takes
from pipeline.stages.align import tells_times
from pipeline.stages.cast import CASTING
from pipeline.stages.contract import Context, EngineKey, Stage, attempt_of
from pipeline.stages.gate import GateSettings, Rung, gate_of
from pipeline.stages.registry import engines_of


class SynthesizeSettings(Section):
    engine: EngineList = Field(
        description="speech engines, or models that use them; a voice is cast if its engine is among them, or if it "
        "has a clip and one of them clones"
    )


def synthesize(dialogues: Sequence[Dialogue], context: Context) -> list[Dialogue]:
    places = [
        TurnPosition(i, j)
        for i, dialogue in enumerate(dialogues)
        for j, turn in enumerate(dialogue.turns)
        if needs_speech(turn, dialogue, context.recipe)
    ]
    requests = [_request(dialogues[place.dialogue_index], place, context) for place in places]
    results = _speak(requests, context)
    takes = [
        _take(attempt_of(dialogues[place.dialogue_index]), request, result)
        for place, request, result in zip(places, requests, results, strict=True)
    ]
    return put_takes(dialogues, places, takes)


def needs_speech(turn: Turn, dialogue: Dialogue, recipe: Recipe) -> bool:
    """Tell whether the turn was never spoken, or gate gave up its take and wants another."""
    has_rungs = attempt_of(dialogue) <= gate_of(recipe).takes
    return turn.take is None and not (is_arranged(recipe) and is_left_out(turn, has_rungs))


def _request(dialogue: Dialogue, place: TurnPosition, context: Context) -> SpeechRequest:
    turn = dialogue.turns[place.turn_index]
    attempt = attempt_of(dialogue)
    ladder = _ladder(context.recipe)
    return SpeechRequest(
        text=turn.whole_text or "",
        language=dialogue.language,
        voice=context.resource(CASTING)[dialogue.voice_of(turn) or ""],
        rate=ladder[attempt - 2].rate if attempt > 1 else 1.0,
        seed=context.seed_for("synthesize", dialogue, place.turn_index, attempt),
        word_times=tells_times(context.recipe),
        style=turn.style,
    )


def _speak(requests: Sequence[SpeechRequest], context: Context) -> list[Clip | Failure]:
    by_engine: dict[str, list[int]] = defaultdict(list)
    for index, request in enumerate(requests):
        by_engine[request.voice.engine].append(index)
    results: dict[int, Clip | Failure] = {}
    for name, indices in by_engine.items():
        engine: SpeechSynthesizer = context.engines["tts", speaks_with(context.recipe, name)]
        clips = engine.synthesize([requests[index] for index in indices])
        results.update(zip(indices, clips, strict=True))
    return [results[index] for index in range(len(requests))]


def _take(number: int, request: SpeechRequest, result: Clip | Failure) -> Take:
    take = Take(number, request.voice.voice_id, request.seed, request.rate)
    if isinstance(result, Failure):
        return replace(take, reason=result.reason.value)
    if not is_sound(result):
        return replace(take, reason=Reason.SYNTHESIS_FAILED.value)
    return replace(take, audio=encode(result.samples, result.sample_rate, "wav"), word_times=result.word_times)


def is_sound(clip: Clip) -> bool:
    """Tell whether the clip is usable: neural synthesizers can give NaN or no samples without raising an error."""
    return bool(clip.samples.size and np.isfinite(clip.samples).all() and np.any(clip.samples))


def _engines(recipe: Recipe) -> tuple[EngineKey, ...]:
    return tuple(("tts", name) for name in recipe.section(SynthesizeSettings).engine)


def speaks_with(recipe: Recipe, engine: str) -> str:
    """Return the recipe's name for a voice's engine, or for a model that is named itself; raises KeyError if the
    recipe does not use it."""
    names = recipe.section(SynthesizeSettings).engine
    return {**{recipe.engine_of(name): name for name in names}, **{name: name for name in names}}[engine]


def _check_recipe(recipe: Recipe) -> None:
    names = recipe.section(SynthesizeSettings).engine
    if twice := [name for name in names if names.count(name) > 1]:
        raise ValueError(f"synthesize.engine: {twice[0]} stands there twice")


def speaks_through_servers(recipe: Recipe) -> bool:
    """Tell whether a speech engine of the recipe is a server, which has many requests of a block in flight at once."""
    models = [
        recipe.models.get(name) for kind, name in engines_of(recipe, tuple(recipe.stages)) if kind in SPEAKING_KINDS
    ]
    return any(isinstance(getattr(model, "serving", None), Server) for model in models)


def _ladder(recipe: Recipe) -> tuple[Rung, ...]:
    settings = recipe.find(GateSettings)
    return settings.ladder if settings else ()


SYNTHESIZE = Stage(
    name="synthesize",
    about="speaks every turn without a take with the voice of its role",
    settings=SynthesizeSettings,
    apply=synthesize,
    reads=frozenset({"turns.text", "user_voice", "agent_voice", "background_voice"}),
    writes=frozenset({"turns.take", "take.audio", "take.word_times"}),
    spoils=frozenset({"take.watermark", "take.hearing", "take.quality"}),
    pool="voices",
    after=("cast",),
    engines=_engines,
    resources=lambda recipe: (CASTING,),
    check=_check_recipe,
)
