"""The log mel energies that Whisper hears, without padding to 30 s: what encoders that descend from it take."""

from functools import cache

import numpy as np

from pipeline.engines.contract import Samples

SAMPLE_RATE = 16_000
HOP = 160
_FFT = 400

_LINEAR_HZ, _LINEAR_STEP, _LOG_STEP = 1000.0, 200.0 / 3.0, np.log(6.4) / 27.0
"""Slaney's mel scale: linear up to 1 kHz, then logarithmic."""


def log_mel(samples: Samples, bins: int) -> Samples:
    """Compute log mel energies, float32 [bins, T // 160], of 16 kHz samples [T], T above 200.

    Frames of 25 ms every 10 ms, their centers from the first sample on; values within 8 (decades of power) of the
    largest, scaled as Whisper does.
    """
    padded = np.pad(samples, _FFT // 2, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, _FFT)[::HOP][: len(samples) // HOP]
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(_FFT) / _FFT)
    power = np.abs(np.fft.rfft(frames * window, axis=1)) ** 2
    logs = np.log10(np.maximum(power @ _filters(bins).T, 1e-10))
    scaled = (np.maximum(logs, logs.max() - 8.0) + 4.0) / 4.0
    return np.ascontiguousarray(scaled.T, np.float32)


@cache
def _filters(bins: int) -> "np.ndarray[tuple[int, int], np.dtype[np.float64]]":
    """Return triangles of equal area on Slaney's mel scale from 0 to 8 kHz, float64 [bins, 201]."""
    top = _LINEAR_HZ / _LINEAR_STEP + np.log(SAMPLE_RATE / 2 / _LINEAR_HZ) / _LOG_STEP
    mels = np.linspace(0, top, bins + 2)
    knee = _LINEAR_HZ / _LINEAR_STEP
    hz = np.where(mels < knee, mels * _LINEAR_STEP, _LINEAR_HZ * np.exp(_LOG_STEP * (mels - knee)))
    frequencies = np.arange(_FFT // 2 + 1) * SAMPLE_RATE / _FFT
    rising = (frequencies - hz[:-2, None]) / np.diff(hz)[:-1, None]
    falling = (hz[2:, None] - frequencies) / np.diff(hz)[1:, None]
    area = 2.0 / (hz[2:] - hz[:-2])
    filters: np.ndarray[tuple[int, int], np.dtype[np.float64]] = area[:, None] * np.maximum(
        0, np.minimum(rising, falling)
    )
    return filters
