"""The check from the files alone: a sound bank passes, and each planted fault is named."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from manifests.errors import CorpusError
from manifests.storage import Place, open_place
from tests.voicebank.made_up import make_bank, people, read_voices, rewrite_voices, unit
from voicebank.blend import blend
from voicebank.blend_options import BlendOptions
from voicebank.card import read_card, write_card
from voicebank.check import BankProblem, check_bank, claims_of
from voicebank.speaker_table import speaker_table_of
from voicebank.tables import VoiceWriter
from voicebank.voice import Vector, Voice

REAL = people()
SPEAKERS = speaker_table_of(REAL)
Rows = tuple[list[Voice], Vector]


@pytest.fixture
def bank(tmp_path: Path) -> Place:
    made = make_bank(tmp_path / "real", REAL)
    blend(made, open_place(tmp_path / "out"), BlendOptions(count=60, seed=5))
    return open_place(tmp_path / "out")


def real_of(bank: Place) -> Place:
    return open_place(Path(bank.path).parent / "real")


def changed(rows: Rows, index: int, **values: Any) -> Rows:
    voices, xvectors = rows
    return [*voices[:index], replace(voices[index], **values), *voices[index + 1 :]], xvectors


def with_xvector(rows: Rows, index: int, vector: Vector) -> Rows:
    voices, xvectors = rows
    copy = xvectors.copy()
    copy[index] = vector
    return voices, copy


def nudged(vector: Vector) -> Vector:
    return unit(vector + np.linspace(0, 1e-3, len(vector)))


FAULTS: list[tuple[BankProblem, Callable[[Rows], Rows]]] = [
    (BankProblem.NEAR_REAL, lambda rows: with_xvector(rows, 9, SPEAKERS.xvectors[4])),
    (BankProblem.TWIN, lambda rows: with_xvector(rows, 9, rows[1][30])),
    (BankProblem.NOT_AN_AVERAGE, lambda rows: with_xvector(rows, 9, nudged(rows[1][9]))),
    (BankProblem.NOT_AN_AVERAGE, lambda rows: changed(rows, 9, embedding=nudged(rows[0][9].embedding))),
    (BankProblem.UNKNOWN_PARENT, lambda rows: changed(rows, 9, parents=("nobody", rows[0][9].parents[1]))),
    (BankProblem.UNKNOWN_PARENT, lambda rows: changed(rows, 9, parents=(rows[0][9].parents[1],) * 2)),
    (BankProblem.UNKNOWN_PARENT, lambda rows: changed(rows, 9, parents=(), weights=())),
    (BankProblem.WEIGHTS, lambda rows: changed(rows, 9, weights=(0.9, 0.1))),
    (BankProblem.WEIGHTS, lambda rows: changed(rows, 9, weights=(0.5, 0.4))),
    (BankProblem.MIXED_PARENTS, lambda rows: changed(rows, 9, ms_per_character=200)),
    (BankProblem.MIXED_PARENTS, lambda rows: changed(rows, 9, language="mul")),
    (BankProblem.MIXED_PARENTS, lambda rows: changed(rows, 9, parents=(rows[0][9].parents[0], "p0000"))),
    (BankProblem.MIXED_PARENTS, lambda rows: changed(rows, 9, gender=rows[0][10].gender)),
    (BankProblem.BALANCE, lambda rows: (rows[0][:-1], rows[1][:-1])),
]  # fmt: skip


def test_a_sound_bank_passes(bank: Place) -> None:
    report = check_bank(bank, real_of(bank))
    assert report.ok and report.voices == 62 and report.problems == []
    assert report.leak["nearest_real"]["max"] < 0.97


@pytest.mark.parametrize("problem, fault", FAULTS, ids=[f"{p}-{i}" for i, (p, _) in enumerate(FAULTS)])
def test_a_planted_fault_is_named(problem: BankProblem, fault: Callable[[Rows], Rows], bank: Place) -> None:
    rewrite_voices(bank, *fault(read_voices(bank)))
    report = check_bank(bank, real_of(bank))
    assert problem in report.counts and not report.ok
    subject = " by the card" if problem is BankProblem.BALANCE else "voice-0000"
    assert any(line.startswith(problem.value) and subject in line for line in report.problems)


def test_figures_agree_with_those_of_the_blender(bank: Place) -> None:
    claimed = json.loads((bank / "leak.json").read_text())
    found = check_bank(bank, real_of(bank)).leak
    for key in ("nearest_real", "own_parents", "nearest_earlier_voice"):
        assert found[key] == pytest.approx(claimed[key], abs=1e-5)


def test_a_sampled_check_still_finds_a_twin_of_the_sample(bank: Place) -> None:
    rewrite_voices(bank, *with_xvector(read_voices(bank), 0, read_voices(bank)[1][33]))
    assert check_bank(bank, real_of(bank), sample=3).counts[BankProblem.TWIN] == 1


def test_other_speakers_are_noticed(bank: Place, tmp_path: Path) -> None:
    other = make_bank(tmp_path / "other", [*REAL[:-1], replace(REAL[-1], xvector=REAL[0].xvector)])
    report = check_bank(bank, other)
    assert BankProblem.OTHER_SPEAKERS in report.counts and report.problems[0].endswith("other")


def test_a_bank_of_another_method_is_noticed(bank: Place) -> None:
    write_card(bank, read_card(bank) | {"method": "weighted-average/0"})
    assert list(check_bank(bank, real_of(bank)).counts) == [BankProblem.OTHER_METHOD]


@pytest.mark.parametrize("missing", ["weights", "parents", "limits", "method", "counts"])
def test_a_card_of_something_else(missing: str, bank: Place) -> None:
    with pytest.raises(CorpusError, match="not one of virtual voices"):
        claims_of({key: value for key, value in read_card(bank).items() if key != missing})


def test_voices_without_xvectors_cannot_be_checked(bank: Place) -> None:
    voices, _ = read_voices(bank)
    with VoiceWriter(bank) as writer:
        writer.write(voices)
    with pytest.raises(CorpusError, match="no x-vectors"):
        check_bank(bank, real_of(bank))
