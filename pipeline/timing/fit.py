"""Learns a timing profile from talks: histograms of what was found, with bounded bins.

What the talks do not show stays as in the profile that the fit begins from: when an interruption begins after a word
can only be told from words, and a lag of a backchannel only where it is labeled.
"""

from collections.abc import Iterable, Sequence

import numpy as np

from manifests.errors import UserError
from pipeline.timing.profile import TIMES, HistogramTime, Profile, RandomTime
from pipeline.timing.statistics import TimingStatistics
from pipeline.timing.talks import Talk

BIN_S = 0.05
"""Width of the bins. Ours: finer than anybody hears, and coarser than most annotations."""
LOWEST_S, HIGHEST_S = -2.0, 5.0
"""Where the bins end; what lies outside counts in the outermost bin. Ours: beyond, somebody does something else."""
FEWEST = 30
"""Values from which a histogram is made: fewer say little. Ours."""


def fit_profile(talks: Iterable[Talk], name: str, base: Profile) -> tuple[Profile, dict[str, int]]:
    """Return the profile, and by the name of each time how many values it was learned from; 0: it is the base's.

    Where no talk tells who is the agent, both gaps are learned from all changes of speakers. Interruptions are none of
    them. Raises UserError if the talks are too few to learn anything.
    """
    statistics = TimingStatistics()
    for talk in talks:
        statistics.add(talk)
    smooth = statistics.smooth
    found: dict[str, Sequence[float]] = {
        "gap_to_agent": smooth["user to agent"] or smooth["all"],
        "gap_to_user": smooth["agent to user"] or smooth["all"],
        "stop_latency": statistics.stops,
        "backchannel_lag": statistics.lags,
        "pause": statistics.pauses,
    }
    fitted = {key: _histogram(values) for key, values in found.items() if len(values) >= FEWEST}
    if not fitted:
        numbers = ", ".join(f"{len(values)} for {key}" for key, values in found.items())
        raise UserError(f"too little to learn from: {FEWEST} values are needed, and there are {numbers}")
    learned = {key: len(found[key]) if key in fitted else 0 for key in TIMES}
    description = f"learned from {statistics.talks} talks by parley timing fit; other times as {base.name}"
    return Profile(**{**base.model_dump(), **fitted, "name": name, "description": description}), learned


def _histogram(values: Sequence[float]) -> RandomTime:
    """Return the bins from the first to the last that holds anything."""
    places = np.floor((np.clip(values, LOWEST_S, HIGHEST_S - 1e-9) - LOWEST_S) / BIN_S + 1e-9).astype(np.int64)
    counts = np.bincount(places)
    first = int(np.flatnonzero(counts)[0])
    low = round(LOWEST_S + first * BIN_S, 6)
    return RandomTime(histogram=HistogramTime(low_s=low, width_s=BIN_S, counts=tuple(counts[first:].tolist())))
