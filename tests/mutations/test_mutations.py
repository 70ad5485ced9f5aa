"""A few of the mutations, in every run; `benchmarks/mutations.py` makes as many as one likes."""

from pathlib import Path

import pytest

from tests.mutations.flips import KINDS, flip_corpus
from tests.mutations.inputs import spoil_inputs
from tests.mutations.mutate import Outcome
from tests.mutations.written import spoil_written


def _check(outcome: Outcome, count: int) -> None:
    assert outcome.faults == []
    assert outcome.read + outcome.refused >= count
    assert min(outcome.read, outcome.refused) > 0, "the mutations are too mild, or too wild, to say anything"
    assert sum(missed for what, missed in outcome.missed.items() if what.startswith("deep")) == 0


@pytest.mark.parametrize("count", [20, pytest.param(200, marks=pytest.mark.slow)])
def test_a_spoiled_input_is_read_or_refused_in_a_sentence(count: int, tmp_path: Path) -> None:
    _check(spoil_inputs(count, 0, tmp_path), count)


@pytest.mark.parametrize("count", [30, pytest.param(200, marks=pytest.mark.slow)])
def test_a_spoiled_file_that_people_write_is_read_or_refused_in_a_sentence(count: int, tmp_path: Path) -> None:
    _check(spoil_written(count, 0, tmp_path), count)


@pytest.mark.parametrize("count", [len(KINDS), pytest.param(200, marks=pytest.mark.slow)])
def test_the_deep_check_sees_every_flipped_bit(count: int, tmp_path: Path) -> None:
    outcome = flip_corpus(count, 0, tmp_path)
    _check(outcome, count)
    plain = {kind for kind in KINDS if outcome.missed[f"plain {kind}"]}
    assert plain <= {"shard", "clip", "track", "token file"}, "manifests/README.md says what the plain check sees"
