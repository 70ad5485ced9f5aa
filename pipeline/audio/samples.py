"""Process audio between the engines and the corpus: encode, resample, trim and pad. Levels are in `levels.py`.

Samples are float32 [T], mono, in -1..1. All functions are pure and leave their input unchanged.
"""

import numpy as np

from manifests.audio import encoded
from manifests.resampling import resample, resampled_length
from manifests.schema import Audio
from pipeline.audio.levels import amplitude, peak
from pipeline.engines.contract import Samples

__all__ = [
    "encode",
    "loud_span",
    "pad_silence",
    "resample",
    "resampled_length",
    "trim_silence",
]

SILENCE_DB = -50.0
"""Samples quieter than this, relative to the clip's peak, are silence at its edges."""


def encode(samples: Samples, sample_rate: int, codec: str, path: str | None = None) -> Audio:
    """Encode a mono 16-bit file ("wav" or "flac") in memory: see `manifests.audio.encoded`, which raises ValueError
    for samples that have no 16-bit value."""
    return Audio(encoded(samples, sample_rate, codec), path, codec, sample_rate, len(samples))


def loud_span(samples: Samples, threshold_db: float = SILENCE_DB) -> tuple[int, int]:
    """Return the span from the first to past the last sample above `threshold_db` relative to the clip's own peak.

    A clip that is silent throughout gives (0, 0).
    """
    loud = np.flatnonzero(np.abs(samples) > peak(samples) * amplitude(threshold_db))
    return (int(loud[0]), int(loud[-1]) + 1) if loud.size else (0, 0)


def trim_silence(samples: Samples, threshold_db: float = SILENCE_DB) -> Samples:
    """Cut the clip to its first and last sample above `threshold_db` relative to its own peak.

    The threshold is relative so that a quiet clip survives; an entirely silent clip becomes empty.
    """
    start, end = loud_span(samples, threshold_db)
    return samples[start:end]


def pad_silence(samples: Samples, sample_rate: int, leading_ms: int, trailing_ms: int) -> Samples:
    """Put digital silence around the clip, `ms * sample_rate // 1000` samples on each side."""
    return np.pad(samples, (leading_ms * sample_rate // 1000, trailing_ms * sample_rate // 1000))
