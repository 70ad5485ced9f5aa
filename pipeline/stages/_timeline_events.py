"""Labels what happens in a dialogue whose turns are placed. Events cover speech, not the silence at clips' edges."""

from collections.abc import Iterator, Sequence

from manifests.schema import Channel, Dialogue, Event, Label, Turn
from pipeline.stages._placing import Arrangement, Placement

Span = tuple[int, int, int]
"""Start and end of speech, and the turn that it belongs to."""


def events_of(dialogue: Dialogue, arrangement: Arrangement, silence_limit: int) -> tuple[Event, ...]:
    """Return all events, sorted by start, then channel, then kind; a silence is one of `silence_limit` samples."""
    found = [
        event for number in arrangement.placed for event in _turn_events(dialogue.turns[number], number, arrangement)
    ]
    found += _barge_in_events(dialogue, arrangement)
    spoken = _spoken(dialogue, arrangement)
    found += _overlaps(spoken)
    found += _silences(spoken, silence_limit)
    return tuple(sorted(found, key=lambda event: (event.start_sample, event.channel, event.kind, event.end_sample)))


def _turn_events(turn: Turn, number: int, arrangement: Arrangement) -> Iterator[Event]:
    placed = arrangement.placed[number]
    cause = placed.waits or (f"turn {turn.cue.turn}, word {turn.cue.word}" if turn.cue else None)
    yield Event(turn.kind, turn.role, placed.onset, placed.offset, number, cause)
    for start, end in placed.take.pauses:
        yield Event("pause", turn.role, placed.start_sample + start, placed.start_sample + end, number)
    for label in turn.labels:
        if label.kind != "pause" and (span := _label_span(label, placed)):
            yield Event(label.kind, turn.role, *span, number)


def _label_span(label: Label, placed: Placement) -> tuple[int, int] | None:
    """Return where the labeled words are; None if the last was cut off, or a time is not known."""
    words = placed.take.words
    if words is None or label.last_word >= len(words):
        return None
    start, end = words[label.first_word].start_sample, words[label.last_word].end_sample
    if start is None or end is None or start >= end:
        return None
    return placed.start_sample + start, placed.start_sample + end


def _barge_in_events(dialogue: Dialogue, arrangement: Arrangement) -> Iterator[Event]:
    for barge_in in arrangement.barge_ins:
        by, other = arrangement.placed[barge_in.by], arrangement.placed[barge_in.turn]
        begins, ends = by.onset, other.offset
        who, whom = dialogue.turns[barge_in.by].role, dialogue.turns[barge_in.turn].role
        # Who stops at the very sample at which the other one begins leaves no stretch in which both speak.
        both_until = min(ends, by.offset) if ends > begins else by.offset
        yield Event("barge_in", who, begins, both_until, barge_in.by, f"turn {barge_in.turn}")
        if barge_in.stopped and ends > begins:
            yield Event("stop", whom, begins, ends, barge_in.turn, f"turn {barge_in.by}")


def _spoken(dialogue: Dialogue, arrangement: Arrangement) -> dict[Channel, list[Span]]:
    """Return the stretches of speech of each channel, in order, without the pauses that were put in."""
    spoken: dict[Channel, list[Span]] = {"user": [], "agent": []}
    for number, placed in arrangement.placed.items():
        start = placed.onset
        for begins, ends in placed.take.pauses:
            spoken[dialogue.turns[number].role].append((start, placed.start_sample + begins, number))
            start = placed.start_sample + ends
        spoken[dialogue.turns[number].role].append((start, placed.offset, number))
    return {channel: sorted(spans) for channel, spans in spoken.items()}


def _overlaps(spoken: dict[Channel, list[Span]]) -> Iterator[Event]:
    """Yield where both channels speak, in the channel of the one who began later."""
    users, agents = spoken["user"], spoken["agent"]
    i = j = 0
    while i < len(users) and j < len(agents):
        start, end = max(users[i][0], agents[j][0]), min(users[i][1], agents[j][1])
        if start < end:
            later, earlier = (users[i], agents[j]) if users[i][0] > agents[j][0] else (agents[j], users[i])
            channel: Channel = "user" if later is users[i] else "agent"
            yield Event("overlap", channel, start, end, later[2], f"turn {earlier[2]}")
        if users[i][1] < agents[j][1]:
            i += 1
        else:
            j += 1


def _silences(spoken: dict[Channel, list[Span]], limit: int) -> Iterator[Event]:
    """Yield where nobody speaks, in the channel of the one who was to speak: the other one than the last, unless the
    last only makes a pause. `turn` is the turn that ends the silence."""
    spans: Sequence[tuple[Span, Channel]] = sorted((span, channel) for channel, own in spoken.items() for span in own)
    last: tuple[int, int, Channel] | None = None
    for (start, end, number), channel in spans:
        if last is not None and start - last[0] >= limit:
            other: Channel = "agent" if last[2] == "user" else "user"
            yield Event("silence", last[2] if last[1] == number else other, last[0], start, number)
        if last is None or end > last[0]:
            last = end, number, channel
