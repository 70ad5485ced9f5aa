"""Clips for the recognizers' tests: tones in noise, each of another length and pitch."""

import numpy as np

from pipeline.engines.contract import Clip


def sound(seconds: float, pitch: float = 400.0, rate: int = 16_000, level: float = 0.3) -> Clip:
    time = np.arange(round(seconds * rate)) / rate
    noise = np.random.default_rng(round(pitch)).standard_normal(len(time))
    wave = np.sin(2 * np.pi * pitch * time * (1 + 0.1 * np.sin(3 * time))) + 0.15 * noise
    return Clip((level * wave).astype(np.float32), rate)


def silence(seconds: float, rate: int = 16_000) -> Clip:
    return Clip(np.zeros(round(seconds * rate), np.float32), rate)


SEVERAL = [sound(1.2, 300), sound(3.4, 900), sound(5.1, 2000), sound(2.3, 500), sound(0.15, 700)]
