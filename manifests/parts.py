"""Walks over everything in a row that can be heard: the clips of its turns, whole tracks, and rejected takes.

Rejected takes whose clips were kept are a walk of their own: they have no files, and nothing is delivered of them.
"""

from collections.abc import Callable, Iterator

from manifests.changes import replace
from manifests.schema import Audio, Dialogue, Track, Turn

PartKey = int | str
"""Names a part of a row: the 0-based number of a turn, or the name of a track (`track_name`)."""


RejectedKey = tuple[int, int]
"""Names a rejected take of a row: the 0-based number of its turn, and its own number."""


def track_name(track: Track) -> str:
    """Return the track's name within its row, such as "user" and "user-clean"."""
    return f"{track.kind}-clean" if track.is_clean else track.kind


def part_label(key: PartKey | RejectedKey) -> str:
    """Return what people are told of a part: "turn 0", "track user", "turn 0 take 2"."""
    if isinstance(key, tuple):
        return f"turn {key[0]} take {key[1]}"
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


def rejected_parts(dialogue: Dialogue) -> Iterator[tuple[RejectedKey, Audio]]:
    """Yield the clip of each rejected take that was kept."""
    for number, turn in enumerate(dialogue.turns):
        for take in turn.rejected_clips:
            assert take.audio is not None  # else it has no clip
            yield (number, take.number), take.audio


def with_rejected(dialogue: Dialogue, change: Callable[[RejectedKey, Audio], Audio]) -> Dialogue:
    """Return the row with another `Audio` for each rejected take that was kept."""

    def changed(number: int, turn: Turn) -> Turn:
        kept = turn.rejected_clips
        takes = (
            replace(take, audio=change((number, take.number), take.audio)) if take in kept and take.audio else take
            for take in turn.attempts
        )
        return replace(turn, attempts=tuple(takes)) if kept else turn

    return replace(dialogue, turns=tuple(changed(number, turn) for number, turn in enumerate(dialogue.turns)))
