"""Whole jobs whose dialogues are arranged and mixed: several passes, both runners, stopped and continued."""

import json
from pathlib import Path

import pytest

from manifests.corpus import Corpus
from manifests.storage import open_place
from manifests.validate import validate
from pipeline.job.directory import WORK
from pipeline.job.runner.ray import RayRunner
from tests.pipeline.tone_job import StopAfter, files_of, make_job, run_tone

NOISY = (
    "arrange={profile: salm}",
    "mix={mono: true, noise: {made: [pink], snr_db: [15, 25]}, telephone: {share: 0.4, lines: [mu-law]}}",
    "gate.ladder=[{}]",
    "assess={}",
    "block_rows=2",
)
"""On the telephone no chord is whole: those rows are spoken and mixed twice, and then dropped."""


@pytest.fixture(scope="module")
def input_file(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("input") / "rows.json"
    rows = [{"instruction": f"Name the city {i}.", "output": f"It is {i}."} for i in range(6)]
    path.write_text(json.dumps(rows), encoding="utf-8")
    return str(path)


@pytest.fixture(scope="module")
def finished(input_file: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("mixed") / "corpus"
    run_tone(make_job(input_file, *NOISY), out)
    return out


def test_a_mixed_corpus_is_sound_and_holds_what_is_delivered_alone(finished: Path) -> None:
    assert validate(open_place(finished), deep=True, beside=(WORK,)).problems == ()
    kept, rejected = list(Corpus(finished)), list(Corpus(finished, "rejected"))
    assert kept and rejected
    for row in (*kept, *rejected):
        assert row.timeline is not None
        assert [track.kind for track in row.timeline.tracks] == ["user", "agent", "mono"]
        assert all(turn.take is not None and turn.take.dry is None for turn in row.turns)
    for row in rejected:
        user, agent = row.turns
        assert [take.number for take in user.attempts] == [1, 2]
        assert [take.number for take in agent.attempts] == [1], "not spoken again"
        mixes = [step.take for step in row.provenance if step.stage == "mix"]
        assert mixes == [1, 2], "but mixed, marked and heard again"
        assert agent.take is not None and agent.take.hearing is not None and agent.take.quality is not None


def test_a_job_that_is_stopped_in_its_second_take_goes_on_to_the_same_bytes(
    input_file: str, finished: Path, tmp_path: Path
) -> None:
    with pytest.raises(KeyboardInterrupt):
        run_tone(make_job(input_file, *NOISY), tmp_path / "corpus", listener=StopAfter(4))
    run_tone(make_job(input_file, *NOISY), tmp_path / "corpus")
    assert files_of(tmp_path / "corpus") == files_of(finished)


@pytest.mark.slow
def test_ray_gives_the_same_bytes(input_file: str, finished: Path, tmp_path: Path) -> None:
    run_tone(make_job(input_file, *NOISY), tmp_path / "corpus", RayRunner())
    assert files_of(tmp_path / "corpus") == files_of(finished)
