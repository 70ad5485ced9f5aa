"""Having turns heard: one batch for each recognizer, and for each turn what was heard and what is wrong with that."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from manifests.audio import decode
from manifests.reasons import Reason
from manifests.schema import Dialogue, Turn
from pipeline.audio.levels import loudest_dbfs
from pipeline.engines.contract import Clip, Failure, SpeechRecognizer, Transcript
from pipeline.scoring.hallucination import SILENCE_DBFS, flags
from pipeline.scoring.rates import Score, score
from pipeline.stages._turns import Place
from pipeline.stages.contract import Context


@dataclass(frozen=True, slots=True)
class Heard:
    """What a recognizer made of a turn, if it was shown it at all.

    `wrong` is why that says nothing about the voice, or why nothing was heard; None: the gate may judge by `score`.
    """

    recognizer: str | None
    hypothesis: str | None = None
    score: Score | None = None
    wrong: Reason | None = None


def covers(name: str | None, language: str, context: Context) -> bool:
    """Whether there is a recognizer of that name in the recipe and it hears the language."""
    if name is None:
        return False
    recognizer: SpeechRecognizer = context.engines["asr", name]
    return recognizer.languages is None or language in recognizer.languages


def hear(dialogues: Sequence[Dialogue], wanted: Mapping[Place, str], context: Context) -> dict[Place, Heard]:
    """Have each turn heard by the recognizer that is named for it."""
    by_engine: dict[str, list[Place]] = defaultdict(list)
    for place, name in wanted.items():
        by_engine[name].append(place)
    found: dict[Place, Heard] = {}
    for name, places in by_engine.items():
        recognizer: SpeechRecognizer = context.engines["asr", name]
        clips = [_clip(dialogues[i].turns[j]) for i, j in places]
        results = recognizer.transcribe(clips, [dialogues[i].language for i, _ in places])
        for place, clip, result in zip(places, clips, results, strict=True):
            found[place] = _examine(dialogues[place.dialogue_index], place, recognizer.name, clip, result, context)
    return found


def _clip(turn: Turn) -> Clip:
    if turn.audio is None:
        raise ValueError("a turn without audio was chosen to be heard")
    return Clip(*decode(turn.audio))


def _examine(
    dialogue: Dialogue, place: Place, name: str, clip: Clip, result: Transcript | Failure, context: Context
) -> Heard:
    if isinstance(result, Failure):
        return Heard(name, wrong=result.reason)
    turn = dialogue.turns[place.turn_index]
    compared = score(turn.text or "", result.text, dialogue.language)
    return Heard(name, result.text, compared, _wrong(turn, dialogue.language, clip, result, compared, context))


def _wrong(
    turn: Turn, language: str, clip: Clip, result: Transcript, compared: Score, context: Context
) -> Reason | None:
    """Only a transcript that disagrees with the text can be the recognizer's invention; on silence, all are."""
    level = loudest_dbfs(clip.samples, clip.sample_rate)
    if result.text.strip() and level < SILENCE_DBFS:
        return Reason.HALLUCINATION_SILENCE
    if compared.rate is None or compared.rate <= context.recipe.gate.limit(compared.metric):
        return None
    found = flags(
        result.text,
        language,
        len(clip.samples) / clip.sample_rate,
        level,
        _prompt(turn, context),
        reference=turn.text or "",
        no_speech=result.no_speech,
        log_probability=result.log_probability,
    )
    return found[0].reason if found else None


def _prompt(turn: Turn, context: Context) -> str | None:
    """What is said in the recording that the voice is given by."""
    return context.casting[turn.voice_id].prompt_text if turn.voice_id else None
