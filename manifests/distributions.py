"""Summarizes how a measure is distributed: values are counted, in steps of 0.0001 or as they are.

Both kinds can be gathered in parts, and the parts be merged.
"""

from collections import Counter
from dataclasses import fields
from math import fsum
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from manifests.schema import Quality

_STEPS_PER_UNIT = 10_000
QUANTILES = (0.0, 0.01, 0.05, 0.5, 0.95, 0.99, 1.0)

MEASURES = (*(field.name for field in fields(Quality)), "speaker_similarity")
COLUMNS = ("turns.take.quality", "turns.take.speaker_similarity")


class Values:
    """Counts how often each value occurs. Memory grows with the different values: rates are fractions of few lengths.

    What it says depends on the values alone, not on the order in which they were added or merged.
    """

    def __init__(self) -> None:
        self._counts: Counter[float] = Counter()

    def add(self, values: Any) -> None:
        """Add `values`: finite numbers, float64 [N]."""
        found, numbers = np.unique(values, return_counts=True)
        self._counts.update(dict(zip(found.tolist(), numbers.tolist(), strict=True)))

    def merge(self, other: "Values") -> None:
        self._counts.update(other._counts)

    @property
    def number(self) -> int:
        return self._counts.total()

    @property
    def mean(self) -> float:
        """The mean. There must be at least one value."""
        return fsum(value * times for value, times in self._counts.items()) / self.number

    def quantile(self, q: float) -> float:
        """Return the quantile, between two values if need be, as `numpy.quantile` does. There must be a value."""
        ordered = sorted(self._counts)
        reached = np.cumsum([self._counts[value] for value in ordered])
        place = q * (self.number - 1)
        pair = [ordered[int(np.searchsorted(reached, at, side="right"))] for at in (int(place), int(np.ceil(place)))]
        return float(np.quantile(pair, place - int(place)))


class Distribution:
    """Accumulates values. The mean is exact; a quantile is rounded up to the next step."""

    def __init__(self) -> None:
        self._steps: Counter[int] = Counter()
        self._sum = 0.0

    def add(self, values: Any) -> None:
        """Add `values`: finite numbers, float64 [N]."""
        self._sum += float(values.sum())
        steps, numbers = np.unique(np.rint(values * _STEPS_PER_UNIT).astype(np.int64), return_counts=True)
        self._steps.update(dict(zip(steps.tolist(), numbers.tolist(), strict=True)))

    def merge(self, other: "Distribution") -> None:
        """Add the values of another distribution. The sum, and so the mean's last digit, depends on the order."""
        self._sum += other._sum
        self._steps.update(other._steps)

    def bins(self, number: int) -> tuple[float, float, list[int]]:
        """Count the values in `number` bins of equal width; return the lower end, the upper end and the counts.

        The ends are the 0.5 % and 99.5 % quantiles, so that a single odd value does not flatten the picture; what
        lies beyond them is counted in the outermost bins. The distribution must have at least one value.
        """
        steps = np.array(sorted(self._steps))
        reached = np.cumsum([self._steps[step] for step in steps.tolist()])
        low, high = (int(steps[np.searchsorted(reached, q * reached[-1])]) for q in (0.005, 0.995))
        width = max(high - low, 1) / number
        places = np.clip(((steps - low) / width).astype(np.int64), 0, number - 1)
        counts = np.zeros(number, dtype=np.int64)
        np.add.at(counts, places, np.diff(reached, prepend=0))
        return low / _STEPS_PER_UNIT, high / _STEPS_PER_UNIT, counts.tolist()

    def figures(self) -> dict[str, Any]:
        """Return `values` (how many), `mean` and `quantiles`. The distribution must have at least one value."""
        steps = np.array(sorted(self._steps))
        reached = np.cumsum([self._steps[step] for step in steps.tolist()])
        total = int(reached[-1])
        places = [min(int(np.searchsorted(reached, q * total)), len(steps) - 1) for q in QUANTILES]
        return {
            "turns": total,
            "mean": self._sum / total,
            "quantiles": {
                str(q): float(steps[place]) / _STEPS_PER_UNIT for q, place in zip(QUANTILES, places, strict=True)
            },
        }


class Qualities:
    """Collects the distributions of the turns' quality measures, by language and measure."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], Distribution] = {}

    def add(self, language: str, rows: pa.Table) -> None:
        """Add `rows` of that language, with the columns of COLUMNS."""
        takes = pc.struct_field(pc.list_flatten(rows["turns"]), "take")
        quality = pc.struct_field(takes, "quality")
        for measure in MEASURES:
            column = pc.struct_field(takes if measure == "speaker_similarity" else quality, measure)
            values = column.drop_null().to_numpy()
            if len(values):
                self._found.setdefault((language, measure), Distribution()).add(values)

    def merge(self, other: "Qualities") -> None:
        """Add the distributions of other turns."""
        for key, distribution in other._found.items():
            self._found.setdefault(key, Distribution()).merge(distribution)

    def figures(self) -> dict[str, dict[str, Any]]:
        """Return the figures by language and measure, without measures that no turn has."""
        found: dict[str, dict[str, Any]] = {}
        for language, measure in sorted(self._found, key=lambda key: (key[0], MEASURES.index(key[1]))):
            found.setdefault(language, {})[measure] = self._found[language, measure].figures()
        return found
