"""Measure and set levels in dBFS: 0 dBFS is an amplitude of 1. Loudness as listeners hear it is in `loudness.py`.

Samples are float32 [T], mono, in -1..1. All functions are pure and leave their input unchanged.
"""

import math

import numpy as np
import numpy.typing as npt

from pipeline.engines.contract import Samples

_FULL_SCALE = 32767 / 32768
_CLIPPED_RUN = 3
_END_S = 0.02
_LOWEST_DB = -120.0
"""Digital silence has no level in dB; this is below what 16 bits can hold."""


def level_dbfs(samples: Samples) -> float:
    """Return the root-mean-square level; minus infinity for silence and for no samples."""
    if samples.size == 0:
        return -math.inf
    return _dbfs(float(np.sqrt(np.mean(np.square(samples, dtype=np.float64)))))


def loudest_dbfs(samples: Samples, sample_rate: int) -> float:
    """Return the root-mean-square level of the loudest 50 ms; minus infinity for silence and for no samples."""
    frame = max(1, sample_rate // 20)
    whole = len(samples) // frame * frame
    if not whole:
        return level_dbfs(samples)
    power = np.mean(np.square(samples[:whole].reshape(-1, frame), dtype=np.float64), axis=1)
    loudest = samples[int(power.argmax()) * frame :][:frame]
    return max(level_dbfs(loudest), level_dbfs(samples[-frame:]))


def end_level_db(samples: Samples, sample_rate: int) -> float | None:
    """Return the level of the last 20 ms relative to the loudest 50 ms, -120 at least; None for silence.

    Speech that is cut off ends at a level near its own. Synthesizers let it decay, and put silence behind it.
    """
    loudest = loudest_dbfs(samples, sample_rate)
    if not math.isfinite(loudest):
        return None
    end = samples[-max(1, round(_END_S * sample_rate)) :]
    return max(level_dbfs(end) - loudest, _LOWEST_DB)


def peak_dbfs(samples: Samples) -> float:
    """Return the level of the largest sample; minus infinity for silence and for no samples."""
    return _dbfs(peak(samples))


def normalize_peak(samples: Samples, peak_dbfs: float) -> Samples:
    """Scale the clip so that its largest sample is at `peak_dbfs`; silence stays unchanged."""
    largest = peak(samples)
    if largest == 0:
        return samples
    return samples * np.float32(amplitude(peak_dbfs) / largest)


def clipped_share(samples: Samples) -> float:
    """Return the share of samples in runs of at least three at full scale, the largest 16-bit values of one sign.

    One such sample may be a peak that just fits; three in a row are a wave whose top is cut off.
    """
    if samples.size == 0:
        return 0.0
    return sum(_in_runs(sign * samples >= _FULL_SCALE) for sign in (1, -1)) / samples.size


def peak(samples: Samples) -> float:
    """Return the magnitude of the largest sample; 0 for no samples."""
    return float(np.max(np.abs(samples), initial=0.0))


def amplitude(dbfs: float) -> float:
    """Return the amplitude of a level."""
    return float(10 ** (dbfs / 20))


def _in_runs(marked: npt.NDArray[np.bool_]) -> int:
    """Count the marked samples that lie in runs of at least `_CLIPPED_RUN`."""
    edges = np.flatnonzero(np.diff(marked, prepend=False, append=False))
    lengths = edges[1::2] - edges[::2]
    return int(lengths[lengths >= _CLIPPED_RUN].sum())


def _dbfs(amplitude: float) -> float:
    return 20 * math.log10(amplitude) if amplitude > 0 else -math.inf
