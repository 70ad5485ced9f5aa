"""Process audio between the engines and the corpus: encode, resample, set levels and edges.

Samples are float32 [T], mono, in -1..1. All functions are pure and leave their input unchanged. Levels are in dBFS: 0
dBFS is an amplitude of 1.
"""

import math
from io import BytesIO

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

from manifests.schema import Audio
from pipeline.engines.contract import Samples

_FORMATS = {"wav": "WAV", "flac": "FLAC"}
_PCM16_SCALE = 32768
_FULL_SCALE = (_PCM16_SCALE - 1) / _PCM16_SCALE
_CLIPPED_RUN = 3

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


def resampled_length(num_samples: int, from_rate: int, to_rate: int) -> int:
    """Return `num_samples * to_rate / from_rate`, rounded to the nearest integer, halves up."""
    return (2 * num_samples * to_rate + from_rate) // (2 * from_rate)


def resample(samples: Samples, from_rate: int, to_rate: int) -> Samples:
    """Resample to `resampled_length` samples (soxr, high quality). If the rates are equal, return the same array."""
    if from_rate == to_rate:
        return samples
    made: Samples = soxr.resample(samples, from_rate, to_rate, quality="HQ")
    # soxr rounds half a sample by the rounding error of the ratio (3000 from 24 to 44.1 kHz: 5512 for 5512.5).
    length = resampled_length(len(samples), from_rate, to_rate)
    return np.pad(made[:length], (0, max(0, length - len(made))), mode="edge" if made.size else "constant")


def level_dbfs(samples: Samples) -> float:
    """Return the root-mean-square level; minus infinity for silence and for no samples."""
    if samples.size == 0:
        return -math.inf
    return _dbfs(float(np.sqrt(np.mean(np.square(samples, dtype=np.float64)))))


def peak_dbfs(samples: Samples) -> float:
    """Return the level of the largest sample; minus infinity for silence and for no samples."""
    return _dbfs(_peak(samples))


def normalize_peak(samples: Samples, peak_dbfs: float) -> Samples:
    """Scale the clip so that its largest sample is at `peak_dbfs`; silence stays unchanged."""
    peak = _peak(samples)
    if peak == 0:
        return samples
    return samples * np.float32(_amplitude(peak_dbfs) / peak)


def loud_span(samples: Samples, threshold_db: float = SILENCE_DB) -> tuple[int, int]:
    """Return the span from the first to past the last sample above `threshold_db` relative to the clip's own peak.

    A clip that is silent throughout gives (0, 0).
    """
    loud = np.flatnonzero(np.abs(samples) > _peak(samples) * _amplitude(threshold_db))
    return (int(loud[0]), int(loud[-1]) + 1) if loud.size else (0, 0)


def clipped_share(samples: Samples) -> float:
    """Return the share of samples in runs of at least three at full scale, the largest 16-bit values of one sign.

    One such sample may be a peak that just fits; three in a row are a wave whose top is cut off.
    """
    if samples.size == 0:
        return 0.0
    return sum(_in_runs(sign * samples >= _FULL_SCALE) for sign in (1, -1)) / samples.size


def trim_silence(samples: Samples, threshold_db: float = SILENCE_DB) -> Samples:
    """Cut the clip to its first and last sample above `threshold_db` relative to its own peak.

    The threshold is relative so that a quiet clip survives; an entirely silent clip becomes empty.
    """
    start, end = loud_span(samples, threshold_db)
    return samples[start:end]


def pad_silence(samples: Samples, sample_rate: int, leading_ms: int, trailing_ms: int) -> Samples:
    """Put digital silence around the clip, `ms * sample_rate // 1000` samples on each side."""
    return np.pad(samples, (leading_ms * sample_rate // 1000, trailing_ms * sample_rate // 1000))


def _in_runs(marked: npt.NDArray[np.bool_]) -> int:
    """Count the marked samples that lie in runs of at least `_CLIPPED_RUN`."""
    edges = np.flatnonzero(np.diff(marked, prepend=False, append=False))
    lengths = edges[1::2] - edges[::2]
    return int(lengths[lengths >= _CLIPPED_RUN].sum())


def _peak(samples: Samples) -> float:
    return float(np.max(np.abs(samples), initial=0.0))


def _dbfs(amplitude: float) -> float:
    return 20 * math.log10(amplitude) if amplitude > 0 else -math.inf


def _amplitude(dbfs: float) -> float:
    return float(10 ** (dbfs / 20))
