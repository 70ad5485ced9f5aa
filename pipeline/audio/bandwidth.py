"""Measure up to which frequency a clip has sound: a clip at 16 kHz that was made of one at 8 kHz has none above 4 kHz.

The method is that of the Hi-Fi TTS corpus (Bakhturina et al., arXiv 2104.01497): the highest frequency at which the
mean power spectrum of the clip is within 50 dB of its own peak. Windows and steps are our choice.
"""

import numpy as np

from pipeline.engines.contract import Samples

WINDOW_S = 0.032
"""512 samples at 16 kHz: a bin is 31 Hz wide at every sample rate."""
BELOW_PEAK_DB = 50.0

_LOWEST_BIN = 2
"""Bins below this hold hum and a constant offset, which are no speech and may be louder than it."""
_FRAMES_AT_ONCE = 1024
"""Frames whose spectra are in memory at once: four megabytes at 16 kHz, however long the clip."""


def bandwidth_hz(samples: Samples, sample_rate: int) -> float | None:
    """Return the clip's bandwidth in Hz; None for silence.

    Samples are mono, float32 [T]. Silence within the clip does not change the result, since it adds nothing to the
    mean. Noise counts as sound where it is louder than 50 dB below the peak of the mean spectrum.
    """
    spectrum = _mean_power(samples, max(2, round(WINDOW_S * sample_rate)))
    spectrum[:_LOWEST_BIN] = 0
    loud = np.flatnonzero(spectrum > spectrum.max() * 10 ** (-BELOW_PEAK_DB / 10))
    return float(loud[-1] * sample_rate / (2 * (len(spectrum) - 1))) if loud.size else None


def _mean_power(samples: Samples, window: int) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    """Return the power of each bin, summed over frames that overlap by half; float64 [window / 2 + 1]."""
    window += window % 2
    padded = np.pad(samples, (0, max(0, window - len(samples))))
    frames = np.lib.stride_tricks.sliding_window_view(padded, window)[:: window // 2]
    weights = np.hanning(window)
    power = np.zeros(window // 2 + 1)
    for start in range(0, len(frames), _FRAMES_AT_ONCE):
        spectra = np.fft.rfft(frames[start : start + _FRAMES_AT_ONCE] * weights, axis=1)
        power += np.square(np.abs(spectra)).sum(axis=0)
    return power
