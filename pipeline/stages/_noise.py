"""Noise on the user's channel of `mix`: recordings, many talkers at once, or noise that is made; with its settings.

Noise may come and go, and may have gone through a codec, as what a listening model hears has.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import AfterValidator, Field, model_validator

from manifests.errors import UserError
from manifests.schema import Event
from pipeline.audio.levels import amplitude, level_dbfs
from pipeline.audio.noise import MadeNoise, at_snr, made_noise, repeated
from pipeline.audio.samples import resample
from pipeline.audio.sound_files import SoundFiles
from pipeline.engines.contract import Clip, Failure, Samples, SpeechTokenizer
from pipeline.settings import Section
from pipeline.stages._effects import Draws, FromFiles, Mixed, Range, Share, ordered, sounding, uniform

_CODED_DBFS = -20.0
"""Level at which noise goes through a codec: one of speech, at which codecs were trained. Its ratio to speech is set
behind it. Ours."""
_EDGE_S = 0.05
"""Seconds over which noise that comes or goes fades."""

Talkers = Annotated[tuple[Annotated[int, Field(ge=1, le=100)], int], AfterValidator(ordered)]


class Alternating(Section):
    """Lets noise and silence take turns on a channel."""

    share: Share = Field(0.5, description="share of the noisy dialogues in which they take turns (Moshi: half)")
    silence_s: Range = Field((0, 30), description="length of a silence, in seconds (Moshi: up to 30)")
    noise_s: Range = Field((1, 30), description="length of a stretch of noise, in seconds")

    @model_validator(mode="after")
    def _goes_on(self) -> "Alternating":
        if self.noise_s[0] < 2 * _EDGE_S or self.silence_s[0] < 0:
            raise ValueError(f"noise_s must be {2 * _EDGE_S:g} at least, and silence_s cannot be negative")
        return self


class Streamed(Section):
    """Sends noise through a codec, piece by piece: encoded, and decoded again."""

    engine: str = Field(description="tokenizer that decodes, or the name of a model")
    piece_s: float = Field(1.0, gt=0, le=60, description="length of a piece, in seconds, rounded to whole frames")


class Noise(FromFiles):
    kinds: tuple[str, ...] = Field((), description="folders of `files` to use (in MUSAN: music, noise, speech)")
    talkers: Talkers | None = Field(
        None,
        description="so many recordings of `files` at once: babble, of a folder of speech; none: one recording",
    )
    made: tuple[MadeNoise, ...] = Field((), description="noise that Parley makes: white, pink")
    snr_db: Range = Field((15, 25), description="active speech against noise, in dB (OmniFlatten: 15 to 25)")
    alternating: Alternating | None = Field(
        None, description="noise and silence take turns; none: noise covers the whole channel"
    )
    streamed: Streamed | None = Field(None, description="noise went through a codec (Mini-Omni2); none: it did not")

    @model_validator(mode="after")
    def _has_source(self) -> "Noise":
        if self.files is None and not self.made:
            raise ValueError("noise needs recordings or a kind that is made: files=DIR or made=[pink]")
        if self.files is None and self.kinds:
            raise ValueError("noise.kinds names folders of noise.files, which is not given")
        if self.files is None and self.talkers:
            raise ValueError("noise.talkers are recordings of noise.files, which is not given")
        return self


@dataclass(frozen=True)
class Sources:
    """Holds what noise is made of: recordings, and a codec; None where the settings name none."""

    files: SoundFiles | None
    codec: SpeechTokenizer | None


def with_noise(mixed: Mixed, generator: Draws, settings: Noise, sources: Sources) -> Mixed:
    """Add noise to the channel, its level set against the active speech; ValueError if the user's side is silent."""
    snr_db = uniform(generator, settings.snr_db)
    kinds = (*settings.made, *(("",) if sources.files else ()))
    kind, length, rate = kinds[int(generator.integers(len(kinds)))], len(mixed.own), mixed.sample_rate
    names: tuple[str, ...] = (kind,)
    if kind:
        noise = made_noise(kind, length, rate, generator)
    else:
        assert sources.files is not None
        names, noise = _recorded(sources.files, length, rate, generator, settings.talkers)
    if settings.streamed:
        assert sources.codec is not None
        noise = _streamed(noise, rate, sources.codec, settings.streamed.piece_s)
    leveled = at_snr(noise, mixed.own, rate, snr_db)
    spans = _spans(length, rate, generator, settings.alternating)
    cause = names[0] if len(names) == 1 else f"{len(names)} at once: {', '.join(names)}"
    events = tuple(Event("noise", "user", start, end, cause=cause) for start, end in spans)
    return mixed.plus(_only(leveled, spans, rate), events).drawn("noise_snr_db", snr_db)


def _recorded(
    files: SoundFiles, length: int, rate: int, generator: Draws, talkers: tuple[int, int] | None
) -> tuple[tuple[str, ...], Samples]:
    """Return the names and the sum of so many recordings, each as loud as the others; one recording as it is."""
    count = int(generator.integers(talkers[0], talkers[1] + 1)) if talkers else 1
    names: list[str] = []
    made = np.zeros(length, np.float32)
    for _ in range(count):
        unheard = tuple(name for name in files.names if name not in names)
        name, found = sounding(files.only(unheard or files.names), rate, generator, num_samples=length)
        whole = repeated(found, length, rate)
        if count == 1:
            return (name,), whole
        made += whole / np.float32(amplitude(level_dbfs(whole)))
        names.append(name)
    return tuple(names), made


def _streamed(noise: Samples, sample_rate: int, codec: SpeechTokenizer, piece_s: float) -> Samples:
    """Return the noise [T] as a listener behind a codec gets it, whose pieces know nothing of one another.

    Raises UserError for a codec that does not decode, or from which nothing comes back.
    """
    if not codec.decodes:
        raise UserError(f"mix.noise.streamed: {codec.name} does not decode its tokens; name one that does")
    loud = noise * np.float32(amplitude(_CODED_DBFS - level_dbfs(noise)))
    wave, rate = resample(loud, sample_rate, codec.sample_rate), codec.sample_rate
    size = max(1, round(piece_s * rate / codec.hop_length)) * codec.hop_length
    padded = np.pad(wave, (0, -len(wave) % size))
    heard = [_through(padded[start : start + size], codec) for start in range(0, len(padded), size)]
    back = resample(np.concatenate(heard), rate, sample_rate)[: len(noise)]
    if not back.any():
        raise UserError(f"mix.noise.streamed: the noise comes out of {codec.name} as silence")
    return np.pad(back, (0, len(noise) - len(back)))


def _through(piece: Samples, codec: SpeechTokenizer) -> Samples:
    (codes,) = codec.tokenize([Clip(piece, codec.sample_rate)])
    if isinstance(codes, Failure):
        raise UserError(f"mix.noise.streamed: {codec.name} cannot encode the noise: {codes.detail}")
    (clip,) = codec.decode([codes])
    return np.pad(clip.samples, (0, max(0, len(piece) - len(clip.samples))))[: len(piece)]


def _spans(length: int, rate: int, generator: Draws, settings: Alternating | None) -> list[tuple[int, int]]:
    """Return the stretches of noise, [start, end); the whole channel where nothing takes turns."""
    if settings is None or generator.random() >= settings.share:
        return [(0, length)]
    spans: list[tuple[int, int]] = []
    at, is_noise = 0, generator.random() < 0.5
    while at < length or not spans:
        end = at + max(1, round(uniform(generator, settings.noise_s if is_noise else settings.silence_s) * rate))
        if is_noise and at < length:
            spans.append((at, min(end, length)))
        elif is_noise:  # the first silence was longer than the channel, which has noise all the same
            return [(0, length)]
        at, is_noise = end, not is_noise
    return spans


def _only(noise: Samples, spans: Sequence[tuple[int, int]], rate: int) -> Samples:
    """Return the noise inside the stretches alone, whose inner edges fade."""
    gains, fade = np.zeros(len(noise), np.float32), round(_EDGE_S * rate)
    for start, end in spans:
        gains[start:end] = 1
        if start > 0 and end - start > fade:
            gains[start : start + fade] = np.linspace(0, 1, fade, dtype=np.float32)
        if end < len(noise) and end - start > fade:
            gains[end - fade : end] *= np.linspace(1, 0, fade, dtype=np.float32)
    return noise * gains
