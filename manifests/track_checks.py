"""Checks the tracks of a row in depth: that they decode, and that the turns' clips are cut out of them."""

from collections.abc import Iterator

import numpy as np

from manifests.audio import decode
from manifests.errors import CorpusError
from manifests.parts import track_name
from manifests.resampling import Samples
from manifests.schema import Dialogue

_LOSSLESS = frozenset({"wav", "flac"})


def track_problems(dialogue: Dialogue) -> Iterator[str]:
    """Yield what is wrong with the tracks of a row: a channel without one, another rate than the timeline's, one that
    cannot be decoded, one that a kept row has unmarked, and a turn whose clip is not its stretch of its channel.

    `manifests.timeline_checks` compares their lengths.
    """
    timeline = dialogue.timeline
    if timeline is None or not timeline.tracks:
        return
    for missing in sorted({"user", "agent"} - set(map(track_name, timeline.tracks))):
        yield f"timeline: no track ({missing})"
    channels: dict[str, Samples] = {}
    for track in timeline.tracks:
        try:
            samples, rate = decode(track.audio)
        except CorpusError as error:
            yield f"track {track_name(track)}: {error}"
            continue
        if rate != timeline.sample_rate:
            yield f"track {track_name(track)}: {rate} Hz, but the timeline has {timeline.sample_rate} Hz"
            continue
        if dialogue.status == "kept" and track.watermark is None and samples.any():
            yield f"track {track_name(track)}: kept, without watermark"
        if not track.is_clean and track.audio.codec in _LOSSLESS:
            channels[track.kind] = samples
    yield from _cut_problems(dialogue, channels)


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
