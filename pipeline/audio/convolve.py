"""Convolve long channels with short filters, block by block: memory does not grow with the spectrum of the whole."""

import numpy as np

from pipeline.engines.contract import Samples

_SMALLEST_FFT = 1 << 14


def convolve(samples: Samples, kernel: Samples, delay: int = 0) -> Samples:
    """Convolve mono samples [T] with a filter [K], and take T samples of the result from sample `delay` on.

    `delay` is where the filter's own time 0 lies, 0 <= delay < K: with the middle of a symmetric filter nothing moves.
    """
    size = max(_SMALLEST_FFT, 1 << (2 * len(kernel)).bit_length())
    step = size - len(kernel) + 1
    spectrum = np.fft.rfft(kernel.astype(np.float64), size)
    made = np.zeros(len(samples) + len(kernel) - 1)
    for start in range(0, len(samples), step):
        block = np.fft.irfft(np.fft.rfft(samples[start : start + step], size) * spectrum, size)
        part = made[start : start + size]
        part += block[: len(part)]
    return np.ascontiguousarray(made[delay : delay + len(samples)], dtype=np.float32)
