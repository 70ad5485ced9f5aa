"""Clips and tiny models that the encoders' tests make for themselves."""

import numpy as np

from pipeline.engines.contract import Clip

RATE = 16_000


def voice(seconds, pitch=120.0, rate=RATE, seed=0):
    """Something like speech: gliding harmonics under formants, in syllables, with hiss."""
    time = np.arange(round(seconds * rate)) / rate
    phase = 2 * np.pi * np.cumsum(pitch * (1 + 0.1 * np.sin(4 * np.pi * time))) / rate
    harmonics = sum(
        np.sin(k * phase)
        * (np.exp(-(((k * pitch - 600) / 400) ** 2)) + 0.6 * np.exp(-(((k * pitch - 1700) / 500) ** 2)))
        for k in range(1, 40)
        if 1.2 * k * pitch < rate / 2
    )
    hiss = np.random.default_rng(seed).normal(0, 0.01, len(time))
    samples = harmonics * (0.2 + 0.8 * np.abs(np.sin(9 * time))) + hiss
    return Clip((0.5 * samples / np.abs(samples).max()).astype(np.float32), rate)


BAD_CLIPS = {
    "empty": (Clip(np.zeros(0, np.float32), RATE), "0.00 s"),
    "too short": (Clip(voice(0.49).samples, RATE), "0.49 s"),
    "silence": (Clip(np.zeros(2 * RATE, np.float32), RATE), "silent"),
    "nearly silence": (Clip(voice(2).samples * np.float32(1e-5), RATE), "silent"),
    "nan": (Clip(np.where(np.arange(RATE) == 7, np.nan, 0.1).astype(np.float32), RATE), "NaN"),
    "infinity": (Clip(np.where(np.arange(RATE) == 7, np.inf, 0.1).astype(np.float32), RATE), "infinite"),
}
