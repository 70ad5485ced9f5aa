"""Has takes transcribed, in one batch per recognizer, and scores and examines each transcript."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from manifests.reasons import Reason, reason_of
from manifests.schema import Dialogue, Hearing, Score, Turn
from pipeline.audio.levels import loudest_dbfs
from pipeline.engines.contract import Clip, Failure, SpeechRecognizer, Transcript
from pipeline.scoring.hallucination import SILENCE_DBFS, flags
from pipeline.scoring.rates import score
from pipeline.stages._takes import TurnPosition, clip_of, take_at
from pipeline.stages.cast import CASTING
from pipeline.stages.contract import Context
from pipeline.stages.gate import BY_SCORE, gate_of, judge_alone


def covers(name: str | None, language: str, context: Context) -> bool:
    """Tell whether the recipe has a recognizer of that name that understands the language."""
    if name is None:
        return False
    recognizer: SpeechRecognizer = context.engines["asr", name]
    return recognizer.languages is None or language in recognizer.languages


def hear(
    dialogues: Sequence[Dialogue], wanted: Mapping[TurnPosition, str], context: Context
) -> dict[TurnPosition, Hearing]:
    """Have each wanted take transcribed by its recognizer."""
    by_engine: dict[str, list[TurnPosition]] = defaultdict(list)
    for place, name in wanted.items():
        by_engine[name].append(place)
    found: dict[TurnPosition, Hearing] = {}
    for name, places in by_engine.items():
        recognizer: SpeechRecognizer = context.engines["asr", name]
        clips = [clip_of(take_at(dialogues, place)) for place in places]
        results = recognizer.transcribe(clips, [dialogues[i].language for i, _ in places])
        for place, clip, result in zip(places, clips, results, strict=True):
            found[place] = _examine(dialogues[place.dialogue_index], place, recognizer.name, clip, result, context)
    return found


def not_evidence(hearing: Hearing) -> str | None:
    """Say why the hearing (a failure or invention) tells nothing about the voice; None if gate may use its score."""
    return None if reason_of(hearing.reason) in BY_SCORE else hearing.reason


def _examine(
    dialogue: Dialogue, place: TurnPosition, name: str, clip: Clip, result: Transcript | Failure, context: Context
) -> Hearing:
    """Return the hearing with its score; takes are scored nowhere else."""
    if isinstance(result, Failure):
        return Hearing(name, reason=result.reason.value)
    turn = dialogue.turns[place.turn_index]
    compared = score(turn.text or "", result.text, dialogue.language)
    invention = _invention(turn, dialogue.language, clip, result, compared, context)
    reason = invention or judge_alone(compared, turn.role, gate_of(context.recipe))
    return Hearing(name, result.text, compared, reason.value if reason else None)


def _invention(
    turn: Turn, language: str, clip: Clip, result: Transcript, compared: Score, context: Context
) -> Reason | None:
    """Detect an invented transcript: one that disagrees with the text may be invented; on silence, every one is."""
    level = loudest_dbfs(clip.samples, clip.sample_rate)
    if result.text.strip() and level < SILENCE_DBFS:
        return Reason.HALLUCINATION_SILENCE
    if compared.rate is None or compared.rate <= gate_of(context.recipe).limit(compared.metric, turn.role):
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
    """Return the text of the voice's reference recording."""
    return context.resource(CASTING)[turn.take.voice_id].prompt_text if turn.take else None
