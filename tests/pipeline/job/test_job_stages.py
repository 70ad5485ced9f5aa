"""The stages one by one, each over a directory of blocks."""

from pathlib import Path

import pytest

from manifests.errors import CorpusError, ResumeRefused, UserError
from manifests.storage import open_place
from manifests.validate import validate
from pipeline.job import run as running
from pipeline.job.directory import WORK
from pipeline.job.listener import Listener
from pipeline.job.runner.local import LocalRunner
from tests.pipeline.tone_job import STAGES, Count, StopAfter, files_of, make_job, run_stage
from tests.tables import each_row


def test_the_stages_in_turn_give_the_same_corpus(finished: Path, input_file: str, tmp_path: Path) -> None:
    job = make_job(input_file)
    running.ingest_job(job, open_place(tmp_path / "0"), Listener())
    source = "0"
    for number, name in enumerate(STAGES, start=1):
        result = running.run_stage_directory(
            name,
            job.recipe,
            open_place(tmp_path / source),
            open_place(tmp_path / str(number)),
            LocalRunner(),
            Listener(),
        )
        source = str(number)
    assert result.live == 0
    running.pack_directory(job.recipe, open_place(tmp_path / source), open_place(tmp_path / "corpus"))
    assert files_of(tmp_path / "corpus") == files_of(finished)


def test_a_stage_alone_continues_too(input_file: str, tmp_path: Path) -> None:
    job = make_job(input_file)
    running.ingest_job(job, open_place(tmp_path / "0"), Listener())
    with pytest.raises(KeyboardInterrupt):
        run_stage("rewrite", job, tmp_path / "0", tmp_path / "1", StopAfter(2))
    with pytest.raises(CorpusError, match=r"input\.json is missing"):
        run_stage("screen", job, tmp_path / "1", tmp_path / "2")
    count = Count()
    run_stage("rewrite", job, tmp_path / "0", tmp_path / "1", count)
    assert (count.blocks, count.settled) == ([2, 3, 4, 5], 8)


def test_a_stage_alone_refuses_what_is_not_its_own(finished: Path, input_file: str, tmp_path: Path) -> None:
    job, other = make_job(input_file), make_job(input_file, "gate.wer_limit=0.2")
    blocks, foreign, out = tmp_path / "blocks", tmp_path / "foreign", tmp_path / "out"
    running.ingest_job(job, open_place(blocks), Listener())
    (foreign / "audio").mkdir(parents=True)
    (foreign / "audio" / "song.wav").write_text("mine")
    (foreign / "thesis.doc").write_text("mine")
    with pytest.raises(ResumeRefused, match=r"thesis\.doc"):
        running.ingest_job(job, open_place(foreign), Listener())
    with pytest.raises(ResumeRefused, match=r"thesis\.doc"):
        run_stage("rewrite", job, blocks, foreign)
    with pytest.raises(ResumeRefused, match=r"thesis\.doc"):
        running.pack_directory(job.recipe, open_place(blocks), open_place(foreign))
    with pytest.raises(ResumeRefused, match=r"another recipe; changed: stages\.gate\.wer_limit"):
        run_stage("rewrite", other, blocks, out)
    with pytest.raises(ResumeRefused, match="already holds a finished corpus"):
        running.pack_directory(job.recipe, open_place(blocks), open_place(finished))
    assert (foreign / "audio" / "song.wav").exists()
    assert validate(open_place(finished), deep=True, beside=(WORK,)).ok
    run_stage("rewrite", job, blocks, out)
    with pytest.raises(UserError, match="rows are still live: run cast"):
        running.pack_directory(job.recipe, open_place(out), open_place(tmp_path / "corpus"))
    assert not (tmp_path / "corpus").exists()


@each_row(
    ("name", "text", "message"),
    [
        ("input.json", "{}", "input.json is broken: rows: "),
        ("input.json", '{"rows": 4, "blocks": -1, "block_rows": 4, "rows_of": {}}', "input.json is broken: blocks: "),
        (
            "input.json",
            '{"rows": 4, "blocks": 9, "block_rows": 4, "rows_of": {"x": 4}, "recipe": "r", "sha256": "s"}',
            "contradict each other",
        ),
        (
            "input.json",
            '{"rows": 4, "blocks": 1.0, "block_rows": 4, "rows_of": {"x": 4}}',
            "blocks: Input should be a",
        ),
        ("input.json", "[" * 9000, "input.json is broken: it is nested too deep"),
        ("job.json", "{}", "job.json is broken: seed: "),
        ("job.json", "[]", "job.json is broken: not a JSON object"),
        ("job.json", "\udcff", "job.json is broken: "),
    ],
)
def test_a_damaged_file_of_a_job_is_one_sentence(
    name: str, text: str, message: str, input_file: str, tmp_path: Path
) -> None:
    job, blocks = make_job(input_file, limit=4), tmp_path / "blocks"
    if not blocks.exists():
        running.ingest_job(job, open_place(blocks), Listener())
    whole = (blocks / name).read_bytes()
    (blocks / name).write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(CorpusError, match=message):
        run_stage("rewrite", job, blocks, tmp_path / "out")
    (blocks / name).write_bytes(whole)
