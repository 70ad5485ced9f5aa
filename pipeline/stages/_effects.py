"""The effects of `mix` on the user's channel, with their settings: background, gain, echo, telephone.

Rooms and noise stand on what is here (`_rooms.py`, `_noise.py`).

Each effect has a seed of its own for each dialogue, so switching one on does not change what another draws; and the
seed is the same in every pass, so a dialogue that is mixed again keeps its noise. Everything that is drawn is a `Draw`
of the timeline; what has no number, such as the name of a file, is the cause of an event.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np
from pydantic import AfterValidator, Field, field_serializer, model_validator

from manifests.errors import UserError
from manifests.schema import Draw, Event
from pipeline.audio.channels import delayed
from pipeline.audio.levels import amplitude
from pipeline.audio.sound_files import SoundFiles
from pipeline.audio.telephone import Line, by_telephone
from pipeline.engines.contract import Samples
from pipeline.settings import Section, public_name


def ordered(value: tuple[float, float]) -> tuple[float, float]:
    if value[0] > value[1]:
        raise ValueError("write the smaller number first: [lowest, highest]")
    return value


Range = Annotated[tuple[float, float], AfterValidator(ordered)]
"""[lowest, highest]: a value is drawn between them, each as likely as any other."""
Share = Annotated[float, Field(ge=0, le=1)]

SILENT_TRIES = 8
"""Recordings that are tried for noise, or for a room, before all seem to be silent."""


class Effect(Section):
    share: Share = Field(1.0, description="share of the dialogues that have it")


class FromFiles(Effect):
    files: str | None = Field(None, description="directory with sound files, in folders of any depth")
    license: str | None = Field(None, description="license of these recordings, as SPDX writes it; none: unknown")

    @field_serializer("files")
    def _no_private_path(self, files: str | None) -> str | None:
        """Shorten a private path: the recipe is copied into manifests."""
        return files and public_name(files)


class Background(Effect):
    level_db: Range = Field((-24, -12), description="level of voices in the background, against how they were spoken")


class Gain(Effect):
    share: Share = Field(0.5, description="share of the dialogues that have it (Moshi: 0.5)")
    db: Range = Field((-24, 15), description="change of the user's level in dB (Moshi: -24 to 15)")


class Echo(Effect):
    share: Share = Field(0.3, description="share of the dialogues in which the agent is heard there (Moshi: 0.3)")
    delay_ms: Range = Field((100, 500), description="delay of the echo, milliseconds (Moshi: 100 to 500)")
    scale: Range = Field((0, 0.2), description="factor of the agent's amplitude (Moshi: 0 to 0.2)")

    @model_validator(mode="after")
    def _comes_later(self) -> "Echo":
        if self.delay_ms[0] < 0 or self.scale[0] < 0:
            raise ValueError("delay_ms and scale cannot be negative")
        return self


class Telephone(Effect):
    lines: tuple[Line, ...] = Field(
        ("mu-law", "a-law"), min_length=1, description="lines to draw from: band, mu-law, a-law, gsm"
    )


@dataclass(frozen=True, eq=False)
class Mixed:
    """A user's channel on its way: `own` and `behind` are speech, by the user and in the background.

    `added` is what is no speech of this side, `other` the agent's channel. All are float32 [T], at `sample_rate` Hz.
    """

    own: Samples
    behind: Samples
    other: Samples
    added: Samples
    sample_rate: int
    draws: tuple[Draw, ...] = ()
    events: tuple[Event, ...] = ()

    @property
    def channel(self) -> Samples:
        return self.own + self.behind + self.added

    def drawn(self, name: str, value: float) -> "Mixed":
        return replace(self, draws=(*self.draws, Draw(name, value)))

    def plus(self, added: Samples, events: tuple[Event, ...]) -> "Mixed":
        """Return the channel with what is no speech of this side, and its events."""
        return replace(self, added=self.added + added, events=(*self.events, *events))

    def instead(self, own: Samples, behind: Samples) -> "Mixed":
        """Return the channel with its speech as it sounds now."""
        return replace(self, own=own, behind=behind)

    def heard(self, kind: str, cause: str, start: int = 0, end: int | None = None) -> "Mixed":
        event = Event(kind, "user", start, len(self.own) if end is None else end, cause=cause)  # type: ignore[arg-type]
        return replace(self, events=(*self.events, event))


Draws = np.random.Generator
Apply = Callable[[Mixed, Draws], Mixed]


def uniform(generator: Draws, limits: tuple[float, float]) -> float:
    """Draw a value between the limits."""
    return float(generator.uniform(*limits))


def with_gain(mixed: Mixed, generator: Draws, settings: Gain) -> Mixed:
    gain_db = uniform(generator, settings.db)
    factor = np.float32(amplitude(gain_db))
    return mixed.instead(mixed.own * factor, mixed.behind * factor).drawn("gain_db", gain_db)


def with_echo(mixed: Mixed, generator: Draws, settings: Echo, spans: tuple[tuple[int, int, int], ...]) -> Mixed:
    """Add the agent's channel, later and quieter. `spans` are turn, start and end of what the agent says."""
    delay_ms, scale = uniform(generator, settings.delay_ms), uniform(generator, settings.scale)
    delay, length = round(delay_ms * mixed.sample_rate / 1000), len(mixed.own)
    events = tuple(
        Event("echo", "user", start + delay, min(end + delay, length), turn, f"of turn {turn}")
        for turn, start, end in spans
        if start + delay < length
    )
    echoed = mixed.plus(delayed(mixed.other, delay) * np.float32(scale), events)
    return echoed.drawn("echo_delay_ms", delay_ms).drawn("echo_scale", scale)


def with_telephone(channel: Samples, sample_rate: int, generator: Draws, settings: Telephone) -> tuple[Samples, Event]:
    """Send the whole channel over a line that is drawn."""
    line = settings.lines[int(generator.integers(len(settings.lines)))]
    return by_telephone(channel, sample_rate, line), Event("telephone", "user", 0, len(channel), cause=line)


def sounding(
    files: SoundFiles, sample_rate: int, generator: Draws, num_samples: int | None = None, whole: bool = False
) -> tuple[str, Samples]:
    """Draw a file and a stretch of it that is not silent; raises UserError after some that are."""
    for _ in range(SILENT_TRIES):
        name = files.names[int(generator.integers(len(files.names)))]
        found = files.read(name, sample_rate, float(generator.random()), None if whole else num_samples)
        if found.any():
            return name, found
    raise UserError(
        f"{public_name(str(files.root))}: {SILENT_TRIES} recordings in a row are silent where they are read"
    )
