"""Shards are planned from commits alone and written one by one, and come out as one writer makes them in one go."""

import random
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from manifests.clips import write_clips
from manifests.errors import BlockDamaged, LawBroken
from manifests.schema import Dialogue
from manifests.storage import Place, open_place
from manifests.validate import validate
from manifests.writer import CorpusWriter, ShardLimits
from parley.testing.corpora import make_failed, make_kept, make_rejected
from pipeline.job import pack as packing
from pipeline.job import run as running
from pipeline.job.blocks import commit_block
from pipeline.job.listener import Listener
from pipeline.job.runner.local import LocalRunner
from pipeline.job.shard_plan import final_blocks, plan_shards, read_ends
from pipeline.job.usage import Effort
from pipeline.job.write_shards import ShardWork, write_planned
from tests.pipeline.tone_job import files_of, make_job, run_tone

BLOCK_ROWS = 4


def write_passes(rows: Sequence[Dialogue], place: Place, chance: random.Random) -> list[Place]:
    """Commit the rows in blocks, in three passes: some rows end in the first one, the others later."""
    passes = [place / f"take-{number}" for number in (1, 2, 3)]
    ends = [chance.choice((0, 0, 1, 2)) for _ in rows]
    for block, first in enumerate(range(0, len(rows), BLOCK_ROWS)):
        waiting = list(zip(rows, ends, strict=True))[first : first + BLOCK_ROWS]
        for number, directory in enumerate(passes):
            if waiting:
                done = [row if end == number else replace(row, status="live", reason=None) for row, end in waiting]
                commit_block(directory, block, done, Effort())
            waiting = [(row, end) for row, end in waiting if end > number]
    return passes


@pytest.mark.parametrize("clips", [True, False])
@pytest.mark.parametrize("limits", [ShardLimits(), ShardLimits(9_000), ShardLimits(max_rows=3), ShardLimits(1)])
def test_shards_are_those_of_one_writer(limits: ShardLimits, clips: bool, tmp_path: Path) -> None:
    chance = random.Random(limits.max_bytes + limits.max_rows)
    made: Sequence[Callable[[int], Dialogue]] = (make_kept, make_kept, make_rejected, make_failed)
    rows = [chance.choice(made)(number) for number in range(42)]
    passes = tuple(write_passes(rows, open_place(tmp_path), chance))
    one, many = open_place(tmp_path / "one"), open_place(tmp_path / "many")
    with CorpusWriter(one, limits.max_bytes, limits.max_rows) as writer:
        for row in write_clips(one, rows) if clips else rows:
            writer.write(row)
    plans = plan_shards((read_ends(passes, block) for block in final_blocks(passes, 11)), limits, {})
    chance.shuffle(plans)
    for plan in plans:
        write_planned(ShardWork(many, open_place(tmp_path / "packed"), passes, plan, clips, False, None))
    assert files_of(tmp_path / "many") == files_of(tmp_path / "one")
    assert len(plans) == sum(map(len, writer.packed.shards.values()))


def test_a_row_that_is_live_or_a_commit_of_other_rows_is_never_packed(tmp_path: Path) -> None:
    passes = [open_place(tmp_path / name) for name in ("take-1", "take-2")]
    live = replace(make_kept(0), status="live")
    commit_block(passes[0], 0, [live, live, make_kept(1)], Effort())
    with pytest.raises(LawBroken, match="block 0 cannot be packed: a row of it is live"):
        read_ends(passes, final_blocks(passes, 1)[0])
    commit_block(passes[1], 0, [make_kept(0)], Effort())
    with pytest.raises(BlockDamaged, match="block 0 in take-2"):
        read_ends(passes, final_blocks(passes, 1)[0])


class Spreads(LocalRunner):
    """Counts the shards that it has written, and stops after a number of them."""

    def __init__(self, most: int = 100) -> None:
        super().__init__()
        self.most = most
        self.written: list[Any] = []

    def map(self, function: Callable[[Any], Any], items: Sequence[Any]) -> Iterator[Any]:
        for item in items:
            if len(self.written) == self.most:
                raise KeyboardInterrupt
            self.written.append(function(item))
            yield self.written[-1]


@pytest.fixture
def unpacked(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A job that is done but for `pack`, whose shards will hold two rows; its corpus was packed before."""
    monkeypatch.setattr(packing, "ShardLimits", lambda max_bytes: ShardLimits(max_bytes, 2))
    monkeypatch.setattr("pipeline.spread.SPREAD_BYTES", 0)
    out = tmp_path / "corpus"
    shutil.copytree(finished, out)
    (out / "manifest.json").unlink()
    return out


def test_a_killed_pack_goes_on_with_the_shards_that_are_missing(
    unpacked: Path, input_file: str, tmp_path: Path
) -> None:
    whole = tmp_path / "whole"
    shutil.copytree(unpacked, whole)
    run_tone(make_job(input_file), whole, Spreads())
    assert validate(open_place(whole), deep=True, beside=("work",)).ok
    count = len(list((whole / "shards").iterdir()))
    with pytest.raises(KeyboardInterrupt):
        run_tone(make_job(input_file), unpacked, Spreads(5))
    shards = sorted((unpacked / "shards").iterdir())
    assert len(shards) == 5 < count
    shards[1].write_bytes(shards[1].read_bytes()[:-1])
    before = {path: path.stat().st_mtime_ns for path in shards}
    torn = next((unpacked / "audio" / "kept").iterdir()) / ".tmp-0123-clip.flac"
    torn.write_bytes(b"half")
    run_tone(make_job(input_file), unpacked, Spreads())
    assert files_of(unpacked) == files_of(whole)
    assert [path for path in shards if path.stat().st_mtime_ns != before[path]] == [shards[1]]
    assert not (unpacked / "work" / "packed").exists()


def test_shards_of_other_settings_are_written_again(unpacked: Path, input_file: str, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        run_tone(make_job(input_file), unpacked, Spreads(3))
    without = make_job(input_file, "pack.clips=false")
    running.run_job(without, open_place(unpacked), Spreads(), Listener(), accept_changes=True)
    assert not (unpacked / "audio").exists()
    assert validate(open_place(unpacked), deep=True, beside=("work",)).ok
