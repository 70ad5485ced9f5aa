"""Checks the tracks of a row in depth: that they decode, and that the turns' clips are cut out of them."""

from collections.abc import Iterator

import numpy as np

from manifests.audio import decode
from manifests.errors import CorpusError
from manifests.parts import track_name
from manifests.resampling import Samples
from manifests.schema import Dialogue, Timeline, Track

_LOSSLESS = frozenset({"wav", "flac"})


def track_problems(dialogue: Dialogue) -> Iterator[str]:
    """Yield what is wrong with the tracks of a row: one of another length or rate, one that cannot be decoded, one
    that a kept row has unmarked, and a turn whose clip is not its stretch of its channel."""
    timeline = dialogue.timeline
    if timeline is None or not timeline.tracks:
        return
    names = [track_name(track) for track in timeline.tracks]
    if len(set(names)) < len(names) or not {"user", "agent"} <= set(names):
        yield f"the tracks are {', '.join(names)}: one of each kind, user and agent among them, is expected"
    channels: dict[str, Samples] = {}
    for track in timeline.tracks:
        problem, samples = _open(track, timeline)
        if problem is not None:
            yield f"track {track_name(track)}: {problem}"
        elif dialogue.status == "kept" and track.watermark is None and samples.any():
            yield f"track {track_name(track)}: kept, without watermark"
        if problem is None and not track.is_clean and track.audio.codec in _LOSSLESS:
            channels[track.kind] = samples
    yield from _cut_problems(dialogue, channels)


def _open(track: Track, timeline: Timeline) -> tuple[str | None, Samples]:
    audio, nothing = track.audio, np.zeros(0, np.float32)
    if (audio.sample_rate, audio.num_samples) != (timeline.sample_rate, timeline.num_samples):
        return (
            f"{audio.num_samples} samples at {audio.sample_rate} Hz, "
            f"but the timeline has {timeline.num_samples} at {timeline.sample_rate} Hz"
        ), nothing
    try:
        return None, decode(audio)[0]
    except CorpusError as error:
        return str(error), nothing


def _cut_problems(dialogue: Dialogue, channels: dict[str, Samples]) -> Iterator[str]:
    for number, turn in enumerate(dialogue.turns):
        start, audio, channel = turn.start_sample, turn.audio, channels.get(turn.role)
        if start is None or audio is None or channel is None or audio.codec not in _LOSSLESS:
            continue
        try:
            samples = decode(audio)[0]
        except CorpusError:
            continue  # told where the clips are checked
        if not np.array_equal(samples, channel[max(0, start) : start + len(samples)]):
            yield f"turn {number}: the clip is not the stretch of the track {turn.role} where it starts"
