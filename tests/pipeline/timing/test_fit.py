"""A profile that is learned from talks of a known profile gives that profile's times again."""

from pathlib import Path

import numpy as np
import pytest

from manifests.errors import RecipeError, UserError
from pipeline.seeds import derive_seed
from pipeline.timing.drawing import draw_s
from pipeline.timing.fit import fit_profile
from pipeline.timing.profile import (
    TIMES,
    RandomTime,
    load_profile,
    profile_digest,
    profile_text,
    shipped_profiles,
)
from pipeline.timing.profile_file import profile_file
from pipeline.timing.reading import read_talks
from tests.pipeline.timing.recordings import TALK, Spoken, rttm

GAPS = {"ann": RandomTime.model_validate({"normal": {"mean_s": 0.3, "std_s": 0.2}, "min_s": -0.45})}
GAPS["bob"] = RandomTime.model_validate({"log_normal": {"median_s": 0.8, "log_std": 0.3}})


def quantiles(time: RandomTime) -> list[float]:
    draws = [draw_s(time, derive_seed("quantiles", number)) for number in range(3000)]
    return np.quantile(draws, (0.1, 0.5, 0.9)).tolist()


def long_talk(turns: int) -> list[Spoken]:
    """Ann and Bob in turn, three seconds each in two halves, with gaps of the known times."""
    spoken: list[Spoken] = []
    clock = 0.0
    for turn in range(turns):
        name = ("bob", "ann")[turn % 2]
        clock += draw_s(GAPS[name], derive_seed("gap", turn))
        spoken += [(name, clock, clock + 1.2), (name, clock + 1.8, clock + 3)]
        clock += 3
    return spoken


def test_known_gaps_are_found_again_in_each_direction(tmp_path: Path) -> None:
    path = rttm(tmp_path / "long.rttm", long_talk(3000))
    profile, learned = fit_profile(read_talks([str(path)], agent="ann"), "found", load_profile("human"))
    assert learned["gap_to_agent"] == 1500 and learned["gap_to_user"] == 1499 and learned["pause"] == 3000
    assert quantiles(profile.gap_to_agent) == pytest.approx(quantiles(GAPS["ann"]), abs=0.03)
    assert quantiles(profile.gap_to_user) == pytest.approx(quantiles(GAPS["bob"]), abs=0.04)
    assert quantiles(profile.pause) == pytest.approx([0.6] * 3, abs=0.05)
    assert profile.barge_in_lag == load_profile("human").barge_in_lag and learned["barge_in_lag"] == 0
    path = tmp_path / "found.yaml"
    path.write_text(profile_file(profile, learned, "human"))
    assert load_profile(str(path)) == profile
    assert "# learned from 1500 values" in path.read_text() and "# as in human" in path.read_text()


def test_too_little_to_learn_from_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="30 values are needed, and there are 2 for gap_to_agent"):
        fit_profile(read_talks([str(rttm(tmp_path / "a.rttm", TALK))]), "few", load_profile("human"))


def test_a_draw_depends_on_its_seed_alone_and_follows_its_shape() -> None:
    histogram = RandomTime.model_validate({"histogram": {"low_s": -0.1, "width_s": 0.1, "counts": [1, 0, 3]}})
    drawn = [draw_s(histogram, seed) for seed in range(2000)]
    assert drawn == [draw_s(histogram, seed) for seed in range(2000)]
    assert not [value for value in drawn if 0 < value < 0.1]
    assert sum(value < 0.05 for value in drawn) / 2000 == pytest.approx(0.25, abs=0.03)
    bounded = RandomTime.model_validate({"normal": {"mean_s": 0, "std_s": 1}, "min_s": 0, "max_s": 0.5})
    assert {min(draw_s(bounded, seed) for seed in range(50)), max(draw_s(bounded, seed) for seed in range(50))} == {
        0,
        0.5,
    }


def test_the_profiles_that_ship_are_whole_and_say_where_each_time_is_from() -> None:
    assert shipped_profiles() == ["duplexgen", "human", "omniflatten", "salm", "turn_based"]
    for name in shipped_profiles():
        assert load_profile(name).name == name
        text = profile_text(name)
        for time in TIMES:
            line = text.split(f"\n{time}:")[1].split("\n")[0]
            assert "[ours]" in line or "[source]" in line or "[inferred]" in line, (name, time)
    medians = [quantiles(getattr(load_profile("human"), time))[1] for time in ("gap_to_agent", "gap_to_user")]
    assert medians == pytest.approx([0.2, 0.08], abs=0.03)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("gap_to_agent={}", "gap_to_agent: Value error, give exactly one of fixed_s, normal, log_normal, histogram"),
        ("gap_to_agent={fixed_s: 0, min_s: 2, max_s: 1}", "min_s=2 is more than max_s=1"),
        ("gap_to_agent={histogram: {low_s: 0, width_s: 1, counts: [0, 0]}}", "counts: all are zero"),
        ("gap_to_agent={histogram: {low_s: 0, width_s: 50, counts: [1, 1]}}", "the last bin ends beyond 60 s"),
        ("gap_to_agnet={fixed_s: 0}", "gap_to_agnet: there is no such key; did you mean 'gap_to_agent'"),
        ("gap_to_agent={normal: {mean_s: 99, std_s: 1}}", "less than or equal to 60"),
    ],
)
def test_a_profile_that_makes_no_sense_is_refused(change: str, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        load_profile("human", [change])


def test_profiles_with_other_times_have_other_digests() -> None:
    assert profile_digest(load_profile("human")) != profile_digest(load_profile("human", ["pause={fixed_s: 1}"]))
