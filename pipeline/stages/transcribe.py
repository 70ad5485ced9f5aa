"""transcribe: runs the recognizer of the language on the delivered bytes of every new take.

Takes with a duration that no speaker could need for the text are not given to a recognizer and get their reason here.
So do takes whose transcript is wrong in a way that points to the recognizer (`pipeline.scoring.hallucination`): gate
keeps that reason, so that "the recognizer was wrong" is not counted as "the voice was wrong".

If the recipe has a second recognizer, it hears the new takes that the gate would reject for the first one's transcript
(`pipeline.stages._second_opinion`), or all of them, and the better hearing decides.

If a server speaks, a take that says another turn's text is told from a bad one (`pipeline.stages._cross_talk`). For
that, clips of an impossible duration are heard too.
"""

from collections.abc import Sequence
from typing import Literal

from pydantic import Field, model_validator

from manifests.changes import replace
from manifests.reasons import Reason, reason_of
from manifests.schema import Dialogue, Hearing, Take
from pipeline.recipe import Recipe
from pipeline.scoring.duration import DurationLimits, duration_reason
from pipeline.scoring.normalize import metric
from pipeline.settings import EngineByLanguage, Section
from pipeline.stages._cross_talk import InFlight
from pipeline.stages._second_opinion import decide, doubtful_turns
from pipeline.stages._takes import TurnPosition, find_takes, is_good_so_far, put_takes, take_at
from pipeline.stages._transcripts import covers, hear, not_evidence
from pipeline.stages.cast import CASTING
from pipeline.stages.contract import Context, EngineKey, Stage
from pipeline.stages.gate import GateSettings, gate_of
from pipeline.stages.synthesize import speaks_through_servers


class TranscribeSettings(Section):
    engine: EngineByLanguage = Field(description="recognizer, or one for each language ('*': all others)")
    second: EngineByLanguage = Field(
        {}, description="second recognizer, or one for each language, for turns rejected by the first one's transcript"
    )
    second_hears: Literal["doubtful", "all"] = Field(
        "doubtful", description="doubtful: turns rejected by the first one's transcript; all: every clip"
    )

    @model_validator(mode="after")
    def _two_opinions_come_from_two(self) -> "TranscribeSettings":
        for language in self.second:
            if language != "*" and self.engine_for(language) is None:
                raise ValueError(f"second: engine names no first recognizer for {language}")
        for language in {**self.engine, **self.second}:
            second = self.second_for(language)
            if second is not None and second == self.engine_for(language):
                raise ValueError(f"second: {second} is already the first recognizer for {language}; name another")
        return self

    def engine_for(self, language: str) -> str | None:
        return self.engine.get(language, self.engine.get("*"))

    def second_for(self, language: str) -> str | None:
        return self.second.get(language, self.second.get("*"))


def transcribe(dialogues: Sequence[Dialogue], context: Context) -> list[Dialogue]:
    places = find_takes(dialogues, needs_hearing)
    in_flight = InFlight(dialogues) if speaks_through_servers(context.recipe) else None
    first = _hear_first(dialogues, places, in_flight, context)
    heard = put_takes(dialogues, places, [_heard(take_at(dialogues, place), first.get(place)) for place in places])
    second = hear(dialogues, _second_recognizers(heard, places, context), context)
    second = in_flight.named(second) if in_flight else second
    better = [_heard_twice(take_at(heard, place), first[place], again) for place, again in second.items()]
    return put_takes(heard, list(second), better)


def needs_hearing(take: Take) -> bool:
    """Tell whether a good take was not yet given to a recognizer."""
    return is_good_so_far(take) and take.hearing is None


def _hear_first(
    dialogues: Sequence[Dialogue], places: Sequence[TurnPosition], in_flight: InFlight | None, context: Context
) -> dict[TurnPosition, Hearing]:
    """Return the first recognizer's hearings, without the positions whose language has no recognizer."""
    settled: dict[TurnPosition, Hearing] = {}
    wanted: dict[TurnPosition, str] = {}
    for place in places:
        dialogue = dialogues[place.dialogue_index]
        name = context.recipe.section(TranscribeSettings).engine_for(dialogue.language)
        if name is None or not covers(name, dialogue.language, context):
            continue
        if reason := _impossible(dialogue, place, gate_of(context.recipe)):
            settled[place] = Hearing(name, reason=reason.value)
        if place not in settled or (in_flight and dialogue.turns[place.turn_index].audio):
            wanted[place] = name
    heard = hear(dialogues, wanted, context)
    if in_flight is None:
        return settled | heard
    named = in_flight.named(heard)
    mixed_up = {place for place, hearing in named.items() if reason_of(hearing.reason) is Reason.CROSS_TALK}
    return named | {place: hearing for place, hearing in settled.items() if place not in mixed_up}


def _second_recognizers(
    heard: Sequence[Dialogue], places: Sequence[TurnPosition], context: Context
) -> dict[TurnPosition, str]:
    """Return the second recognizer of each new take that needs one."""
    settings = context.recipe.section(TranscribeSettings)
    if not settings.second:
        return {}
    if settings.second_hears == "all":
        asked = {place for place in places if _was_heard(take_at(heard, place))}
    else:
        gate = gate_of(context.recipe)
        asked = {TurnPosition(i, j) for i in {i for i, _ in places} for j in doubtful_turns(heard[i], gate)}
    names = {p: settings.second_for(heard[p.dialogue_index].language) for p in places if p in asked}
    return {p: name for p, name in names.items() if name and covers(name, heard[p.dialogue_index].language, context)}


def _was_heard(take: Take) -> bool:
    """Tell whether a recognizer was asked about the take: clips of an impossible duration are not worth a second."""
    return take.hearing is not None and (
        take.hearing.hypothesis is not None or reason_of(take.hearing.reason) is Reason.RECOGNITION_FAILED
    )


def _impossible(dialogue: Dialogue, place: TurnPosition, settings: GateSettings) -> Reason | None:
    """Say why the clip need not be heard, if its length alone shows that it is not the text."""
    turn = dialogue.turns[place.turn_index]
    if turn.audio is None:
        return Reason.RECOGNITION_FAILED
    limits = _limits(settings, dialogue.language)
    spoken = turn.audio.num_samples - _pauses(dialogue, place.turn_index)
    return duration_reason(turn.text or "", dialogue.language, spoken, turn.audio.sample_rate, limits)


def _pauses(dialogue: Dialogue, number: int) -> int:
    """Return the samples of the pauses that were put into the turn on purpose."""
    events = dialogue.timeline.events if dialogue.timeline else ()
    return sum(e.end_sample - e.start_sample for e in events if e.kind == "pause" and e.turn == number)


def _limits(gate: GateSettings, language: str) -> DurationLimits:
    speed = gate.unspaced_speed if metric(language) == "cer" else gate.spaced_speed
    return DurationLimits(speed.slowest, speed.fastest, speed.pause_s)


def _heard(take: Take, hearing: Hearing | None) -> Take:
    """Put the hearing into the take; None: its language has no recognizer."""
    reason = Reason.NO_RECOGNIZER.value if hearing is None else not_evidence(hearing)
    return replace(take, hearing=hearing, reason=reason)


def _heard_twice(take: Take, first: Hearing, second: Hearing) -> Take:
    return replace(_heard(take, decide(first, second)), hearings=(first, second))


def _engines(recipe: Recipe) -> tuple[EngineKey, ...]:
    settings = recipe.section(TranscribeSettings)
    names = (*settings.engine.values(), *settings.second.values())
    return tuple(("asr", name) for name in dict.fromkeys(names))


TRANSCRIBE = Stage(
    name="transcribe",
    about="runs the recognizer of the language on the delivered bytes of every new take",
    settings=TranscribeSettings,
    apply=transcribe,
    reads=frozenset({"turns.text", "take.audio"}),
    writes=frozenset({"take.hearing", "take.hearings", "take.reason"}),
    pool="proof",
    after=("watermark", "render", "synthesize", "perform"),
    engines=_engines,
    resources=lambda recipe: (CASTING,),
    neighbors=speaks_through_servers,
)
