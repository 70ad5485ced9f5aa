"""Lay clips out on a channel, and take channels together. Samples are float32 [T], mono; times are samples."""

from collections.abc import Iterable

import numpy as np

from pipeline.audio.levels import amplitude, peak, peak_dbfs
from pipeline.engines.contract import Samples

LIMIT_DBFS = -1.0
"""Peak of a channel that would exceed full scale: the watermark still has room above it."""


def laid_out(clips: Iterable[tuple[int, Samples]], num_samples: int) -> Samples:
    """Add up clips on a channel of `num_samples`, each from its start on.

    Raises ValueError for a clip that sticks out.
    """
    channel = np.zeros(num_samples, np.float32)
    for start, samples in clips:
        if start < 0 or start + len(samples) > num_samples:
            raise ValueError(f"a clip from {start} to {start + len(samples)} on a channel of {num_samples} samples")
        channel[start : start + len(samples)] += samples
    return channel


def delayed(samples: Samples, delay: int) -> Samples:
    """Return the channel `delay` samples later; what goes beyond its end is cut off."""
    return np.pad(samples[: max(0, len(samples) - delay)], (min(delay, len(samples)), 0))


def limited(samples: Samples) -> tuple[Samples, float]:
    """Scale down a channel that exceeds full scale, and return it with the change in dB; 0: it stays as it is."""
    if peak(samples) <= 1:
        return samples, 0.0
    change_db = LIMIT_DBFS - peak_dbfs(samples)
    return samples * np.float32(amplitude(change_db)), change_db
