"""Writes a planned shard of a corpus, in whatever process: its file, its clips, and its lines of metadata.json.

The scratch directory of `pack` gets, for a shard::

    kept-00003.lines    its lines of metadata.json
    kept-00003.json     what was written, with the plan's hash: a later run takes the shard as it is
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from itertools import chain
from typing import TypeVar

import numpy as np
import pyarrow as pa

from manifests.arrow import take_rows
from manifests.clips import write_clips
from manifests.errors import BlockDamaged, CorpusError, LawBroken
from manifests.json_text import parse_json
from manifests.manifest import Counts, parse_record
from manifests.metadata import BETWEEN, metadata_line
from manifests.packed_rows import PackedRow, packed_rows
from manifests.parts import audio_parts
from manifests.schema import Dialogue
from manifests.shards import ShardInfo, ShardWriter, open_shard
from manifests.storage import Place
from manifests.tally import Tally, problem_of_end
from manifests.token_sets import size_and_hash
from manifests.used_columns import to_used_table
from pipeline.job.blocks import read_block, read_block_table
from pipeline.job.commits import remember
from pipeline.job.shard_plan import FinalBlock, ShardPlan, read_ends
from voicebank.bank import load_bank

Rows = TypeVar("Rows")


@dataclass(frozen=True)
class ShardWork:
    """Tells a worker what to write: the shard of `plan`, into the corpus `out`, from the blocks in `passes`.

    `clips`: its clips also as files. `lines`: its lines of metadata.json, with the genders of the voices in `bank`.
    """

    out: Place
    scratch: Place
    passes: tuple[Place, ...]
    plan: ShardPlan
    clips: bool
    lines: bool
    bank: str | None


@dataclass(frozen=True)
class WrittenShard:
    """Records a shard that was written, and what it adds to the manifest. `plan` is `ShardPlan.content`."""

    plan: str
    shard: ShardInfo
    counts: Counts
    recipes: tuple[str, ...]
    clip_files: int
    clip_bytes: int
    lines_sha256: str


def final_rows(passes: Sequence[Place], block: FinalBlock) -> list[Dialogue]:
    """Read every row of the block in its last state, in the order of the input."""
    rows: dict[str, Dialogue] = {}
    for number, (directory, commit) in enumerate(zip(passes, block.commits, strict=True)):
        if commit is None and number:
            continue
        remember(directory, {block.number: commit} if commit else {})
        again = {dialogue.dialogue_id: dialogue for dialogue in read_block(directory, block.number)}
        if number and list(again) != [name for name, row in rows.items() if row.status == "live"]:
            raise BlockDamaged(directory.name, block.number)
        rows |= again
    return list(rows.values())


def write_planned(work: ShardWork) -> WrittenShard:
    """Write the shard, its clips and its lines, unless an earlier run has; the record comes last."""
    if (done := written_before(work.scratch, work.plan)) and _is_whole(work, done):
        return done
    tally, recipes, lines = Tally(), set[str](), list[bytes]()
    clip_files = clip_bytes = 0
    with open_shard(work.out / work.plan.path, work.plan.path) as writer:
        for row in _write_clips(work, writer) if work.clips else _write_columns(work, writer):
            if problem := problem_of_end(row.status, row.reason):
                raise LawBroken(f"{row.dialogue_id} cannot be packed: {problem}")
            tally.add(row)
            recipes.update(filter(None, (row.recipe,)))
            if isinstance(row, Dialogue):
                sizes = [len(audio.bytes) for _, audio in audio_parts(row) if audio.path is not None]
                clip_files, clip_bytes = clip_files + len(sizes), clip_bytes + sum(sizes)
            if work.lines:
                lines.append(metadata_line(row, _genders(work.bank)))
        if writer.rows != work.plan.rows:
            raise CorpusError(
                f"{work.plan.path} got {writer.rows} rows; the commits of its blocks say {work.plan.rows}"
            )
    text = BETWEEN.join(lines)
    if work.lines:
        lines_of(work.scratch, work.plan).write_bytes(text)
    counts, digest = tally.counts(), hashlib.sha256(text).hexdigest()
    done = WrittenShard(work.plan.content, writer.info, counts, tuple(sorted(recipes)), clip_files, clip_bytes, digest)
    _record(work.scratch, work.plan).write_text(json.dumps(asdict(done), sort_keys=True) + "\n")
    return done


def written_before(scratch: Place, plan: ShardPlan) -> WrittenShard | None:
    """Return the record of a shard; None if there is none, or if it is of another plan."""
    try:
        done = parse_record(WrittenShard, parse_json(_record(scratch, plan).read_text()), plan.path)
    except (OSError, ValueError, CorpusError):
        return None
    return done if done.plan == plan.content else None


def lines_of(scratch: Place, plan: ShardPlan) -> Place:
    """Return the place of the shard's lines of metadata.json."""
    return scratch / f"{_name(plan)}.lines"


@cache
def _genders(bank: str | None) -> Mapping[str, str]:
    """Return the gender of each voice that may have been cast, by voice_id."""
    return {voice.voice_id: str(voice.gender) for voice in load_bank(bank).voices} if bank else {}


def _record(scratch: Place, plan: ShardPlan) -> Place:
    return scratch / f"{_name(plan)}.json"


def _name(plan: ShardPlan) -> str:
    return plan.path.rpartition("/")[2].partition(".")[0]


def _is_whole(work: ShardWork, done: WrittenShard) -> bool:
    """Tell whether the files of a shard that an earlier run wrote are there, byte for byte."""
    files = [(work.out / work.plan.path, done.shard.sha256)]
    if work.lines:
        files.append((lines_of(work.scratch, work.plan), done.lines_sha256))
    return all(place.is_file() and size_and_hash(place)[1] == digest for place, digest in files)


def _write_clips(work: ShardWork, writer: ShardWriter) -> Iterator[Dialogue]:
    """Write the rows, and their clips as files, and yield them, with one block in memory at a time."""
    blocks = ([rows[place] for place, _ in chosen] for rows, chosen in _chosen(work, final_rows))
    for dialogue in write_clips(work.out, chain.from_iterable(blocks)):
        writer.write(dialogue)
        yield dialogue


def _write_columns(work: ShardWork, writer: ShardWriter) -> Iterator[PackedRow]:
    """Write the rows, and yield what `pack` looks at; all else goes from the blocks to the shard as columns."""
    for table, chosen in _chosen(work, _final_table):
        places, sizes = zip(*chosen, strict=True)
        rows = take_rows(table, np.array(places, np.int64))
        writer.write_table(rows, sizes)
        yield from packed_rows(rows)


def _final_table(passes: Sequence[Place], block: FinalBlock) -> pa.Table:
    """Return the rows of `final_rows` with the columns that they fill."""
    first, *later = block.commits
    if any(later):
        return to_used_table(final_rows(passes, block), Dialogue)
    remember(passes[0], {block.number: first} if first else {})
    return read_block_table(passes[0], block.number)


def _chosen(
    work: ShardWork, read: Callable[[Sequence[Place], FinalBlock], Rows]
) -> Iterator[tuple[Rows, list[tuple[int, int]]]]:
    """Yield each block's rows, as `read` gives them; and the places among them, and the sizes, of the shard's rows."""
    skip, left = work.plan.skip, work.plan.rows
    for block in work.plan.blocks:
        ends = read_ends(work.passes, block)
        all_sizes = zip(ends.statuses, ends.sizes, strict=True)
        own = [(place, size) for place, (end, size) in enumerate(all_sizes) if end == work.plan.status[0]]
        chosen = own[skip : skip + left]
        skip, left = 0, left - len(chosen)
        if chosen:
            yield read(work.passes, block), chosen
