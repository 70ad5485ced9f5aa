"""Loudness against values that the standard itself gives, and levels set by it."""

import numpy as np
import pytest

from manifests.errors import EngineUnavailable
from pipeline.audio import loudness
from pipeline.audio.levels import clipped_share, peak_dbfs
from pipeline.audio.samples import loud_span
from pipeline.engines.contract import Samples
from tests.tables import each_row

pytest.importorskip("pyloudnorm", reason="needs the extra 'quality'")

FULL = 32767 / 32768


def sine(peak_db: float, seconds: float = 2.0, rate: int = 16_000, hz: float = 997.0) -> Samples:
    time = np.arange(round(seconds * rate)) / rate
    return (10 ** (peak_db / 20) * np.sin(2 * np.pi * hz * time)).astype(np.float32)


@each_row("rate", [8_000, 16_000, 24_000, 48_000])
@each_row("peak_db", [0.0, -20.0])
def test_a_997_hz_sine_is_3_db_below_its_peak(peak_db: float, rate: int) -> None:
    """BS.1770's own check: a 0 dB FS sine of 997 Hz in one channel reads -3.01 LKFS."""
    assert loudness.loudness_lufs(sine(peak_db, rate=rate), rate) == pytest.approx(peak_db - 3.01, abs=0.05)


def test_silence_around_speech_is_gated_out() -> None:
    padded = np.pad(sine(-20), 32_000)
    assert loudness.loudness_lufs(padded, 16_000) == pytest.approx(-23.01, abs=0.8)


@pytest.mark.parametrize(
    "samples",
    [sine(-6, 0.399), np.zeros(16_000, np.float32), sine(-80), np.zeros(0, np.float32)],
    ids=["shorter than a block", "silence", "below the absolute gate", "nothing"],
)
def test_no_loudness_is_none(samples: Samples) -> None:
    assert loudness.loudness_lufs(samples, 16_000) is None


@pytest.mark.parametrize(
    ("target", "highest", "by", "reached", "peak"),
    [
        (-23.0, -3.0, "loudness", -23.0, -19.99),
        (-6.1, -3.0, "loudness", -6.1, -3.1),
        (-5.0, -3.0, "peak", -6.01, -3.0),
    ],
    ids=["down", "up to the peak", "no further"],
)
def test_the_target_is_reached_as_far_as_the_peak_allows(
    target: float, highest: float, by: str, reached: float, peak: float
) -> None:
    leveled = loudness.normalize_loudness(sine(-12), 16_000, target, highest)
    assert leveled.by == by
    assert leveled.loudness_lufs == pytest.approx(reached, abs=0.05)
    assert loudness.loudness_lufs(leveled.samples, 16_000) == pytest.approx(leveled.loudness_lufs, abs=0.01)
    assert peak_dbfs(leveled.samples) == pytest.approx(peak, abs=0.05)
    assert leveled.samples.dtype == np.float32


def test_a_clip_without_loudness_gets_its_peak() -> None:
    leveled = loudness.normalize_loudness(sine(-30, 0.2), 16_000, -23, -3)
    assert (leveled.by, leveled.loudness_lufs) == ("peak", None)
    assert peak_dbfs(leveled.samples) == pytest.approx(-3, abs=0.01)


def test_one_clip_does_not_change_the_next() -> None:
    quiet, loud = sine(-40), sine(-3, 5)
    alone = loudness.loudness_lufs(quiet, 16_000)
    loudness.loudness_lufs(loud, 16_000)
    assert loudness.loudness_lufs(quiet, 16_000) == alone


def test_a_missing_library_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loudness, "NAME", "pyloudnorm_not_here")
    with pytest.raises(EngineUnavailable, match=r"needs the package .*: pip install 'parley\[quality\]'"):
        loudness.version()
    with pytest.raises(EngineUnavailable, match="needs the package"):
        loudness._meter(12_345)


@each_row(
    ("samples", "share"),
    [
        ([0, FULL, FULL, FULL, 0], 0.6),
        ([0, -1, -1, -1, -1], 0.8),
        ([FULL, FULL, 0, FULL, FULL], 0.0),
        ([FULL, FULL, -1, -1, 0.5], 0.0),
        ([FULL] * 3 + [0] * 3 + [-1] * 4, 0.7),
        ([0.9, 0.9, 0.9, 0.9, 0.9], 0.0),
        ([], 0.0),
    ],
    ids=["three", "negative", "two are a peak", "both signs are no run", "two runs", "not at full scale", "nothing"],
)
def test_clipping_is_runs_at_full_scale(samples: list[float], share: float) -> None:
    assert clipped_share(np.array(samples, np.float32)) == pytest.approx(share)


@pytest.mark.parametrize(
    ("samples", "span"),
    [([0, 0, 0.5, 0.001, 0.5, 0], (2, 5)), ([0.5], (0, 1)), ([0, 0], (0, 0)), ([0.001, 1, 0.004], (1, 3))],
)
def test_the_loud_span_is_relative_to_the_peak(samples: list[float], span: tuple[int, int]) -> None:
    assert loud_span(np.array(samples, np.float32)) == span
