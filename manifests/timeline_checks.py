"""Checks the timeline of a row: everything lies inside it, nobody speaks over themselves, and its events are true."""

from collections.abc import Iterator
from fractions import Fraction

from manifests.schema import Channel, Dialogue, Timeline

Span = tuple[Fraction, Fraction]
"""Start and end of a clip, in seconds."""


def timeline_problems(dialogue: Dialogue) -> Iterator[str]:
    """Yield what contradicts itself in the timeline of a row; nothing for a row without one."""
    timeline = dialogue.timeline
    if timeline is None:
        return
    if timeline.sample_rate <= 0 or timeline.num_samples <= 0:
        yield f"timeline: {timeline.num_samples} samples at {timeline.sample_rate} Hz"
        return
    clips = dict(_clips(dialogue, timeline))
    yield from _turn_problems(dialogue, timeline, clips)
    yield from _track_problems(timeline)
    yield from _event_problems(dialogue, timeline, clips)


def _clips(dialogue: Dialogue, timeline: Timeline) -> Iterator[tuple[int, Span]]:
    """Yield where the clip of each placed turn lies, by the turn's number."""
    for number, turn in enumerate(dialogue.turns):
        if turn.start_sample is not None and turn.audio is not None and turn.audio.sample_rate > 0:
            start = Fraction(turn.start_sample, timeline.sample_rate)
            yield number, (start, start + Fraction(turn.audio.num_samples, turn.audio.sample_rate))


def _turn_problems(dialogue: Dialogue, timeline: Timeline, clips: dict[int, Span]) -> Iterator[str]:
    length = Fraction(timeline.num_samples, timeline.sample_rate)
    if dialogue.status == "kept":
        for number, turn in enumerate(dialogue.turns):
            if turn.kind == "turn" and turn.start_sample is None:
                yield f"turn {number}: it takes the floor, and has no place in the timeline"
            elif turn.start_sample is not None and turn.audio is None:
                yield f"turn {number}: a place in the timeline, and no clip"
    for number, (start, end) in clips.items():
        if start < 0 or end > length:
            yield f"turn {number}: its clip does not lie inside the timeline"
    spoken_until: dict[Channel, tuple[Fraction, int]] = {}
    for number, (start, end) in sorted(clips.items(), key=lambda clip: (clip[1], clip[0])):
        role = dialogue.turns[number].role
        until, before = spoken_until.get(role, (Fraction(0), -1))
        if start < until:
            yield f"turn {number}: the {role} speaks over turn {before}, which is their own"
        spoken_until[role] = max((until, before), (end, number))


def _track_problems(timeline: Timeline) -> Iterator[str]:
    seen = set()
    for track in timeline.tracks:
        name = f"{track.kind}{', clean' if track.is_clean else ''}"
        if name in seen:
            yield f"timeline: two tracks ({name})"
        seen.add(name)
        audio = track.audio
        if audio.num_samples * timeline.sample_rate != timeline.num_samples * audio.sample_rate:
            yield (
                f"timeline: the track ({name}) has {audio.num_samples} samples at {audio.sample_rate} Hz, "
                f"the timeline {timeline.num_samples} at {timeline.sample_rate} Hz"
            )


def _event_problems(dialogue: Dialogue, timeline: Timeline, clips: dict[int, Span]) -> Iterator[str]:
    keys = [(event.start_sample, event.channel, event.kind) for event in timeline.events]
    if keys != sorted(keys):
        yield "timeline: its events are not in order"
    told: dict[int, int] = {}
    for number, event in enumerate(timeline.events):
        what = f"event {number} ({event.kind})"
        if not 0 <= event.start_sample < event.end_sample <= timeline.num_samples:
            yield f"{what}: samples {event.start_sample} to {event.end_sample} do not lie inside the timeline"
        if event.turn is None:
            continue
        if event.turn not in clips:
            yield f"{what}: turn {event.turn} has no place in the timeline"
        elif event.kind == dialogue.turns[event.turn].kind:
            told[event.turn] = told.get(event.turn, 0) + 1
            start, end = clips[event.turn]
            rate = timeline.sample_rate
            if Fraction(event.start_sample, rate) < start or Fraction(event.end_sample, rate) > end:
                yield f"{what}: it is not where the clip of turn {event.turn} is"
    for number in clips:
        if told.get(number, 0) != 1:
            yield f"turn {number}: {told.get(number, 0)} events say when it is spoken"
