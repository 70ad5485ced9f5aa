"""Resamples decoded clips. `soxr` is imported on the first call: reading a corpus does not need it."""

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]


def resampled_length(num_samples: int, from_rate: int, to_rate: int) -> int:
    """Return `num_samples * to_rate / from_rate`, rounded to the nearest integer, halves up."""
    return (2 * num_samples * to_rate + from_rate) // (2 * from_rate)


def resample(samples: Samples, from_rate: int, to_rate: int) -> Samples:
    """Resample to `resampled_length` samples (soxr, high quality). If the rates are equal, return the same array."""
    if from_rate == to_rate:
        return samples
    import soxr

    made: Samples = soxr.resample(samples, from_rate, to_rate, quality="HQ")
    # soxr rounds half a sample by the rounding error of the ratio (3000 from 24 to 44.1 kHz: 5512 for 5512.5).
    length = resampled_length(len(samples), from_rate, to_rate)
    return np.pad(made[:length], (0, max(0, length - len(made))), mode="edge" if made.size else "constant")
