"""A job goes on where it stopped, is refused what is not its own, and leaves what is done alone."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from manifests.corpus import Corpus
from manifests.errors import CorpusError, EngineUnavailable, ResumeRefused, UserError
from manifests.manifest import load_manifest
from manifests.storage import open_place
from manifests.validate import validate
from pipeline.job import run as running
from pipeline.job.directory import WORK, differences
from pipeline.job.listener import Listener
from pipeline.job.runner.local import LocalRunner
from pipeline.job.worker import Worker, WorkOrder
from tests.doubles import swap_engine
from tests.pipeline.tone_job import (
    ROWS,
    Count,
    StopAfter,
    files_of,
    make_job,
    run_tone,
    small_recipe,
)
from voicebank.bank import load_bank


def test_a_second_run_does_only_what_is_missing(finished: Path, input_file: str, tmp_path: Path) -> None:
    out = tmp_path / "corpus"
    with pytest.raises(KeyboardInterrupt):
        run_tone(make_job(input_file), out, listener=StopAfter(2))
    leftover = out / "work" / "take-1" / ".tmp-0123-000002.arrow"
    leftover.write_bytes(b"half")
    count = Count()
    run_tone(make_job(input_file), out, listener=count)
    assert not leftover.exists()
    assert count.blocks == [2, 3, 4, 5]
    assert count.settled == 8
    assert files_of(out) == files_of(finished)
    log = (out / "work" / "log.jsonl").read_text().splitlines()
    assert [json.loads(line)["block"] for line in log] == [0, 1, 2, 3, 4, 5]


def test_a_line_that_was_torn_spoils_no_other(input_file: str, tmp_path: Path) -> None:
    out = tmp_path / "corpus"
    with pytest.raises(KeyboardInterrupt):
        run_tone(make_job(input_file), out, listener=StopAfter(2))
    with (out / "work" / "log.jsonl").open("a") as log:
        log.write('{"block": 2, "tok')
    run_tone(make_job(input_file), out)
    lines = (out / "work" / "log.jsonl").read_text().splitlines()
    assert [json.loads(line)["block"] for line in [*lines[:2], *lines[3:]]] == [0, 1, 2, 3, 4, 5]


def test_a_finished_job_is_left_alone(finished: Path, input_file: str) -> None:
    before = {path: path.stat().st_mtime_ns for path in finished.rglob("*") if path.is_file()}
    count = Count()
    run_tone(make_job(input_file), finished, listener=count)
    assert count.blocks == []
    assert {path: path.stat().st_mtime_ns for path in finished.rglob("*") if path.is_file()} == before


def test_the_blocks_of_a_finished_job_may_go(finished: Path, input_file: str, tmp_path: Path) -> None:
    out = tmp_path / "corpus"
    shutil.copytree(finished, out)
    for round_directory in (out / "work").glob("take-*"):
        shutil.rmtree(round_directory)
    assert run_tone(make_job(input_file), out).counts.input_rows == len(ROWS)
    with pytest.raises(ResumeRefused, match=r"of another job; changed: recipe\.stages\.gate\.wer_limit"):
        run_tone(make_job(input_file, "gate.wer_limit=0.2"), out)
    shutil.rmtree(out / "work")
    with pytest.raises(ResumeRefused, match="but its job is unknown without"):
        run_tone(make_job(input_file), out)


@pytest.mark.parametrize("name", ["audio", "work", "shards", "blocks", "metadata.json"])
def test_a_directory_is_not_ours_because_a_name_in_it_is(name: str, input_file: str, tmp_path: Path) -> None:
    mine = tmp_path / "out" / name / "mine.wav"
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    job = make_job(input_file)
    with pytest.raises(ResumeRefused, match=name):
        run_tone(job, tmp_path / "out")
    with pytest.raises(ResumeRefused, match=name):
        running.ingest_job(job, open_place(tmp_path / "out"), Listener())
    assert mine.read_text() == "mine"


@pytest.mark.parametrize(
    ("overrides", "changes", "named"),
    [
        (["gate.ladder=[]"], {}, r"recipe\.stages\.gate\.ladder"),
        (["block_rows=5"], {}, r"recipe\.block_rows"),
        ([], {"limit": 9}, r"options\.limit"),
    ],
)
def test_what_a_started_job_is_cut_by_cannot_change(
    overrides: list[str], changes: dict[str, Any], named: str, input_file: str, tmp_path: Path
) -> None:
    out = tmp_path / "corpus"
    with pytest.raises(KeyboardInterrupt):
        run_tone(make_job(input_file), out, listener=StopAfter(2))
    with pytest.raises(ResumeRefused, match=named):
        job = make_job(input_file, *overrides, **changes)
        running.run_job(job, open_place(out), LocalRunner(), Listener(), accept_changes=True)


@pytest.mark.parametrize(
    ("overrides", "changes", "named"),
    [
        (["gate.wer_limit=0.2"], {}, "recipe.stages.gate.wer_limit"),
        ([], {"language": "en"}, "options.language"),
        ([], {"limit": 3}, "options.limit"),
    ],
)
def test_another_job_is_refused(
    finished: Path, input_file: str, overrides: list[str], changes: dict[str, Any], named: str
) -> None:
    with pytest.raises(ResumeRefused, match=named):
        run_tone(make_job(input_file, *overrides, **changes), finished)


@pytest.mark.parametrize("changed", [ROWS[:5], [*ROWS[1:4], ROWS[0]]], ids=["longer", "of the same size"])
def test_a_changed_input_is_refused(changed: list[Any], tmp_path: Path) -> None:
    path = tmp_path / "rows.json"
    path.write_text(json.dumps(ROWS[:4]))
    run_tone(make_job(str(path)), tmp_path / "corpus")
    path.write_text(json.dumps(changed))
    with pytest.raises(ResumeRefused, match="inputs"):
        run_tone(make_job(str(path)), tmp_path / "corpus")


@pytest.mark.parametrize(
    ("part", "named"),
    [
        ("pipeline.job.job.normalizer_version", r"normalizers\.en, normalizers\.zh"),
        ("pipeline.job.job.named_digest", r"prompts\.respond, prompts\.rewrite, prompts\.screen"),
        ("pipeline.job.job.version", "parley"),
        (
            "pipeline.job.libraries.version",
            r"changed: libraries\.numpy, libraries\.pyarrow, libraries\.soundfile, libraries\.soxr$",
        ),
    ],
)
def test_a_changed_part_is_refused(
    part: str, named: str, finished: Path, input_file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(part, lambda *_: "another")
    with pytest.raises(ResumeRefused, match=named):
        run_tone(make_job(input_file), finished)


def test_a_node_with_other_libraries_does_not_work_for_the_job() -> None:
    order = WorkOrder(small_recipe(), 0, ("rewrite",), {})
    Worker(order).close()
    with pytest.raises(
        EngineUnavailable, match=r"a worker has pyarrow .* in place of 1\.0: install the same versions"
    ):
        Worker(replace(order, libraries={**order.libraries, "pyarrow": "1.0"}))


def test_a_changed_engine_is_refused(finished: Path, input_file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    swap_engine(monkeypatch, "asr", "tone", version=lambda: "another")
    with pytest.raises(ResumeRefused, match=r"engines\.asr/tone"):
        run_tone(make_job(input_file), finished)


def test_a_changed_voice_is_refused(finished: Path, input_file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.stages.cast.load_bank", lambda name: replace(load_bank(name), digest="another"))
    with pytest.raises(ResumeRefused, match="voices"):
        run_tone(make_job(input_file), finished)


@pytest.mark.parametrize(
    ("before", "after", "named"),
    [
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 1, "c": 3}}, ["a.c"]),
        ({}, {"a": 1}, ["a"]),
        ({"a": 1}, {}, ["a"]),
        ({"a": [1]}, {"a": (1,)}, []),
    ],
)
def test_differences_are_named(before: object, after: object, named: list[str]) -> None:
    assert list(differences(before, after)) == named


def test_changes_may_be_accepted(input_file: str, tmp_path: Path) -> None:
    out = tmp_path / "corpus"
    with pytest.raises(KeyboardInterrupt):
        run_tone(make_job(input_file), out, listener=StopAfter(2))
    changed = make_job(input_file, "respond.answer_target=5")
    running.run_job(changed, open_place(out), LocalRunner(), Listener(), accept_changes=True)
    digests = {d.recipe for d in Corpus(out)}
    assert len(digests) == 1, "rows carry the recipe that they were ingested with"
    assert load_manifest(open_place(out)).recipe.earlier == tuple(digests)
    assert validate(open_place(out), deep=True, beside=(WORK,)).problems == ()
    run_tone(changed, out)


def test_a_finished_corpus_that_lost_a_shard_is_not_called_finished(input_file: str, tmp_path: Path) -> None:
    out, job = tmp_path / "corpus", make_job(input_file)
    run_tone(job, out)
    before = files_of(out)
    (out / "shards" / "kept-00000.parquet").unlink()
    with pytest.raises(
        CorpusError, match=r"kept-00000\.parquet is missing .* delete manifest\.json and the same command"
    ):
        run_tone(job, out)
    (out / "manifest.json").unlink()
    run_tone(job, out)
    assert files_of(out) == before


def test_a_foreign_directory_is_never_written_into(input_file: str, tmp_path: Path) -> None:
    (tmp_path / "thesis.doc").write_text("mine")
    with pytest.raises(ResumeRefused, match=r"thesis\.doc"):
        run_tone(make_job(input_file), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.doc"]
    with pytest.raises(UserError, match="is a file"):
        run_tone(make_job(input_file), tmp_path / "thesis.doc")
