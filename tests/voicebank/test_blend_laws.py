"""What holds for every bank, count and seed."""

import json
import random
import tempfile
from collections import defaultdict
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from manifests.errors import UserError
from manifests.storage import open_place
from tests.voicebank.made_up import make_bank, people, read_voices, speaker
from voicebank import selection
from voicebank.balance import find_strata, pick_parents, plan
from voicebank.blend import blend
from voicebank.blend_options import BlendOptions
from voicebank.check import check_bank
from voicebank.random_draws import draw_weights, uniforms
from voicebank.speaker_table import speaker_table_of
from voicebank.voice import Speaker

GROUPS_OF_SPEAKERS = st.lists(
    st.tuples(st.sampled_from(["female", "male"]), st.sampled_from(["en", "zh"]), st.sampled_from([80, 90])),
    min_size=4,
    max_size=40,
).map(lambda facts: [speaker(f"s{i:03d}", g, la, b) for i, (g, la, b) in enumerate(facts)])

few = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def voices_of(real: list[Speaker], name: str, directory: Path, **options: object) -> tuple[list[object], bytes]:
    bank = make_bank(directory / f"real-{name}", real)
    fixed = {"count": 12, "agents": 0, "twin_limit": 1.0, "leak_limit": 0.99, "patience": 500}
    try:
        blend(bank, open_place(directory / name), BlendOptions(**(fixed | options)))  # type: ignore[arg-type]
    except UserError as error:
        assert "shares gender" in str(error) or "distinct voices" in str(error)
        assume(False)
    voices, _ = read_voices(open_place(directory / name))
    return list(voices), (directory / name / "voices.parquet").read_bytes()


@few
@given(GROUPS_OF_SPEAKERS, st.integers(0, 2**40), st.randoms(use_true_random=False))
def test_the_order_of_the_speakers_does_not_matter(real: list[Speaker], seed: int, order: random.Random) -> None:
    shuffled = sorted(real, key=lambda one: order.random())
    with tempfile.TemporaryDirectory() as scratch:
        one = voices_of(real, "one", Path(scratch), seed=seed)[1]
        assert one == voices_of(shuffled, "other", Path(scratch), seed=seed)[1]


@few
@given(GROUPS_OF_SPEAKERS, st.integers(0, 2**40), st.integers(1, 60), st.sampled_from([0.97, 1.0]))
def test_every_bank_passes_its_own_check(real: list[Speaker], seed: int, count: int, limit: float) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        voices_of(real, "out", Path(scratch), seed=seed, count=count, twin_limit=limit)
        report = check_bank(open_place(Path(scratch) / "out"), open_place(Path(scratch) / "real-out"))
        assert report.problems == [] and report.voices == count


TIGHT = {"leak_limit": 0.93, "twin_limit": 0.9}  # of 120 people's blends, nearly half are dropped, for both reasons


@few
@given(st.integers(0, 2**40), st.integers(1, 40))
def test_a_smaller_count_is_a_prefix(seed: int, count: int) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        many = voices_of(people(120), "many", Path(scratch), seed=seed, count=41, **TIGHT)[0]
        assert voices_of(people(120), "few", Path(scratch), seed=seed, count=count, **TIGHT)[0] == many[:count]


@few
@given(st.integers(0, 2**40), st.sampled_from([1, 7, 16, 40, 200]))
def test_the_size_of_blocks_does_not_matter(seed: int, block: int) -> None:
    with tempfile.TemporaryDirectory() as scratch, pytest.MonkeyPatch.context() as patch:
        usual = voices_of(people(120), "usual", Path(scratch), count=90, seed=seed, **TIGHT)[1]
        patch.setattr(selection, "BLOCK", block)
        patch.setattr(selection, "_FEWEST", 1)
        assert usual == voices_of(people(120), "small", Path(scratch), count=90, seed=seed, **TIGHT)[1]
        dropped = json.loads((Path(scratch) / "small" / "leak.json").read_text())["dropped"]
        assert dropped["near_real"] > 0 and dropped["twin"] > 0


@given(GROUPS_OF_SPEAKERS, st.integers(2, 4), st.integers(0, 2**40))
def test_parents_are_different_people_of_one_kind(real: list[Speaker], parents: int, seed: int) -> None:
    speakers = speaker_table_of(real)
    for stratum in find_strata(speakers, parents):
        for rows in pick_parents(stratum, uniforms(seed, "x", 0, 50, parents)):
            assert len(set(rows.tolist())) == parents
            assert {(speakers.genders[row], speakers.languages[row]) for row in rows} == {
                (stratum.gender, stratum.language)
            }
            assert len({int(speakers.buckets[row]) for row in rows}) == 1


@given(GROUPS_OF_SPEAKERS, st.integers(1, 200))
def test_no_share_is_ever_off_by_much(real: list[Speaker], count: int) -> None:
    strata = find_strata(speaker_table_of(real), 2)
    assume(strata)
    slots = list(islice(plan(strata, "gender", None, 0), count))
    found: dict[str, int] = defaultdict(int)
    for slot in slots:
        found[strata[slot.stratum].gender] += 1
    assert max(found.values()) - min(found.values()) <= 1 or len({s.gender for s in strata}) == 1


@given(st.integers(2, 6), st.floats(0.01, 0.99), st.floats(0.01, 0.99), st.integers(0, 2**40))
def test_weights_lie_in_their_range_and_add_up_to_one(parents: int, one: float, other: float, seed: int) -> None:
    low, high = sorted((one, other))
    assume(parents * low <= 1 <= parents * high)
    weights = draw_weights(uniforms(seed, "w", 0, 100, parents - 1), low, high)
    assert np.abs(weights.sum(axis=1) - 1).max() < 1e-9
    assert weights.min() >= low - 1e-5 and weights.max() <= high + 1e-5


@given(st.integers(0, 2**40), st.integers(0, 10_000), st.integers(1, 30), st.integers(1, 9))
def test_draws_are_the_same_however_they_are_cut(seed: int, start: int, count: int, width: int) -> None:
    whole = uniforms(seed, "s", start, count, width)
    single = np.concatenate([uniforms(seed, "s", start + index, 1, width) for index in range(count)])
    assert (whole == single).all() and (whole >= 0).all() and (whole < 1).all()
    assert not (whole == uniforms(seed + 1, "s", start, count, width)).all()
    assert not (whole == uniforms(seed, "t", start, count, width)).all()
