"""perform: has every dialogue without takes spoken whole, in one call, and cuts the clip into its turns.

Dialogue engines (MOSS-TTSD, VibeVoice) hear what was said before, and answer in that tone. What they do not tell is
where a turn begins, and they mix up who says what. So the clip is cut by an aligner, and a speaker encoder compares
each turn with the recordings of the voices: what is nearer to another voice of the dialogue than to its own is a
failed take. A failed take of one turn means that the dialogue is performed again: gate gives up all of its takes.

It stands in the place of synthesize.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from pydantic import Field

from manifests.errors import UserError
from manifests.reasons import Reason
from manifests.schema import Dialogue, Take, WordTimes
from pipeline.audio.samples import encode
from pipeline.audio.sound_files import decoded
from pipeline.engines.contract import (
    AlignRequest,
    Clip,
    DialogueRequest,
    DialogueSynthesizer,
    Failure,
    Samples,
    SpeakerEncoder,
    SpokenLine,
    WordAligner,
)
from pipeline.engines.registry import check_verifier
from pipeline.recipe import Recipe
from pipeline.settings import EngineByLanguage, Section
from pipeline.stages._cutting import cut_turns, whole_text
from pipeline.stages.cast import CASTING
from pipeline.stages.contract import Context, EngineKey, Stage, attempt_of
from pipeline.stages.gate import gate_of
from pipeline.stages.synthesize import is_sound
from voicebank.voice import Voice


class PerformSettings(Section):
    engine: str = Field(description="dialogue engine, or a model that uses one")
    aligner: EngineByLanguage = Field(
        description="aligner that finds the turns, or one for each language ('*': all others)"
    )
    speaker: str = Field(description="speaker encoder that tells whose voice says each turn")
    margin: float = Field(
        0.0, ge=0, le=2, description="by how much a turn must be more like its own voice than like the others', cosine"
    )

    def aligner_for(self, language: str) -> str | None:
        return self.aligner.get(language, self.aligner.get("*"))


def perform(dialogues: Sequence[Dialogue], context: Context) -> list[Dialogue]:
    wanted = [i for i, dialogue in enumerate(dialogues) if needs_performing(dialogue)]
    requests = [_request(dialogues[i], context) for i in wanted]
    engine: DialogueSynthesizer = context.engines["dialogue", context.recipe.section(PerformSettings).engine]
    spoken = engine.perform(requests) if requests else []
    cut = _cut(requests, spoken, context)
    likenesses = _likenesses(requests, cut, context)
    performed = list(dialogues)
    for i, request, turns, alike in zip(wanted, requests, cut, likenesses, strict=True):
        performed[i] = _with_takes(dialogues[i], request, turns, alike, context.recipe.section(PerformSettings))
    return performed


def needs_performing(dialogue: Dialogue) -> bool:
    """Tell whether the dialogue was never spoken, or gate gave up its takes and wants others."""
    return any(turn.take is None for turn in dialogue.turns)


def _request(dialogue: Dialogue, context: Context) -> DialogueRequest:
    casting = context.resource(CASTING)
    lines = tuple(SpokenLine(turn.whole_text or "", casting[dialogue.voice_of(turn) or ""]) for turn in dialogue.turns)
    return DialogueRequest(lines, dialogue.language, context.seed_for("perform", dialogue, attempt_of(dialogue)))


def _cut(
    requests: Sequence[DialogueRequest], spoken: Sequence[Clip | Failure], context: Context
) -> list[list[Clip | Failure]]:
    """Return the turns of each dialogue; where there are none, or one cannot be cut out, a Failure in its place."""
    cut: list[list[Clip | Failure]] = [
        [result if isinstance(result, Failure) else _NOTHING] * len(request.lines)
        for request, result in zip(requests, spoken, strict=True)
    ]
    by_engine: dict[str, list[int]] = defaultdict(list)
    for i, (request, result) in enumerate(zip(requests, spoken, strict=True)):
        name = context.recipe.section(PerformSettings).aligner_for(request.language)
        if name is not None and isinstance(result, Clip) and is_sound(result):
            by_engine[name].append(i)
    for name, found in by_engine.items():
        aligner: WordAligner = context.engines["aligner", name]
        asked = [_alignment(requests[i], spoken[i]) for i in found]
        for i, one, times in zip(found, asked, aligner.align(asked), strict=True):
            cut[i] = _turns(one.clip, requests[i], times)
    return cut


def _alignment(request: DialogueRequest, spoken: Clip | Failure) -> AlignRequest:
    assert isinstance(spoken, Clip)
    text = whole_text([line.text for line in request.lines], request.language)
    return AlignRequest(spoken, text, request.language, spoken.word_times)


def _turns(clip: Clip, request: DialogueRequest, times: WordTimes | Failure) -> list[Clip | Failure]:
    if isinstance(times, Failure):
        return [Failure(Reason.UNALIGNED, times.detail)] * len(request.lines)
    found = cut_turns(clip, [line.text for line in request.lines], request.language, times)
    return [Failure(Reason.UNALIGNED, turn) if isinstance(turn, str) else turn for turn in found]


@dataclass(frozen=True)
class _Likeness:
    """How near a turn is to its own voice, and to the nearest other of the dialogue: cosines; None: cannot be told."""

    own: float | None = None
    other: float | None = None


def _likenesses(
    requests: Sequence[DialogueRequest], cut: Sequence[Sequence[Clip | Failure]], context: Context
) -> list[list[_Likeness]]:
    """Compare each turn with the recordings of the voices of its dialogue."""
    encoder: SpeakerEncoder = context.engines["encoder", context.recipe.section(PerformSettings).speaker]
    voices = {voice.voice_id: voice for request in requests for voice in request.voices}
    recordings = dict(zip(voices, encoder.encode([_recording(voice) for voice in voices.values()]), strict=True))
    if deaf := [voice_id for voice_id, vector in recordings.items() if isinstance(vector, Failure)]:
        raise UserError(f"voice {deaf[0]}: its recording is too short or too quiet to tell the voice by")
    clips = [turn for turns in cut for turn in turns if isinstance(turn, Clip) and is_sound(turn)]
    vectors = iter(encoder.encode(clips) if clips else [])
    return [
        [
            _likeness(line.voice, request.voices, recordings, next(vectors))
            if isinstance(turn, Clip) and is_sound(turn)
            else _Likeness()
            for line, turn in zip(request.lines, turns, strict=True)
        ]
        for request, turns in zip(requests, cut, strict=True)
    ]


def _likeness(
    own: Voice, voices: Sequence[Voice], recordings: Mapping[str, Samples | Failure], heard: Samples | Failure
) -> _Likeness:
    if isinstance(heard, Failure):  # too little speech to tell
        return _Likeness()
    alike = {voice.voice_id: _cosine(recordings[voice.voice_id], heard) for voice in voices}
    others = [cosine for voice_id, cosine in alike.items() if voice_id != own.voice_id]
    return _Likeness(alike[own.voice_id], max(others, default=None))


def _cosine(recording: Samples | Failure, heard: Samples) -> float:
    assert not isinstance(recording, Failure)
    return float(recording @ heard)


def _recording(voice: Voice) -> Clip:
    try:
        return decoded(voice.prompt_audio or b"")
    except ValueError as error:
        raise UserError(f"voice {voice.voice_id}: its recording cannot be read: {error}") from None


def _with_takes(
    dialogue: Dialogue,
    request: DialogueRequest,
    turns: Sequence[Clip | Failure],
    likenesses: Sequence[_Likeness],
    settings: PerformSettings,
) -> Dialogue:
    """Put the takes into the dialogue, which all have the number and the seed of one performance."""
    number = attempt_of(dialogue)
    takes = [
        _take(Take(number, line.voice.voice_id, request.seed, 1.0), turn, alike, settings.margin)
        for line, turn, alike in zip(request.lines, turns, likenesses, strict=True)
    ]
    spoken = tuple(replace(turn, take=take) for turn, take in zip(dialogue.turns, takes, strict=True))
    return replace(dialogue, turns=spoken)


def _take(take: Take, turn: Clip | Failure, alike: _Likeness, margin: float) -> Take:
    if isinstance(turn, Failure):
        return replace(take, reason=turn.reason.value)
    if not is_sound(turn):
        return replace(take, reason=Reason.SYNTHESIS_FAILED.value)
    mixed_up = alike.own is not None and alike.other is not None and alike.own < alike.other + margin
    return replace(
        take,
        audio=encode(turn.samples, turn.sample_rate, "wav"),
        word_times=turn.word_times,
        speaker_similarity=alike.own,
        reason=Reason.WRONG_SPEAKER.value if mixed_up else None,
    )


_NOTHING = Failure(Reason.SYNTHESIS_FAILED, "the dialogue engine gave no sound")


def _engines(recipe: Recipe) -> tuple[EngineKey, ...]:
    settings = recipe.section(PerformSettings)
    aligners = [("aligner", name) for name in dict.fromkeys(settings.aligner.values())]
    return ("dialogue", settings.engine), *aligners, ("encoder", settings.speaker)


def _check_recipe(recipe: Recipe) -> None:
    settings = recipe.section(PerformSettings)
    for other, why in (("synthesize", "it stands in its place"), ("overlap", "nobody breaks in on a whole dialogue")):
        if other in recipe.stages:
            raise ValueError(f"perform: leave out the stage {other}: {why}")
    if missing := [language for language in recipe.languages if settings.aligner_for(language) is None]:
        raise ValueError(f"perform.aligner: it names no aligner for {', '.join(missing)}")
    if any(rung.rate != 1 for rung in gate_of(recipe).ladder):
        raise ValueError("gate.ladder: a rung has a rate, and dialogue engines have no speed")
    check_verifier(settings.speaker, recipe.models)


PERFORM = Stage(
    name="perform",
    about="has whole dialogues spoken in one call, and cuts them into turns; in the place of synthesize",
    settings=PerformSettings,
    apply=perform,
    reads=frozenset({"turns.text", "user_voice", "agent_voice"}),
    writes=frozenset({"turns.take", "take.audio", "take.word_times", "take.speaker_similarity"}),
    spoils=frozenset({"take.watermark", "take.hearing", "take.quality"}),
    pool="voices",
    after=("cast",),
    engines=_engines,
    resources=lambda recipe: (CASTING,),
    check=_check_recipe,
)
