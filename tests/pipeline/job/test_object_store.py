"""A job whose input, work and corpus live on an object store: a real S3 server of the test's own, on this machine."""

import json
from pathlib import Path

import pytest

from manifests.corpus import Corpus, decode
from manifests.errors import ResumeRefused
from manifests.storage import Place, open_place
from manifests.validate import validate
from pipeline.cli import commands
from pipeline.job import lock
from pipeline.job.blocks import BlockReport
from pipeline.job.inputs import open_inputs
from pipeline.job.job import Job
from pipeline.job.listener import Listener
from tests.pipeline.tone_job import Count, StopAfter, files_of, make_job, run_tone

ROWS = [{"instruction": f"Why do people like number {i}?", "output": "It brings them luck."} for i in range(12)]


def test_files_are_found_on_an_object_store(bucket: str) -> None:
    for name in ("set/data/train-00001-of-00002.jsonl", "set/data/train-00000-of-00002.jsonl", "set/README.md"):
        open_place(bucket.format(name)).write_text(json.dumps(ROWS))
    for word in ("set", "set/data/*.jsonl", "set/**/train-*"):
        files = open_inputs([bucket.format(word)])
        assert [(file.dataset, file.name) for file in files] == [
            ("set", "train-00000-of-00002.jsonl"),
            ("set", "train-00001-of-00002.jsonl"),
        ]
        assert files[0].identity()["bytes"] == len(json.dumps(ROWS))


def test_a_job_on_an_object_store(bucket: str, tmp_path: Path) -> None:
    source, out = bucket.format("in/rows.json"), open_place(bucket.format("corpus"))
    open_place(source).write_text(json.dumps(ROWS))
    job = make_job(source)
    assert job.files[0].dataset == "rows"
    with pytest.raises(KeyboardInterrupt):
        run_tone(job, out, listener=StopAfter(1))
    count = Count()
    run_tone(job, out, listener=count)
    assert count.blocks == [1, 2]
    assert validate(out, deep=True, beside=("work",)).ok
    dialogue = Corpus(out)[-1]
    assert dialogue.turns[0].audio is not None
    assert len(decode(dialogue.turns[0].audio)[0]) > 1000

    local = tmp_path / "rows.json"
    local.write_text(json.dumps(ROWS))
    run_tone(make_job(str(local)), tmp_path / "corpus")
    manifests = [out / "manifest.json", open_place(tmp_path / "corpus") / "manifest.json"]
    assert manifests[0].read_bytes() == manifests[1].read_bytes()
    assert files_of(tmp_path / "corpus")


class SecondJob(Listener):
    """Starts the same job a second time when the first block is done."""

    def __init__(self, job: Job, out: Place) -> None:
        self._job, self._out, self.said = job, out, ""

    def finished(self, report: BlockReport) -> None:
        if not self.said:
            with pytest.raises(ResumeRefused) as error:
                run_tone(self._job, self._out)
            self.said = str(error.value)


def test_a_second_job_is_refused_and_a_killed_one_expires(
    bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock, "BEAT_S", 0.2)
    monkeypatch.setattr(lock, "EXPIRY_S", 2.0)
    local, out = tmp_path / "rows.json", open_place(bucket.format("refusing"))
    local.write_text(json.dumps(ROWS))
    job = make_job(str(local))
    second = SecondJob(job, out)
    run_tone(job, out, listener=second)
    assert "another job is at work in this --out" in second.said
    assert not (out / "work" / "owners").list()

    other = open_place(bucket.format("expired"))
    killed = other / "work" / "owners" / ("0" * 32)
    killed.write_text("7\n")
    run_tone(job, other)
    assert not killed.exists()
    assert (other / "manifest.json").read_bytes() == (out / "manifest.json").read_bytes()


def test_the_key_in_a_uri_is_not_shown(bucket: str, tmp_path: Path) -> None:
    local = tmp_path / "rows.json"
    local.write_text(json.dumps(ROWS))
    uri = bucket.format("corpus")
    manifest = run_tone(make_job(str(local)), open_place(uri))
    assert "secret" not in commands.summary(manifest, uri)
    name = uri.partition("@")[2].partition("?")[0]
    assert f"corpus    {name}" in commands.summary(manifest, uri)
