"""Measure the level of speech where somebody speaks: pauses would make every talk with long pauses seem quiet.

A frame of 20 ms is active where its level is within 40 dB of the loudest frame's. Both numbers are our choice: the
frame is as long as a short sound, and 40 dB is more than the range of a speaker's levels within a sentence.
"""

import math

import numpy as np

from pipeline.engines.contract import Samples

FRAME_S = 0.02
ACTIVE_DB = 40.0


def active_dbfs(samples: Samples, sample_rate: int) -> float:
    """Return the root-mean-square level of the active frames of mono samples [T]; minus infinity for silence."""
    frame = max(1, round(FRAME_S * sample_rate))
    padded = np.pad(samples, (0, -len(samples) % frame))
    power = np.mean(np.square(padded.reshape(-1, frame), dtype=np.float64), axis=1)
    loudest = float(power.max(initial=0.0))
    if loudest == 0:
        return -math.inf
    return 10 * math.log10(float(power[power > loudest * 10 ** (-ACTIVE_DB / 10)].mean()))
