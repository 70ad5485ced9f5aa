"""Walks over everything in a row that can be heard: the clips of its turns, and whole tracks."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from manifests.schema import Audio, Dialogue, Track

PartKey = int | str
"""Names a part of a row: the 0-based number of a turn, or the name of a track (`track_name`)."""


def track_name(track: Track) -> str:
    """Return the track's name within its row, such as "user" and "user-clean"."""
    return f"{track.kind}-clean" if track.is_clean else track.kind


def part_label(key: PartKey) -> str:
    """Return what people are told of a part: "turn 0", "track user"."""
    return f"turn {key}" if isinstance(key, int) else f"track {key}"


def audio_parts(dialogue: Dialogue) -> Iterator[tuple[PartKey, Audio]]:
    """Yield the clip of each turn that has one, then the tracks."""
    for number, turn in enumerate(dialogue.turns):
        if turn.audio is not None:
            yield number, turn.audio
    for track in dialogue.timeline.tracks if dialogue.timeline else ():
        yield track_name(track), track.audio


def with_parts(dialogue: Dialogue, change: Callable[[PartKey, Audio], Audio]) -> Dialogue:
    """Return the row with another `Audio` for each clip and track."""
    turns = tuple(
        replace(turn, take=replace(turn.take, audio=change(number, turn.take.audio)))
        if turn.take and turn.take.audio
        else turn
        for number, turn in enumerate(dialogue.turns)
    )
    timeline = dialogue.timeline
    if timeline is not None and timeline.tracks:
        tracks = tuple(replace(track, audio=change(track_name(track), track.audio)) for track in timeline.tracks)
        timeline = replace(timeline, tracks=tracks)
    return replace(dialogue, turns=turns, timeline=timeline)
