"""The whole job with tone engines: every row accounted for, the same from both runners."""

import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from manifests.corpus import Corpus
from manifests.errors import EngineUnavailable, InputError, UserError
from manifests.storage import open_place
from manifests.validate import validate
from parley.testing.stages import take_of, tone_recipe
from pipeline.job import run as running
from pipeline.job.blocks import live_rows, read_block
from pipeline.job.directory import WORK
from pipeline.job.inputs import open_inputs
from pipeline.job.job import take_stages
from pipeline.job.listener import Listener
from pipeline.job.runner.local import LocalRunner
from pipeline.job.runner.ray import RayRunner
from pipeline.job.runner.tasks import Runner
from tests.doubles import swap_engine
from tests.laws.test_every_stage import SometimesCutOff
from tests.pipeline.tone_job import (
    ROWS,
    STAGES,
    Count,
    StopAfter,
    files_of,
    make_job,
    run_tone,
)


def test_every_row_is_accounted_for(finished: Path) -> None:
    place = open_place(finished)
    assert validate(place, deep=True, beside=(WORK,)).ok
    rows = [d for status in ("kept", "rejected", "failed") for d in Corpus(finished, status=status)]
    assert len(rows) == len(ROWS)
    assert {d.source.row for d in rows} == {str(i) for i in range(len(ROWS))}
    by_row = {int(d.source.row): (d.status, d.reason) for d in rows}
    assert all(by_row[i] == ("kept", None) for i in range(14))
    assert by_row[14] == ("rejected", "code")
    assert by_row[15] == ("rejected", "empty_row")
    assert by_row[16] == ("rejected", "no_answer")
    assert by_row[17] == ("rejected", "unknown_schema")
    assert by_row[18] == ("rejected", "duplicate")
    assert by_row[19] == ("kept", None)
    assert by_row[20] == ("rejected", "unsupported_language")


def test_a_kept_row_carries_its_whole_history(finished: Path) -> None:
    dialogue = next(iter(Corpus(finished)))
    assert [step.stage for step in dialogue.provenance] == list(STAGES)
    assert all(turn.audio and take_of(turn).watermark and turn.hypothesis and turn.attempts for turn in dialogue.turns)
    assert dialogue.turns[0].audio is not None
    assert (finished / str(dialogue.turns[0].audio.path)).read_bytes() == dialogue.turns[0].audio.bytes


def test_ray_gives_the_same_corpus(finished: Path, input_file: str, tmp_path: Path) -> None:
    for workers in (1, 3):
        out = tmp_path / f"ray-{workers}"
        run_tone(make_job(input_file, f"pools.all.workers={workers}"), out, RayRunner())
        assert files_of(out) == files_of(finished)


@pytest.mark.parametrize("runner", [LocalRunner, pytest.param(RayRunner, marks=pytest.mark.slow)])
def test_many_pools_give_the_same_corpus(
    runner: Callable[[], Runner], finished: Path, input_file: str, tmp_path: Path
) -> None:
    pools = {name: {"stages": [name], "workers": 1, "cpus": 0.1} for name in STAGES}
    run_tone(make_job(input_file, f"pools={json.dumps(pools)}"), tmp_path / "corpus", runner())
    assert files_of(tmp_path / "corpus") == files_of(finished)
    log = map(json.loads, (tmp_path / "corpus" / "work" / "log.jsonl").read_text().splitlines())
    blocks, passes = [], []
    for line in log:
        (passes if "pools" in line else blocks).append(line)
    assert blocks and all(set(line["seconds"]) == set(STAGES) for line in blocks)
    if runner is RayRunner:  # the scheduler tells where the time of its workers went
        assert [set(line["pools"]) for line in passes] == [set(STAGES)]


def test_rows_that_need_another_take_go_through_further_rounds(
    input_file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    swap_engine(monkeypatch, "tts", "tone", open=SometimesCutOff)
    job, out = make_job(input_file, "gate.ladder=[{}, {rate: 0.9}]"), tmp_path / "corpus"
    takes = [open_place(out) / "work" / name for name in ("ingested", "take-1", "take-2", "take-3")]
    with pytest.raises(KeyboardInterrupt):
        run_tone(job, out, listener=StopAfter(7))
    live = live_rows(takes[1]) | live_rows(takes[2])
    assert len(live_rows(takes[2])) == 1
    count = Count()
    run_tone(job, out, listener=count)
    assert count.settled == len(ROWS) - sum(live.values())
    for before, after in pairwise(takes[1:]):
        waiting = {block for block, rows in live_rows(before).items() if rows}
        assert set(live_rows(after)) == waiting
        for block in waiting:
            ids = [d.dialogue_id for d in read_block(before, block) if d.status == "live"]
            assert [d.dialogue_id for d in read_block(after, block)] == ids
    rows = [d for status in ("kept", "rejected", "failed") for d in Corpus(out, status=status)]
    assert len(rows) == len(ROWS)
    takes = {d.source.row: max(len(turn.attempts) for turn in d.turns) for d in rows if d.status == "kept"}
    assert set(takes.values()) >= {1, 2}
    for dialogue in rows:
        if dialogue.status == "kept":
            steps = [(stage, 1) for stage in STAGES]
            steps += [
                (stage, n) for n in range(2, takes[dialogue.source.row] + 1) for stage in take_stages(tone_recipe())
            ]
            assert [(step.stage, step.take) for step in dialogue.provenance] == steps


def test_clips_and_metadata_are_written_where_the_recipe_wants_them(
    finished: Path, input_file: str, tmp_path: Path
) -> None:
    always = {"manifest.json", "manifest.sha256", "shards", "work"}
    assert {path.name for path in finished.iterdir()} == {"audio", "metadata.json", *always}
    assert len(list((finished / "shards").glob("kept-*"))) == 1
    run_tone(make_job(input_file, "pack.clips=false", "pack.metadata=false"), tmp_path / "corpus")
    assert {path.name for path in (tmp_path / "corpus").iterdir()} == always


def test_blocks_that_were_never_worked_on_are_not_packed(input_file: str, tmp_path: Path) -> None:
    job = make_job(input_file)
    running.ingest_job(job, open_place(tmp_path / "blocks"), Listener())
    with pytest.raises(UserError, match="6 blocks of --in have not been through a stage yet"):
        running.pack_directory(job.recipe, open_place(tmp_path / "blocks"), open_place(tmp_path / "corpus"))
    assert not (tmp_path / "corpus").exists()


def test_the_limit_takes_the_first_rows(input_file: str, tmp_path: Path) -> None:
    manifest = run_tone(make_job(input_file, limit=5), tmp_path / "corpus")
    assert manifest.counts.input_rows == 5


def test_an_engine_that_is_missing_stops_the_job_before_anything_is_written(
    input_file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing() -> str:
        raise EngineUnavailable("flite: install the Debian package libflite1")

    swap_engine(monkeypatch, "tts", "flite", version=missing)
    with pytest.raises(EngineUnavailable, match="libflite1"):
        run_tone(make_job(input_file, "synthesize.engine=flite", "cast.bank=offline"), tmp_path / "corpus")
    assert not (tmp_path / "corpus").exists()


def test_two_inputs_of_one_name_are_refused(input_file: str) -> None:
    with pytest.raises(InputError, match="data set rows"):
        open_inputs([input_file, input_file])


def test_no_path_reaches_the_corpus(finished: Path, input_file: str) -> None:
    private = str(Path(input_file).parent).encode()
    assert not [name for name, data in files_of(finished).items() if private in data]
