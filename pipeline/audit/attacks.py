"""Change clips as users do: codecs, other rates, noise, cuts, gain. All pure; noise depends on the clip alone."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from manifests.audio import decode
from pipeline.audio.samples import encode, resample
from pipeline.audio.telephone import by_telephone
from pipeline.audit.codecs import AAC_96, MP3_64, MP3_128, OPUS_32, Codec, fit, round_trip
from pipeline.engines.contract import Clip

SHORTEST_S = 0.5
"""In seconds. A cut that leaves less is not tried: no user keeps it, and detectors are unsure of it
(`pipeline.engines.watermark.perth`)."""

GAIN_DB = -12.0


@dataclass(frozen=True, slots=True)
class Attack:
    """One change. `apply` returns the changed clip, or None if the clip is too short for the attack."""

    name: str
    about: str
    apply: Callable[[Clip], Clip | None]


def _same(clip: Clip) -> Clip:
    return clip


def _flac(clip: Clip) -> Clip:
    return Clip(*decode(encode(clip.samples, clip.sample_rate, "flac")))


def _codec(codec: Codec) -> Callable[[Clip], Clip]:
    return lambda clip: round_trip(clip, codec)


def _through(sample_rate: int) -> Callable[[Clip], Clip]:
    """Resample to another rate and back, to the same length."""

    def apply(clip: Clip) -> Clip:
        there = resample(clip.samples, clip.sample_rate, sample_rate)
        return Clip(fit(resample(there, sample_rate, clip.sample_rate), len(clip.samples)), clip.sample_rate)

    return apply


def _telephone(clip: Clip) -> Clip:
    return Clip(by_telephone(clip.samples, clip.sample_rate, "mu-law"), clip.sample_rate)


def _noise(snr_db: float) -> Callable[[Clip], Clip]:
    """Add white noise at `snr_db` below the mean power of the clip."""

    def apply(clip: Clip) -> Clip:
        # Seeded by the samples, so that neither the order nor the number of clips matters.
        seed = int.from_bytes(hashlib.blake2b(clip.samples.tobytes(), digest_size=8).digest(), "big")
        noise = np.random.default_rng(seed).standard_normal(len(clip.samples), dtype=np.float32)
        power = float(np.mean(np.square(clip.samples, dtype=np.float64)))
        level = np.float32(np.sqrt(power * 10 ** (-snr_db / 10)))
        return Clip(np.clip(clip.samples + level * noise, -1, 1), clip.sample_rate)

    return apply


def _without_first_second(clip: Clip) -> Clip | None:
    return _cut(clip, clip.sample_rate, len(clip.samples))


def _middle_half(clip: Clip) -> Clip | None:
    quarter = len(clip.samples) // 4
    return _cut(clip, quarter, len(clip.samples) - quarter)


def _cut(clip: Clip, first: int, end: int) -> Clip | None:
    if end - first < SHORTEST_S * clip.sample_rate:
        return None
    return Clip(np.ascontiguousarray(clip.samples[first:end]), clip.sample_rate)


def _quieter(clip: Clip) -> Clip:
    return Clip(clip.samples * np.float32(10 ** (GAIN_DB / 20)), clip.sample_rate)


ATTACKS = (
    Attack("none", "the delivered clip", _same),
    Attack("flac", "FLAC, 16 bits", _flac),
    Attack("mp3-128", "MP3, 128 kbit/s", _codec(MP3_128)),
    Attack("mp3-64", "MP3, 64 kbit/s", _codec(MP3_64)),
    Attack("opus-32", "Opus, 32 kbit/s", _codec(OPUS_32)),
    Attack("aac-96", "AAC, 96 kbit/s", _codec(AAC_96)),
    Attack("resample-16k", "to 16 kHz and back", _through(16_000)),
    Attack("resample-8k", "to 8 kHz and back", _through(8_000)),
    Attack("telephone", "300 to 3400 Hz, G.711 mu-law", _telephone),
    Attack("noise-30db", "white noise, 30 dB below the clip", _noise(30)),
    Attack("noise-20db", "white noise, 20 dB below the clip", _noise(20)),
    Attack("crop-1s", "without its first second", _without_first_second),
    Attack("crop-half", "its middle half", _middle_half),
    Attack("gain-12db", "12 dB quieter", _quieter),
)
"""The attacks in the order of the report; the first is the clip as delivered."""
