"""The effects of `mix` on the user's channel, with their settings: background, room, gain, echo, noise, telephone.

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
from pipeline.audio.noise import MadeNoise, at_snr, made_noise, repeated
from pipeline.audio.room import in_room
from pipeline.audio.sound_files import SoundFiles
from pipeline.audio.telephone import Line, by_telephone
from pipeline.engines.contract import Samples
from pipeline.settings import Section, public_name


def _ordered(value: tuple[float, float]) -> tuple[float, float]:
    if value[0] > value[1]:
        raise ValueError("write the smaller number first: [lowest, highest]")
    return value


Range = Annotated[tuple[float, float], AfterValidator(_ordered)]
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


class Room(FromFiles):
    """Room impulse responses of a directory, one for a dialogue."""

    @model_validator(mode="after")
    def _has_source(self) -> "Room":
        if self.files is None:
            raise ValueError("room needs impulse responses: files=DIR")
        return self


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


class Noise(FromFiles):
    kinds: tuple[str, ...] = Field((), description="folders of `files` to use (in MUSAN: music, noise, speech)")
    made: tuple[MadeNoise, ...] = Field((), description="noise that Parley makes: white, pink")
    snr_db: Range = Field((15, 25), description="active speech against noise, in dB (OmniFlatten: 15 to 25)")

    @model_validator(mode="after")
    def _has_source(self) -> "Noise":
        if self.files is None and not self.made:
            raise ValueError("noise needs recordings or a kind that is made: files=DIR or made=[pink]")
        if self.files is None and self.kinds:
            raise ValueError("noise.kinds names folders of noise.files, which is not given")
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

    def heard(self, kind: str, cause: str, start: int = 0, end: int | None = None) -> "Mixed":
        event = Event(kind, "user", start, len(self.own) if end is None else end, cause=cause)  # type: ignore[arg-type]
        return replace(self, events=(*self.events, event))


Draws = np.random.Generator
Apply = Callable[[Mixed, Draws], Mixed]


def uniform(generator: Draws, limits: tuple[float, float]) -> float:
    """Draw a value between the limits."""
    return float(generator.uniform(*limits))


def with_room(mixed: Mixed, generator: Draws, files: SoundFiles) -> Mixed:
    name, response = _sounding(files, mixed.sample_rate, generator, whole=True)
    own, behind = (in_room(part, response) if part.any() else part for part in (mixed.own, mixed.behind))
    return replace(mixed, own=own, behind=behind).heard("room", name)


def with_gain(mixed: Mixed, generator: Draws, settings: Gain) -> Mixed:
    gain_db = uniform(generator, settings.db)
    factor = np.float32(amplitude(gain_db))
    return replace(mixed, own=mixed.own * factor, behind=mixed.behind * factor).drawn("gain_db", gain_db)


def with_echo(mixed: Mixed, generator: Draws, settings: Echo, spans: tuple[tuple[int, int, int], ...]) -> Mixed:
    """Add the agent's channel, later and quieter. `spans` are turn, start and end of what the agent says."""
    delay_ms, scale = uniform(generator, settings.delay_ms), uniform(generator, settings.scale)
    delay, length = round(delay_ms * mixed.sample_rate / 1000), len(mixed.own)
    echoed = replace(mixed, added=mixed.added + delayed(mixed.other, delay) * np.float32(scale))
    echoed = echoed.drawn("echo_delay_ms", delay_ms).drawn("echo_scale", scale)
    events = tuple(
        Event("echo", "user", start + delay, min(end + delay, length), turn, f"of turn {turn}")
        for turn, start, end in spans
        if start + delay < length
    )
    return replace(echoed, events=(*echoed.events, *events))


def with_noise(mixed: Mixed, generator: Draws, settings: Noise, files: SoundFiles | None) -> Mixed:
    """Add noise over the whole channel, measured on the active speech; ValueError if the user's side is silent."""
    snr_db = uniform(generator, settings.snr_db)
    kinds = (*settings.made, *(("",) if files else ()))
    kind, length, rate = kinds[int(generator.integers(len(kinds)))], len(mixed.own), mixed.sample_rate
    if kind:
        name, noise = kind, made_noise(kind, length, rate, generator)
    else:
        assert files is not None
        name, found = _sounding(files, rate, generator, num_samples=length)
        noise = repeated(found, length, rate)
    noisy = replace(mixed, added=mixed.added + at_snr(noise, mixed.own, rate, snr_db))
    return noisy.drawn("noise_snr_db", snr_db).heard("noise", name)


def with_telephone(channel: Samples, sample_rate: int, generator: Draws, settings: Telephone) -> tuple[Samples, Event]:
    """Send the whole channel over a line that is drawn."""
    line = settings.lines[int(generator.integers(len(settings.lines)))]
    return by_telephone(channel, sample_rate, line), Event("telephone", "user", 0, len(channel), cause=line)


def _sounding(
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
