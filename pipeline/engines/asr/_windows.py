"""Cuts clips that are longer than a model's window where they are quietest, so that the whole clip is decoded.

The alternative for Whisper is to let it write timestamps and continue from the last one. That decodes the windows of a
clip one after the other, ties each to the one before it, skips what lies between two timestamps, and exists for no
other model. Cutting is the same for all engines, and the windows of all clips can be decoded in one batch.

Measured on five clips of 35 to 42 s of flite speech (level -16 to -21 dBFS): the 200 ms around a cut lie at -42 to
-49 dBFS; those around a cut at 30 s sharp would lie at -14 to -28.
"""

import numpy as np

from pipeline.engines.contract import Samples
from pipeline.engines.shared.silence_guard import SAMPLE_RATE

WINDOW_S = 30
"""The length that Whisper's encoder takes; SenseVoice and Fun-ASR should get no more either."""

EARLIEST_S = 20
"""Speech pauses in any ten seconds; a window is not made shorter than this."""

SHORTEST_S = 5
"""The last window gets at least this much: a model that is given half a word makes up the rest."""

_FRAME = SAMPLE_RATE // 50
_PAUSE_FRAMES = 10  # of 20 ms: the pauses between phrases are longer, the closures of stops shorter


def cut_windows(samples: Samples) -> list[Samples]:
    """Cut samples (float32 [T], 16 kHz) into consecutive pieces of at most 30 s; a short clip stays whole."""
    windows = []
    while len(samples) > WINDOW_S * SAMPLE_RATE:
        cut = _quietest(samples)
        windows.append(samples[:cut])
        samples = samples[cut:]
    return [*windows, samples]


def _quietest(samples: Samples) -> int:
    """Find the middle of the quietest 200 ms in which the first window may end; the last of equals."""
    first = EARLIEST_S * SAMPLE_RATE
    last = min(WINDOW_S * SAMPLE_RATE, len(samples) - SHORTEST_S * SAMPLE_RATE)
    whole = (last - first) // _FRAME
    frames = samples[first : first + whole * _FRAME].reshape(whole, _FRAME)
    power = np.mean(np.square(frames, dtype=np.float64), axis=1)
    sums = np.convolve(power, np.ones(_PAUSE_FRAMES), mode="valid")
    start = int(np.flatnonzero(sums <= sums.min() * (1 + 1e-9))[-1])
    return first + (start + _PAUSE_FRAMES // 2) * _FRAME
