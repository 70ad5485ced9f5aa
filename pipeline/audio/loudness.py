"""Measure and set loudness as listeners hear it: ITU-R BS.1770-4 integrated loudness, by pyloudnorm 0.2.0.

The measure weights the spectrum and leaves out blocks of 0.4 s that are much quieter than the rest. A clip shorter
than one block has no loudness, nor does a clip whose blocks are all below -70 LUFS.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import numpy as np

from manifests.libraries import extra, library, library_version
from pipeline.audio.levels import normalize_peak, peak_dbfs
from pipeline.engines.contract import Samples

BLOCK_S = 0.4
"""The standard's gating block, and so the shortest clip that has a loudness."""

NAME = "pyloudnorm"
_FILTERS = "DeMan"
"""The library's filters that equal the standard's own at 48 kHz. On the standard's check, a 997 Hz sine, they are off
by at most 0.04 LU from 8 to 48 kHz, the library's default filters by 0.18 LU (measured)."""

_INSTALL = extra("quality")

Leveling = Literal["loudness", "peak"]


@dataclass(frozen=True, slots=True)
class Leveled:
    """A clip at its new level, its loudness, and what decided the level: the target loudness or the limit of the peak.

    `loudness_lufs` is None for a clip that has none.
    """

    samples: Samples
    loudness_lufs: float | None
    by: Leveling


def version() -> str:
    """Return the library's version. Raises EngineUnavailable if it is missing."""
    return library_version(NAME, "loudness", _INSTALL)


def loudness_lufs(samples: Samples, sample_rate: int) -> float | None:
    """Return the integrated loudness of mono samples [T]; None for clips under 0.4 s and for silence."""
    if len(samples) < BLOCK_S * sample_rate:
        return None
    loudness = float(_meter(sample_rate).integrated_loudness(samples.astype(np.float64)))
    return loudness if np.isfinite(loudness) else None


def normalize_loudness(samples: Samples, sample_rate: int, target_lufs: float, highest_dbfs: float) -> Leveled:
    """Scale the clip to the target loudness, or as near to it as a peak of `highest_dbfs` allows.

    No sample is limited or compressed: a clip with high peaks ends up quieter than the target. The peak of a clip
    without a loudness is set to `highest_dbfs`.
    """
    loudness = loudness_lufs(samples, sample_rate)
    if loudness is None:
        return Leveled(normalize_peak(samples, highest_dbfs), None, "peak")
    gain_db = target_lufs - loudness
    room_db = highest_dbfs - peak_dbfs(samples)
    if gain_db > room_db:
        return Leveled(normalize_peak(samples, highest_dbfs), loudness + room_db, "peak")
    return Leveled(samples * np.float32(10 ** (gain_db / 20)), target_lufs, "loudness")


@cache
def _meter(sample_rate: int) -> Any:
    """Make the meter of a rate, with filters for that rate. It keeps no state from clip to clip that matters."""
    return library(NAME, "loudness", _INSTALL).Meter(sample_rate, filter_class=_FILTERS)
