"""Compares two clips of the same text: are they the same, and is it the same voice?

Two distances, both in dB, both independent of the level:

* `voice_distance` compares mean spectra. The text is the same, so its sounds average to the same, and what is left is
  the voice: the length of the vocal tract, the pitch, the recording. The phase does not matter.
* `detail_distance` compares the spectra frame by frame, and counts the frames that one clip has more as wholly
  different. It sees another rhythm, another melody, another sound at any place.

Where a speaker encoder is installed, `voice_distance` is 1 minus the cosine of its embeddings.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from pipeline.audio.samples import loud_span, resample
from pipeline.engines.contract import Clip, Samples

SAMPLE_RATE = 16_000
_FRAME, _HOP = 512, 160
_BANDS = 40
_LOWEST_HZ, _HIGHEST_HZ = 60.0, 7600.0
_DYNAMIC_DB = 40.0
"""Quieter bands of a clip, relative to its loudest, count as silence: there the noise of the codec differs."""
MISSING_DB = 20.0
"""Difference of a frame that the other clip does not have."""

Distance = Callable[[Clip, Clip], float]


def is_same(first: Clip, second: Clip) -> bool:
    """Tell whether two clips have the same samples."""
    return first.sample_rate == second.sample_rate and np.array_equal(first.samples, second.samples)


def duration_s(clip: Clip) -> float:
    """Return the seconds from the first to the last loud sample."""
    start, end = loud_span(clip.samples)
    return (end - start) / clip.sample_rate


def voice_distance(first: Clip, second: Clip) -> float:
    """Return the root-mean-square difference of the mean spectra, dB."""
    means = [_spectra(clip).mean(axis=0) for clip in (first, second)]
    centered = [mean - mean.mean() for mean in means]
    return float(np.sqrt(np.mean(np.square(centered[0] - centered[1]))))


def detail_distance(first: Clip, second: Clip) -> float:
    """Return the mean difference of the spectra, frame by frame, dB; 0 for two clips of the same samples."""
    one, two = _spectra(first), _spectra(second)
    shorter, longer = sorted((len(one), len(two)))
    common = np.abs(one[:shorter] - two[:shorter]).mean(axis=1).sum()
    return float((common + MISSING_DB * (longer - shorter)) / longer)


def _spectra(clip: Clip) -> npt.NDArray[np.float64]:
    """Return the level of each band in each frame, [n, 40] dB below the loudest, -40 at least."""
    samples = resample(clip.samples, clip.sample_rate, SAMPLE_RATE)
    start, end = loud_span(samples)
    frames = _frames(samples[start:end])
    power = np.square(np.abs(np.fft.rfft(frames * np.hanning(_FRAME), axis=1))) @ _filters()
    level: npt.NDArray[np.float64] = 10 * np.log10(power + 1e-12)
    floored: npt.NDArray[np.float64] = np.maximum(level - level.max(), -_DYNAMIC_DB)
    return floored


def _frames(samples: Samples) -> npt.NDArray[np.float32]:
    padded = np.pad(samples, (0, max(0, _FRAME - len(samples))))
    windows: npt.NDArray[np.float32] = np.lib.stride_tricks.sliding_window_view(padded, _FRAME)[::_HOP]
    return windows


def _filters() -> npt.NDArray[np.float64]:
    """Return triangles of equal width on the mel scale, [257, 40]."""
    edges_mel = np.linspace(_mel(_LOWEST_HZ), _mel(_HIGHEST_HZ), _BANDS + 2)
    edges = 700 * (np.exp(edges_mel / 1127) - 1)
    bins = np.fft.rfftfreq(_FRAME, 1 / SAMPLE_RATE)[:, None]
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    triangles: npt.NDArray[np.float64] = np.clip(np.minimum(rising, falling), 0, None)
    return triangles


def _mel(hz: float) -> float:
    return float(1127 * np.log(1 + hz / 700))
