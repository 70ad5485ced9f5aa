"""transcribe: the delivered bytes of every new take are heard again by the recogniser of the language.

Takes whose duration no speaker could need for the text are not worth a recogniser's time and get their reason here.
So do takes whose transcript is wrong in a way that tells of the recogniser (`pipeline.scoring.hallucination`): gate
keeps that reason, so that "the recogniser was wrong" is not counted as "the voice was wrong".
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from manifests.audio import decode
from manifests.reasons import Reason
from manifests.schema import Dialogue, Turn
from pipeline.engines.protocols import Clip, Failure, SpeechRecognizer, Transcript
from pipeline.engines.recognizers.hearable import loudest_dbfs
from pipeline.recipe import Gate, Recipe
from pipeline.scoring.duration import DurationLimits, duration_reason
from pipeline.scoring.hallucination import flags
from pipeline.scoring.normalize import metric
from pipeline.scoring.rates import score
from pipeline.stage import Context, EngineKey, Stage
from pipeline.stages.dialogue import Place, find_turns, replace_turns

Heard = tuple[str | None, Transcript | Failure, Reason | None]
"""Recogniser, its result, and what is wrong with that."""


def transcribe(dialogues: Sequence[Dialogue], context: Context) -> list[Dialogue]:
    places = find_turns(dialogues, _is_new)
    results = _hear(dialogues, places, context)
    return replace_turns(dialogues, places, results, _take)


def _is_new(turn: Turn) -> bool:
    return turn.audio is not None and turn.reason is None and turn.hypothesis is None


def _hear(dialogues: Sequence[Dialogue], places: Sequence[Place], context: Context) -> list[Heard]:
    results: dict[Place, Heard] = {}
    by_engine: dict[str, list[Place]] = defaultdict(list)
    for place in places:
        engine, failure = _route(dialogues[place.dialogue_index], place, context)
        if failure is None:
            by_engine[engine or ""].append(place)
        else:
            results[place] = engine, failure, failure.reason
    for name, routed in by_engine.items():
        recognizer: SpeechRecognizer = context.engines["asr", name]
        clips = [_clip(dialogues[i].turns[j]) for i, j in routed]
        heard = recognizer.transcribe(clips, [dialogues[i].language for i, _ in routed])
        for place, clip, result in zip(routed, clips, heard, strict=True):
            results[place] = (
                recognizer.name,
                result,
                _wrong(dialogues[place.dialogue_index], place, clip, result, context),
            )
    return [results[place] for place in places]


def _wrong(
    dialogue: Dialogue, place: Place, clip: Clip, result: Transcript | Failure, context: Context
) -> Reason | None:
    """Only a transcript that disagrees with the text can be the recogniser's invention."""
    if isinstance(result, Failure):
        return result.reason
    turn, language = dialogue.turns[place.turn_index], dialogue.language
    compared = score(turn.text or "", result.text, language)
    if compared.rate is None or compared.rate <= context.recipe.gate.limit(compared.metric):
        return None
    found = flags(
        result.text,
        language,
        len(clip.samples) / clip.sample_rate,
        loudest_dbfs(clip.samples, clip.sample_rate),
        _prompt(turn, context),
        reference=turn.text or "",
        no_speech=result.no_speech,
        log_probability=result.log_probability,
    )
    return found[0].reason if found else None


def _prompt(turn: Turn, context: Context) -> str | None:
    """What is said in the recording that the voice is given by."""
    return context.casting[turn.voice_id].prompt_text if turn.voice_id else None


def _route(dialogue: Dialogue, place: Place, context: Context) -> tuple[str | None, Failure | None]:
    """The recogniser that is to hear the turn, or why none is."""
    name = context.recipe.asr.engine_for(dialogue.language)
    covered = name is not None and _covers(context.engines["asr", name], dialogue.language)
    if not covered:
        return None, Failure(Reason.NO_RECOGNIZER)
    turn = dialogue.turns[place.turn_index]
    if turn.audio is None:
        return name, Failure(Reason.RECOGNITION_FAILED)
    limits = _limits(context.recipe.gate, dialogue.language)
    reason = duration_reason(
        turn.text or "", dialogue.language, turn.audio.num_samples, turn.audio.sample_rate, limits
    )
    return name, Failure(reason) if reason else None


def _covers(recognizer: SpeechRecognizer, language: str) -> bool:
    return recognizer.languages is None or language in recognizer.languages


def _limits(gate: Gate, language: str) -> DurationLimits:
    speed = gate.unspaced_speed if metric(language) == "cer" else gate.spaced_speed
    return DurationLimits(speed.slowest, speed.fastest, speed.pause_s)


def _clip(turn: Turn) -> Clip:
    if turn.audio is None:
        raise ValueError("a turn without audio was chosen to be heard")
    return Clip(*decode(turn.audio))


def _take(turn: Turn, heard: Heard) -> Turn:
    recognizer, result, wrong = heard
    hypothesis = result.text if isinstance(result, Transcript) else None
    return replace(turn, recognizer=recognizer, hypothesis=hypothesis, reason=wrong.value if wrong else None)


def _engines(recipe: Recipe) -> tuple[EngineKey, ...]:
    return tuple(("asr", name) for name in dict.fromkeys(recipe.asr.engine.values()))


TRANSCRIBE = Stage(
    "transcribe", transcribe, frozenset({"turns.hypothesis", "turns.recognizer", "turns.reason"}), _engines
)
