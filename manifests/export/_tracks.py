"""A dialogue as two tracks of the same length, the user's and the agent's, and what is known of its turns.

A dialogue that was mixed has its tracks as they are delivered, with what is heard behind the speech. In others a
turn's clip lies in the track of its role from `start_sample` for `num_samples`, unchanged where the rate is its own;
all else is digital silence.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from manifests.clips import is_safe_id
from manifests.export._audio import flac_bytes, samples_at, wav_bytes
from manifests.export._timeline import Spot, layout_problem, sample_at, spots
from manifests.export.contract import ExportSettings
from manifests.resampling import Samples, resampled_length
from manifests.schema import Audio, Dialogue, Role

ROLES: tuple[Role, ...] = ("user", "agent")
GAP_MS = 200
"""Gaps between people's turns are of this order (Levinson & Torreira 2015)."""

_MAX_GAP_MS = 60_000
GAP = "milliseconds of silence between two turns, where the corpus does not say when a turn starts"
RATE = "sample rate of both tracks in Hz; 0: that of the dialogue's clips, which are then not resampled"
_RATES = range(4_000, 192_001)


@dataclass(frozen=True)
class TrackSettings(ExportSettings):
    """Settings of the exporters that write two tracks."""

    gap_ms: int = field(default=GAP_MS, metadata={"description": GAP})
    sample_rate: int = field(default=0, metadata={"description": RATE})
    codec: Literal["flac", "wav"] = field(default="flac", metadata={"description": "file format, 16-bit"})

    def __post_init__(self) -> None:
        check_gap(self.gap_ms)
        check_rate(self.sample_rate)


@dataclass(frozen=True)
class Tracks:
    """Holds a dialogue's tracks, float32 [`num_samples`] each, at `rate` Hz, and a mapping ready for JSON per turn."""

    rate: int
    user: Samples
    agent: Samples
    turns: list[dict[str, Any]]

    @property
    def num_samples(self) -> int:
        return len(self.user)


def check_gap(gap_ms: int) -> None:
    """Raise ValueError for a gap that is not 0 to 60 s."""
    if not 0 <= gap_ms <= _MAX_GAP_MS:
        raise ValueError(f"gap_ms must be 0 to {_MAX_GAP_MS}, not {gap_ms}")


def check_rate(rate: int) -> None:
    """Raise ValueError for a sample rate that is neither 0 nor 4 to 192 kHz."""
    if rate and rate not in _RATES:
        raise ValueError(f"a sample rate must be {_RATES[0]} to {_RATES[-1]} Hz, not {rate}")


def tracks_problem(dialogue: Dialogue, rate: int) -> str | None:
    """Return why no tracks can be made at `rate` Hz (0: the clips' own), as a reason to count; None: they can."""
    if not is_safe_id(dialogue.dialogue_id):
        return "its id is no safe name for a file"
    if problem := layout_problem(dialogue):
        return problem
    if not rate and len({audio.sample_rate for audio in _audios(dialogue)}) > 1:
        return "its clips have several sample rates: set one"
    mixed = _mixed(dialogue)
    if len({(audio.num_samples, audio.sample_rate) for audio in mixed.values()}) > 1:
        return "its tracks differ in length or sample rate"
    if mixed and len(mixed) < len(ROLES):
        return "it has the track of one speaker only"
    return None


def tracks(dialogue: Dialogue, settings: TrackSettings) -> Tracks:
    """Lay out the dialogue, which has no `tracks_problem`. Raises CorpusError if a clip cannot be decoded."""
    rate, places = _rate(dialogue, settings), spots(dialogue, settings.gap_ms)
    length = tracks_length(dialogue, settings)
    user, agent = (track(dialogue, places, role, rate, length) for role in ROLES)
    return Tracks(rate, user, agent, [turn_facts(dialogue, spot, rate) for spot in places])


def tracks_length(dialogue: Dialogue, settings: TrackSettings) -> int:
    """Return the number of samples of each track: both end with the last turn, or as they were mixed."""
    return tracks_end(dialogue, spots(dialogue, settings.gap_ms), _rate(dialogue, settings))


def tracks_end(dialogue: Dialogue, places: list[Spot], rate: int) -> int:
    """Return the number of samples at `rate` Hz up to the end of the last turn, or of the tracks that were mixed."""
    for audio in _mixed(dialogue).values():
        return resampled_length(audio.num_samples, audio.sample_rate, rate)
    return max(end_sample(dialogue, spot, rate) for spot in places)


def track(dialogue: Dialogue, places: list[Spot], role: Role, rate: int, length: int) -> Samples:
    """Return the track of a role at `rate` Hz: float32 [length], silence where the role has no turn and nothing was
    mixed. `length` is not below `tracks_end`."""
    made = np.zeros(length, np.float32)
    if mixed := _mixed(dialogue).get(role):
        samples = samples_at(mixed, rate)
        made[: len(samples)] = samples
        return made
    for spot in places:
        if spot.role == role:
            start = sample_at(spot.start, rate)
            samples = samples_at(_audio(dialogue, spot), rate)
            made[start : start + len(samples)] = samples
    return made


def track_bytes(samples: Samples, rate: int, codec: str) -> bytes:
    """Return the track as a mono 16-bit file."""
    return {"flac": flac_bytes, "wav": wav_bytes}[codec](samples, rate)


def turn_facts(dialogue: Dialogue, spot: Spot, rate: int) -> dict[str, Any]:
    """Return what is known of a turn, ready for JSON: all turns have the same keys, of the same types or null."""
    turn, audio = dialogue.turns[spot.turn], _audio(dialogue, spot)
    score = turn.score
    return {
        "turn": spot.turn,
        "role": turn.role,
        "kind": turn.kind,
        "text": turn.text,
        "voice_id": turn.take.voice_id if turn.take else None,
        "start_sample": sample_at(spot.start, rate),
        "num_samples": resampled_length(audio.num_samples, audio.sample_rate, rate),
        "hypothesis": turn.hypothesis,
        "error_rate": score.rate if score else None,
    }


def dialogue_facts(dialogue: Dialogue, made: Tracks) -> dict[str, Any]:
    """Return what is known of the dialogue and its turns, ready for JSON."""
    return {
        "dialogue_id": dialogue.dialogue_id,
        "language": dialogue.language,
        "sample_rate": made.rate,
        "num_samples": made.num_samples,
        "turns": made.turns,
    }


def end_sample(dialogue: Dialogue, spot: Spot, rate: int) -> int:
    """Return the sample past the last one of the turn's clip at `rate` Hz."""
    audio = _audio(dialogue, spot)
    return sample_at(spot.start, rate) + resampled_length(audio.num_samples, audio.sample_rate, rate)


def _audios(dialogue: Dialogue) -> Iterator[Audio]:
    return (turn.audio for turn in dialogue.turns if turn.audio and not dialogue.leaves_out(turn))


def _mixed(dialogue: Dialogue) -> dict[Role, Audio]:
    """Return the speakers' tracks as they are delivered, where the dialogue was mixed."""
    found = {role: dialogue.timeline.track(role) if dialogue.timeline else None for role in ROLES}
    return {role: track.audio for role, track in found.items() if track is not None}


def _audio(dialogue: Dialogue, spot: Spot) -> Audio:
    audio = dialogue.turns[spot.turn].audio
    assert audio is not None  # a spot is that of a clip
    return audio


def _rate(dialogue: Dialogue, settings: TrackSettings) -> int:
    return settings.sample_rate or next(_audios(dialogue)).sample_rate
