"""Blocks on disk: the commit comes last, and its name says what is left to do."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from manifests.errors import BlockDamaged, CorpusError
from manifests.reasons import Reason
from manifests.schema import Audio, Dialogue
from manifests.storage import open_place
from parley.testing import make_dialogue
from parley.testing.stages import make_take
from pipeline.engines.contract import Tokens
from pipeline.job.blocks import block_size, commit_block, live_rows, read_block, read_json, write_block
from pipeline.job.commits import (
    commit,
    delete_block,
    delete_block_leftovers,
    finished_blocks,
    read_reports,
    write_hashes,
)
from pipeline.job.usage import Effort
from pipeline.stages.contract import reject

ROWS = [
    make_dialogue(dialogue_id="live"),
    reject(make_dialogue(dialogue_id="rejected"), Reason.CODE, "why"),
    replace(make_dialogue(dialogue_id="kept"), status="kept"),
]


def test_a_block_comes_back_as_it_was(tmp_path: Path) -> None:
    directory = open_place(tmp_path)
    report = commit_block(directory, 17, ROWS, Effort({"gate": 0.12345678}, {"small": Tokens(requests=2, prompt=30)}))
    assert read_block(directory, 17) == ROWS
    assert sorted(path.name for path in tmp_path.iterdir()) == ["000017.arrow", "000017.live-1.json"]
    assert (report.rows, report.live) == (3, 1)
    assert dict(report.status) == {"kept": 1, "live": 1, "rejected": 1}
    assert dict(report.reasons) == {"code": 1}
    assert dict(report.seconds) == {"gate": 0.1235}
    written = (tmp_path / "000017.live-1.json").read_text()
    assert json.loads(written)["tokens"]["small"]["prompt"] == 30
    assert json.loads(written) == asdict(report)


def test_without_its_commit_a_block_is_not_finished(tmp_path: Path) -> None:
    directory = open_place(tmp_path)
    write_block(directory, 0, ROWS)
    assert live_rows(directory) == {}
    commit_block(directory, 0, ROWS, Effort())
    commit_block(directory, 1, ROWS[1:], Effort())
    commit_block(directory, 1_000_000, ROWS, Effort())
    assert live_rows(directory) == {0: 1, 1: 0, 1_000_000: 1}
    commit(directory, 2, {"clips": 256, "speakers": 9}, Effort())
    assert finished_blocks(directory)[2] == {"clips": 256, "speakers": 9}


def test_blocks_from_ten_thousand_on_lie_in_folders(tmp_path: Path) -> None:
    directory = open_place(tmp_path)
    for block in (9_999, 10_000, 29_999):
        commit_block(directory, block, ROWS, Effort())
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.json")) == [
        "009999.live-1.json",
        "from-010000/010000.live-1.json",
        "from-020000/029999.live-1.json",
    ]
    assert live_rows(directory) == {9_999: 1, 10_000: 1, 29_999: 1}
    assert read_block(directory, 29_999) == ROWS and len(read_reports(directory)) == 3
    leftover = tmp_path / "from-010000" / ".tmp-0123-010001.arrow"
    leftover.write_bytes(b"")
    delete_block_leftovers(directory)
    delete_block(directory, 29_999)
    assert not leftover.exists() and live_rows(directory) == {9_999: 1, 10_000: 1}
    (tmp_path / "from-010000" / "010000.arrow").write_bytes(b"")
    with pytest.raises(BlockDamaged, match=r"delete its files, .*/\*/010000\*"):
        read_block(directory, 10_000)


def test_a_large_block_comes_back_whole(tmp_path: Path) -> None:
    rows = [make_dialogue(dialogue_id=f"test-{i}") for i in range(300)]
    write_hashes(open_place(tmp_path), [write_block(open_place(tmp_path), 0, rows)])
    assert read_block(open_place(tmp_path), 0) == rows


def test_only_kept_audio_is_counted(tmp_path: Path) -> None:
    def spoken(dialogue: Dialogue) -> Dialogue:
        audio = Audio(b"", None, "wav", 16_000, 24_000)
        return replace(dialogue, turns=tuple(replace(turn, take=make_take(audio=audio)) for turn in dialogue.turns))

    assert commit_block(open_place(tmp_path), 0, [spoken(row) for row in ROWS], Effort()).kept_audio_s == 3.0


def test_a_block_that_was_never_finished_is_named(tmp_path: Path) -> None:
    write_block(open_place(tmp_path), 3, ROWS)
    with pytest.raises(CorpusError, match=r"block 3 in .* is not finished: run the step before it to the end"):
        read_block(open_place(tmp_path), 3)


@pytest.mark.parametrize("text", ["", "[1]", "{"])
def test_broken_job_files_are_named(text: str, tmp_path: Path) -> None:
    (tmp_path / "job.json").write_text(text)
    with pytest.raises(CorpusError, match=r"job\.json is broken"):
        read_json(open_place(tmp_path) / "job.json")
    with pytest.raises(CorpusError, match=r"input\.json is missing"):
        read_json(open_place(tmp_path) / "input.json")


@pytest.mark.parametrize(("block", "size"), [(0, 4), (1, 4), (2, 1)])
def test_only_the_last_block_is_smaller(block: int, size: int) -> None:
    assert block_size({"rows": 9, "block_rows": 4}, block) == size
