"""Make noise, repeat a recording of it, and set its level against speech."""

import math
from typing import Literal

import numpy as np

from pipeline.audio.active import active_dbfs
from pipeline.audio.levels import amplitude, level_dbfs
from pipeline.engines.contract import Samples

MadeNoise = Literal["white", "pink"]

_LOWEST_HZ = 20.0
"""Below this, pink noise keeps its level: nobody hears it, and it would grow without bound."""
_FADE_S = 0.05
"""Seconds over which a recording goes over into its own beginning."""


def made_noise(kind: MadeNoise, num_samples: int, sample_rate: int, generator: np.random.Generator) -> Samples:
    """Make noise, float32 [num_samples], with a level of 1: white, or pink (3 dB less power each octave)."""
    white = generator.standard_normal(num_samples)
    if kind == "pink":
        spectrum = np.fft.rfft(white)
        hz = np.fft.rfftfreq(num_samples, 1 / sample_rate)
        white = np.fft.irfft(spectrum / np.sqrt(np.maximum(hz, _LOWEST_HZ)), num_samples)
    return (white / math.sqrt(float(np.mean(np.square(white))))).astype(np.float32)


def repeated(samples: Samples, num_samples: int, sample_rate: int) -> Samples:
    """Repeat a recording [T], T >= 1, up to `num_samples`; each round fades into the next over 50 ms."""
    fade = min(round(_FADE_S * sample_rate), len(samples) // 2)
    if len(samples) >= num_samples:
        return samples[:num_samples]
    step = len(samples) - fade
    ramp = np.sin(np.pi / 2 * (np.arange(fade) + 0.5) / max(1, fade)).astype(np.float32)
    once = samples.copy()
    once[:fade] *= ramp
    once[len(once) - fade :] *= ramp[::-1]
    made = np.zeros(num_samples + len(samples), np.float32)
    for start in range(0, num_samples, step):
        made[start : start + len(once)] += once
    made[:fade] = samples[:fade]
    return made[:num_samples]


def at_snr(noise: Samples, speech: Samples, sample_rate: int, snr_db: float) -> Samples:
    """Scale the noise so that its mean power lies `snr_db` below that of the active speech.

    Raises ValueError where either is digital silence: no level stands in any ratio to it.
    """
    speech_dbfs, noise_dbfs = active_dbfs(speech, sample_rate), level_dbfs(noise)
    if not math.isfinite(speech_dbfs) or not math.isfinite(noise_dbfs):
        raise ValueError("digital silence has no signal-to-noise ratio")
    return noise * np.float32(amplitude(speech_dbfs - snr_db - noise_dbfs))
