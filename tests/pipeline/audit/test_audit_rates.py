"""Intervals and thresholds against values worked out by hand."""

import pytest

from pipeline.audit.rates import rate, rate_at, threshold_at

# For 0 of n the upper end is 1 - 0.025 ** (1 / n), for n of n the lower end is 0.025 ** (1 / n); 8 of 10 is a
# standard example (Clopper and Pearson's method, tables).
INTERVALS = [
    (0, 200, 0.0, 1 - 0.025 ** (1 / 200)),
    (200, 200, 0.025 ** (1 / 200), 1.0),
    (8, 10, 0.4439, 0.9748),
    (0, 0, 0.0, 1.0),
]


@pytest.mark.parametrize(("hits", "total", "low", "high"), INTERVALS)
def test_intervals_are_exact(hits: int, total: int, low: float, high: float) -> None:
    found = rate(hits, total)
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-4)
    assert found.share == (hits / total if total else None)


# Scores 0.00, 0.01, ... : the threshold lies just above the highest score that must not reach it.
THRESHOLDS = [
    (100, 0.01, 0.98, 1),
    (200, 0.01, 1.97, 2),
    (99, 0.01, 0.98, 0),
    (12, 0.01, 0.11, 0),
    (10, 0.5, 0.04, 5),
]


@pytest.mark.parametrize(("count", "false_positive_rate", "highest_below", "reached"), THRESHOLDS)
def test_at_most_the_stated_share_of_controls_reaches_the_threshold(
    count: int, false_positive_rate: float, highest_below: float, reached: int
) -> None:
    controls = [i / 100 for i in range(count)]
    threshold = threshold_at(controls, false_positive_rate)
    assert threshold is not None
    assert highest_below < threshold == pytest.approx(highest_below)
    assert rate_at(controls, threshold).hits == reached


def test_ties_never_exceed_the_stated_share() -> None:
    threshold = threshold_at([0.0] * 150 + [1.0] * 50, 0.01)
    assert threshold is not None
    assert rate_at([1.0], threshold).hits == 0


def test_without_controls_there_is_no_threshold() -> None:
    assert threshold_at([], 0.01) is None
