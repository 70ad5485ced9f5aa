"""Finished rows that are mixed: two turns that overlap, a backchannel that was left out, and tracks."""

from dataclasses import replace

import numpy as np

from manifests.audio import decode
from manifests.schema import Audio, Dialogue, Event, Timeline, Track, Turn, Watermark
from parley.testing.corpora import RATE, make_kept, with_take
from pipeline.audio.channels import laid_out
from pipeline.audio.samples import encode

STARTS = (100, 700)
LENGTH = 2_000
MARK = Watermark("tone", None, 0.99)


def make_mixed(number: int = 0, clean: bool = True, codec: str = "flac") -> Dialogue:
    """A kept dialogue with tracks, whose turns' clips are stretches of them; `clean`: with a clean user's track."""
    dialogue = make_kept(number)
    turns = [
        replace(with_take(turn, audio=_as(codec, turn.audio)), start_sample=start)
        for turn, start in zip(dialogue.turns, STARTS, strict=True)
    ]
    spared = Turn("user", "mm-hm", text="mm-hm", kind="backchannel", attempts=turns[0].attempts)
    tracks = [_track(turn, codec) for turn in turns]
    if clean:
        tracks.append(replace(tracks[0], is_clean=True))
    events = (Event("turn", "user", 100, 900, 0), Event("turn", "agent", 700, 1_500, 1))
    timeline = Timeline("test", RATE, LENGTH, events, (), tuple(tracks))
    return replace(dialogue, turns=(*turns, spared), timeline=timeline)


def _as(codec: str, audio: Audio | None) -> Audio:
    assert audio is not None
    return encode(decode(audio)[0], RATE, codec)


def _track(turn: Turn, codec: str) -> Track:
    assert turn.audio is not None and turn.start_sample is not None
    return Track(
        turn.role, False, encode(laid_out([(turn.start_sample, decode(turn.audio)[0])], LENGTH), RATE, codec), MARK
    )


def with_track(dialogue: Dialogue, place: int, track: Track) -> Dialogue:
    """The row with another track in that place."""
    timeline = dialogue.timeline
    assert timeline is not None
    tracks = [track if i == place else old for i, old in enumerate(timeline.tracks)]
    return replace(dialogue, timeline=replace(timeline, tracks=tuple(tracks)))


def noise(num_samples: int, rate: int = RATE) -> Audio:
    """A clip of noise."""
    return encode(np.random.default_rng(0).uniform(-0.1, 0.1, num_samples).astype(np.float32), rate, "flac")
