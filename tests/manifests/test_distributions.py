"""Distributions of measures: exact enough, and flat in memory; what `stats` makes of a corpus that was assessed."""

from dataclasses import replace

import numpy as np
import pytest

from manifests.distributions import QUANTILES, Distribution
from manifests.schema import Quality
from manifests.stats import stats
from parley.testing.corpora import make_corpus, make_failed, make_kept, make_rejected, with_take


def _filled(*parts):
    distribution = Distribution()
    for part in parts:
        distribution.add(np.asarray(part, np.float64))
    return distribution.figures()


@pytest.mark.parametrize(
    ("values", "median", "highest"),
    [([1.0], 1.0, 1.0), ([1, 2, 3, 4], 2.0, 4.0), ([-23.5] * 9 + [0.12345], -23.5, 0.1234), ([5, -1, 2], 2.0, 5.0)],
)
def test_quantiles_are_values_of_the_data(values, median, highest):
    figures = _filled(values)
    assert (figures["quantiles"]["0.5"], figures["quantiles"]["1.0"]) == (median, highest)
    assert figures["quantiles"]["0.0"] == min(values)
    assert figures["mean"] == pytest.approx(np.mean(values)) and figures["turns"] == len(values)


def test_agrees_with_numpy_however_the_values_come():
    values = np.random.default_rng(0).normal(3, 0.5, 5000)
    whole, parts = _filled(values), _filled(values[:17], values[17:4000], values[4000:])
    assert whole["quantiles"] == parts["quantiles"]
    expected = np.quantile(values, QUANTILES, method="inverted_cdf")
    assert list(whole["quantiles"].values()) == pytest.approx(expected.tolist(), abs=0.0001)


def _assessed(row, similarity, *qualities):
    turns = [
        with_take(turn, quality=quality, speaker_similarity=similarity)
        for turn, quality in zip(row.turns, qualities, strict=True)
    ]
    return replace(row, turns=tuple(turns))


@pytest.fixture
def corpus(tmp_path):
    good, bad = Quality(loudness_lufs=-23.0, dnsmos_ovrl=3.5), Quality(dnsmos_ovrl=1.5)
    rows = [_assessed(make_kept(i), 0.9, good, None) for i in range(3)]
    rows += [replace(_assessed(make_kept(3), None, good, good), language="zh"), make_kept(4)]
    rows += [_assessed(make_rejected(5), 0.4, bad, good), make_failed(6)]
    return make_corpus(tmp_path, rows, max_rows=2)


def test_by_status_language_and_measure(corpus):
    quality = stats(corpus)["quality"]
    counted = {
        (status, language, measure): (figures["turns"], figures["mean"])
        for status, languages in quality.items()
        for language, measures in languages.items()
        for measure, figures in measures.items()
    }
    assert counted == {
        ("kept", "en", "loudness_lufs"): (3, -23.0),
        ("kept", "en", "dnsmos_ovrl"): (3, 3.5),
        ("kept", "en", "speaker_similarity"): (6, pytest.approx(0.9)),
        ("kept", "zh", "loudness_lufs"): (2, -23.0),
        ("kept", "zh", "dnsmos_ovrl"): (2, 3.5),
        ("rejected", "en", "loudness_lufs"): (1, -23.0),
        ("rejected", "en", "dnsmos_ovrl"): (2, 2.5),
        ("rejected", "en", "speaker_similarity"): (2, pytest.approx(0.4)),
    }
    assert quality["failed"] == {}


def test_nothing_measured_nothing_found(tmp_path):
    assert stats(make_corpus(tmp_path, [make_kept(0)]))["quality"] == {"kept": {}}


def test_bins_hold_every_value_and_odd_ones_lie_in_the_outermost() -> None:
    distribution = Distribution()
    distribution.add(np.array([*np.linspace(0, 1, 1000), 50.0]))
    low, high, counts = distribution.bins(10)
    assert (low, high) == (pytest.approx(0.005, abs=0.001), pytest.approx(0.995, abs=0.002))
    assert sum(counts) == 1001 and min(counts) > 90
    same = Distribution()
    same.add(np.array([2.0, 2.0]))
    assert same.bins(4) == (2.0, 2.0, [2, 0, 0, 0])
