"""Attacks keep rate, length and alignment, and do what their names say."""

import numpy as np
import pytest

from pipeline.audit.attacks import ATTACKS, Attack
from pipeline.engines.contract import Clip
from tests.pipeline.audit.audited import lag, tones
from tests.tables import each_row

BY_NAME = {attack.name: attack for attack in ATTACKS}
CUTS = ("crop-1s", "crop-half")


def attacked(name: str, clip: Clip) -> Clip:
    made = BY_NAME[name].apply(clip)
    assert made is not None
    return made


@each_row("rate", [16_000, 22_050, 24_000, 48_000])
@each_row("attack", [attack for attack in ATTACKS if attack.name not in CUTS], ids=lambda a: a.name)
def test_rate_length_and_alignment_stay(attack: Attack, rate: int) -> None:
    clip = tones(2.1, rate)
    made = attack.apply(clip)
    assert made is not None
    assert (made.sample_rate, made.samples.shape) == (rate, clip.samples.shape)
    assert made.samples.dtype == np.float32 and made.samples.flags.c_contiguous
    assert abs(lag(made.samples, clip.samples)) <= 1


@each_row(
    ("name", "least_db", "most_db"),
    [
        ("none", 300, np.inf),
        ("flac", 70, np.inf),
        ("mp3-128", 15, 80),
        ("mp3-64", 8, 60),
        ("opus-32", 3, 40),
        ("aac-96", 15, 80),
        ("resample-16k", 300, np.inf),
        ("resample-8k", 40, 120),
        ("noise-30db", 29.5, 30.5),
        ("noise-20db", 19.5, 20.5),
    ],
)
def test_how_much_is_changed(name: str, least_db: float, most_db: float) -> None:
    """Signal to difference: codecs change the clip, and leave it recognizable."""
    clip = tones(3)
    difference = attacked(name, clip).samples - clip.samples
    power = float(np.sum(clip.samples**2))
    ratio_db = 10 * np.log10(power / max(float(np.sum(difference**2)), 1e-40))
    assert least_db <= ratio_db <= most_db


@pytest.mark.parametrize(
    ("name", "seconds", "first", "length"),
    [("crop-1s", 2.0, 16_000, 16_000), ("crop-half", 2.0, 8_000, 16_000), ("crop-half", 1.0, 4_000, 8_000)],
)
def test_cuts_take_what_they_say(name: str, seconds: float, first: int, length: int) -> None:
    clip = tones(seconds)
    np.testing.assert_array_equal(attacked(name, clip).samples, clip.samples[first : first + length])


@pytest.mark.parametrize(("name", "seconds"), [("crop-1s", 1.4), ("crop-1s", 0.5), ("crop-half", 0.9)])
def test_cuts_that_leave_too_little_are_skipped(name: str, seconds: float) -> None:
    assert BY_NAME[name].apply(tones(seconds)) is None


def test_gain_changes_the_level_alone() -> None:
    clip = tones()
    np.testing.assert_allclose(attacked("gain-12db", clip).samples, clip.samples * 0.2512, atol=1e-4)


@each_row("attack", ATTACKS, ids=lambda a: a.name)
def test_the_same_clip_gives_the_same_result(attack: Attack) -> None:
    clip, before = tones(), tones().samples
    first, second = attack.apply(clip), attack.apply(clip)
    assert first is not None and second is not None
    np.testing.assert_array_equal(first.samples, second.samples)
    np.testing.assert_array_equal(clip.samples, before)
