"""Process audio between the engines and the corpus: encode, resample, trim and pad. Levels are in `levels.py`.

Samples are float32 [T], mono, in -1..1. All functions are pure and leave their input unchanged.
"""

from io import BytesIO

import numpy as np
import soundfile

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

_FORMATS = {"wav": "WAV", "flac": "FLAC"}
_PCM16_SCALE = 32768

SILENCE_DB = -50.0
"""Samples quieter than this, relative to the clip's peak, are silence at its edges."""


def encode(samples: Samples, sample_rate: int, codec: str, path: str | None = None) -> Audio:
    """Encode a mono 16-bit file ("wav" or "flac") in memory; the same samples always give the same bytes.

    Samples beyond -1..1 are clipped. Decoding and encoding again gives the same bytes, since both use the scale 32768.
    Raises ValueError for an unknown codec, an empty or non-mono array, and for NaN or infinite samples: these have no
    16-bit value, and the engine that made the clip must fail it.
    """
    if codec not in _FORMATS:
        raise ValueError(f"unknown codec {codec!r}: expected one of {', '.join(_FORMATS)}")
    if samples.ndim != 1 or samples.size == 0:
        raise ValueError(f"expected mono samples [T] with T >= 1, got the shape {samples.shape}")
    if not np.isfinite(samples).all():
        raise ValueError("the clip holds NaN or infinite samples")
    pcm = np.clip(np.rint(samples * _PCM16_SCALE), -_PCM16_SCALE, _PCM16_SCALE - 1).astype(np.int16)
    file = BytesIO()
    soundfile.write(file, pcm, sample_rate, format=_FORMATS[codec], subtype="PCM_16")
    return Audio(file.getvalue(), path, codec, sample_rate, len(pcm))


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
