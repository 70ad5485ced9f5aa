"""The tone watermark: a pilot tone for dry runs, which anybody can hear and remove. It carries no message."""

from collections.abc import Sequence
from functools import cache, lru_cache

import numpy as np

from manifests.reasons import Reason
from pipeline.engines.contract import Clip, Detection, Engine, Failure, Samples

NAME = "tone-mark"
VERSION = "2"

_PILOT_HZ = 187.5
_PILOT_LEVEL = 0.05
_PILOT_FLOOR = 0.001
_PILOT_BLOCK_S = 0.032
_SPEECH_POWER = 0.1
"""Blocks within 10 dB of the loudest count as speech."""


def version() -> str:
    return VERSION


class ToneWatermarker:
    """Adds a pilot tone at 187.5 Hz, 26 dB below the level of the clip's speech, and finds it by its power.

    The level is that of what is not much quieter than the rest, so that silence between turns changes nothing, and a
    turn that is cut out of a marked channel has a mark of the strength that belongs to its own level.

    A test double for dry runs: a high-pass filter removes the mark, and it proves nothing about a clip. It is meant
    for the tone voices, since detectors that were trained on speech are unsure of chords.
    """

    name = NAME
    version = VERSION
    bits = 0

    def embed(self, clips: Sequence[Clip], messages: Sequence[int]) -> list[Clip | Failure]:
        return [_add_pilot(clip) for clip in clips]

    def detect(self, clips: Sequence[Clip]) -> list[Detection | Failure]:
        return [_find_pilot(clip) for clip in clips]


def _add_pilot(clip: Clip) -> Clip | Failure:
    if not clip.samples.size:
        return Failure(Reason.WATERMARK_FAILED, "the clip is empty")
    amplitude = np.float32(_pilot_amplitude(clip.samples, clip.sample_rate))
    pilot = np.resize(_pilot(clip.sample_rate), clip.samples.shape) * amplitude
    return Clip(np.clip(clip.samples + pilot, -1, 1), clip.sample_rate)


def _find_pilot(clip: Clip) -> Detection | Failure:
    """Score a clip by the power of its pilot over that which `_add_pilot` gives a clip of this level."""
    if not clip.samples.size:
        return Failure(Reason.WATERMARK_FAILED, "the clip is empty")
    amplitude = _amplitude_at_pilot(clip.samples, clip.sample_rate)
    return Detection(min(1.0, (amplitude / _pilot_amplitude(clip.samples, clip.sample_rate)) ** 2))


def _amplitude_at_pilot(samples: Samples, sample_rate: int) -> float:
    """Amplitude of the sine at the pilot's frequency, averaged in phase over windowed blocks of 32 ms."""
    block = min(round(_PILOT_BLOCK_S * sample_rate), len(samples))
    count = len(samples) // block
    cosines, sines = (samples[: count * block].reshape(count, block) @ _probe(sample_rate, block)).T
    turn = 2 * np.pi * _PILOT_HZ * block / sample_rate
    return float(abs(np.mean((cosines - 1j * sines) * np.exp(-1j * turn * np.arange(count)))))


def _pilot_amplitude(samples: Samples, sample_rate: int) -> float:
    block = max(1, round(_PILOT_BLOCK_S * sample_rate))
    padded = np.pad(samples, (0, -len(samples) % block))
    powers = np.mean(np.square(padded.reshape(-1, block)), axis=1)
    loud = powers[powers >= powers.max() * _SPEECH_POWER]
    return max(_PILOT_LEVEL * float(np.sqrt(loud.mean())), _PILOT_FLOOR)


@cache
def _pilot(sample_rate: int) -> Samples:
    """Two seconds of the pilot, 375 periods: it repeats without a jump at any rate."""
    return np.sin(2 * np.pi * _PILOT_HZ * np.arange(2 * sample_rate) / sample_rate).astype(np.float32)


@lru_cache(maxsize=64)
def _probe(sample_rate: int, num_samples: int) -> Samples:
    """Cosine and sine of the pilot under a Hann window, [num_samples, 2]: their products with a unit pilot give 1."""
    window = np.sin(np.pi * (np.arange(num_samples) + 0.5) / num_samples) ** 2
    angle = 2 * np.pi * _PILOT_HZ * np.arange(num_samples) / sample_rate
    waves = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    probe: Samples = (waves * (2 * window / window.sum())[:, None]).astype(np.float32)
    return probe


ENGINE = Engine("watermark", "tone-mark", "a pilot tone, for dry runs only", open=ToneWatermarker, version=version)
