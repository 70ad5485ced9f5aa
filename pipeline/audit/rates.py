"""Compute proportions with confidence intervals, and thresholds for a stated false-positive rate."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.audit.needs import need

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Proportion:
    """`hits` of `total`, and the exact binomial interval (Clopper-Pearson, 95 %) of the underlying share."""

    hits: int
    total: int
    low: float
    high: float

    @property
    def share(self) -> float | None:
        """The share of hits, or None if nothing was counted."""
        return self.hits / self.total if self.total else None


def rate(hits: int, total: int) -> Proportion:
    """Return the proportion with its interval; if nothing was counted, the interval is 0..1."""
    if not total:
        return Proportion(0, 0, 0.0, 1.0)
    interval = need("scipy.stats").binomtest(hits, total).proportion_ci(CONFIDENCE, method="exact")
    return Proportion(hits, total, float(interval.low), float(interval.high))


def rate_at(scores: Sequence[float], threshold: float) -> Proportion:
    """Return the proportion of scores that reach the threshold."""
    return rate(sum(score >= threshold for score in scores), len(scores))


def threshold_at(controls: Sequence[float], false_positive_rate: float) -> float | None:
    """Return the lowest threshold that at most the given share of the controls reaches; None without controls.

    With fewer than 1 / rate controls, none may reach it. It lies just above the highest score that must not reach it.
    """
    if not controls:
        return None
    allowed = math.floor(false_positive_rate * len(controls) + 1e-9)
    ordered = sorted(controls, reverse=True)
    return math.nextafter(ordered[allowed], math.inf) if allowed < len(ordered) else 0.0
