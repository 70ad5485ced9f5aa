"""Defines the timeline of a dialogue: what is heard when, in which channel, and the channels themselves.

A dialogue that is only spoken turn by turn has none. Times are samples at the timeline's rate, from its start.
"""

from dataclasses import dataclass
from typing import Literal

from manifests.audio_fields import Audio, SpeechTokens, Watermark

Channel = Literal["user", "agent"]
TrackKind = Literal["user", "agent", "mono"]
TurnKind = Literal["turn", "backchannel", "aside", "background"]
EventKind = Literal[
    "turn",
    "backchannel",
    "aside",
    "background",
    "barge_in",
    "stop",
    "false_start",
    "self_correction",
    "pause",
    "silence",
    "room",
    "echo",
    "noise",
    "telephone",
    "overlap",
]


LabelKind = Literal["false_start", "self_correction", "pause"]


@dataclass(frozen=True, slots=True)
class Cue:
    """Says what a turn waits for, if not for the end of the turn before it: word `word` of turn `turn`, both from 0.

    A cued turn of kind "turn" interrupts: it begins after that word, and the other speaker stops. A cued turn of
    another kind is heard beside that turn.
    """

    turn: int
    word: int


@dataclass(frozen=True, slots=True)
class Label:
    """Labels words of a turn's text, `first_word` to `last_word`, from 0; a pause is made behind `last_word`."""

    kind: LabelKind
    first_word: int
    last_word: int


@dataclass(frozen=True, slots=True)
class Event:
    """Labels a stretch of a channel, [start_sample, end_sample).

    The event of a turn covers its speech, without the silence at the edges of its clip, and with the pauses inside.
    `turn` is the 0-based number of the turn that it belongs to. `cause` says why it is there, for people and for
    training: the turn that was interrupted, what made the agent stop.
    """

    kind: EventKind
    channel: Channel
    start_sample: int
    end_sample: int
    turn: int | None = None
    cause: str | None = None


@dataclass(frozen=True, slots=True)
class Draw:
    """Records a value that was drawn at random, in the unit that `name` ends with; `turn` is the turn it is for."""

    name: str
    value: float
    turn: int | None = None


@dataclass(frozen=True, slots=True)
class Track:
    """Holds a whole channel, or the mix of both, as it is delivered: as long as the timeline, and marked.

    `is_clean` tracks are what the same channel is before noise, room, telephone and echo.
    """

    kind: TrackKind
    is_clean: bool
    audio: Audio
    watermark: Watermark | None = None
    tokens: tuple[SpeechTokens, ...] = ()


@dataclass(frozen=True, slots=True)
class Timeline:
    """Says where everything lies. `profile` names the distribution of the gaps; `num_samples` is the whole length.

    `events` are sorted by start, then channel, then kind. The turns themselves have a `start_sample` too.
    """

    profile: str
    sample_rate: int
    num_samples: int
    events: tuple[Event, ...] = ()
    draws: tuple[Draw, ...] = ()
    tracks: tuple[Track, ...] = ()

    @property
    def duration_s(self) -> float:
        return self.num_samples / self.sample_rate

    def track(self, kind: TrackKind, is_clean: bool = False) -> Track | None:
        """Return the track of that kind; None if the dialogue was not mixed, or not that way."""
        return next((track for track in self.tracks if (track.kind, track.is_clean) == (kind, is_clean)), None)
