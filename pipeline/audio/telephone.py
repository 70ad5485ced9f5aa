"""Send a channel over the telephone: 8 kHz, 300 to 3400 Hz, and a codec of the line, by libsndfile (`soundfile`).

Everything keeps its place in time: the filter is symmetric, and the codecs' files begin with the first sample.
"""

from functools import cache
from io import BytesIO
from typing import Literal

import numpy as np

from pipeline.audio.convolve import convolve
from pipeline.audio.samples import resample
from pipeline.engines.contract import Samples

Line = Literal["band", "mu-law", "a-law", "gsm"]
"""What the line does besides its band: nothing, ITU-T G.711 with either law, or GSM 06.10 full rate."""

RATE = 8_000
LOWEST_HZ, HIGHEST_HZ = 300.0, 3400.0
"""The band of the analog telephone."""

_TAPS = 513
"""64 ms: the filter goes from one half to a thousandth within 50 Hz."""
_SUBTYPES = {"mu-law": "ULAW", "a-law": "ALAW", "gsm": "GSM610"}


def by_telephone(samples: Samples, sample_rate: int, line: Line) -> Samples:
    """Return mono samples [T] as they come out of the line: the same length and rate, in -1..1."""
    narrow = np.clip(convolve(resample(samples, sample_rate, RATE), _band(), _TAPS // 2), -1, 1)
    heard = resample(_coded(narrow, line), RATE, sample_rate)[: len(samples)]
    return np.clip(np.pad(heard, (0, len(samples) - len(heard))), -1, 1)


def _coded(samples: Samples, line: Line) -> Samples:
    """Encode and decode at 8 kHz. GSM's blocks are whole: what they have more is cut off."""
    if line == "band":
        return samples
    import soundfile

    file = BytesIO()
    soundfile.write(file, samples, RATE, format="WAV", subtype=_SUBTYPES[line])
    file.seek(0)
    decoded, _ = soundfile.read(file, dtype="float32")
    return np.pad(decoded[: len(samples)], (0, max(0, len(samples) - len(decoded))))


@cache
def _band() -> Samples:
    """Make the band pass: the difference of two low passes, windowed sincs; float32 [_TAPS], symmetric."""
    times = np.arange(_TAPS) - _TAPS // 2
    low_passes = [2 * hz / RATE * np.sinc(2 * hz / RATE * times) for hz in (LOWEST_HZ, HIGHEST_HZ)]
    band: Samples = ((low_passes[1] - low_passes[0]) * np.hamming(_TAPS)).astype(np.float32)
    return band
