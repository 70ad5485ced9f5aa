"""Lists the clips of a corpus, sorted by group and cut into blocks of whole groups, the steps of work and resume.

The clips of a group may be scattered over the corpus, and there may be millions of them, so they are sorted on disk. A
block is a Parquet file of clips; groups are in the order of their ids, within and across blocks.
"""

import hashlib
import json
import math
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, fields, replace
from itertools import groupby, islice
from operator import attrgetter

import pyarrow as pa
import pyarrow.parquet as pq

from manifests.errors import LawBroken
from manifests.storage import Place
from pipeline.job.commits import block_folder, block_name, read_checked
from pipeline.scratch import scratch_at
from voicebank.layouts.clip import SourceClip
from voicebank.reasons import BankReason, bank_reason_of

_SCHEMA = pa.schema(
    [(field.name, pa.float64() if field.name == "quality" else pa.string()) for field in fields(SourceClip)]
)
_REPORT_EVERY = 1000
_CACHE_KIB = 65_536


@dataclass(frozen=True)
class Listing:
    """Describes the listing in `input.json`. `sha256` covers all listed clips, in order; `without_score` counts the
    clips without a score on the recipe's scale, `without_gender` those without a gender in the corpus."""

    clips: int
    groups: int
    blocks: int
    without_score: int
    without_gender: int
    sha256: str


def list_blocks(
    clips: Iterable[SourceClip],
    target: Place,
    scratch: Place,
    block_clips: int,
    scale: str,
    limit_groups: int | None = None,
    listed: Callable[[int], None] = lambda _: None,
) -> tuple[Listing, list[str]]:
    """Write the clips as blocks to `target`; `limit_groups` takes the first groups only.

    Returns the hash of each block's file too. Of two equal clips of a group the later one is marked as a duplicate.
    `listed` gets the number of further clips read. Raises LawBroken for a reason that is not in the closed list.
    """
    hashed = hashlib.sha256()
    hashes: list[str] = []
    totals = {"clips": 0, "groups": 0, "blocks": 0, "without_score": 0, "without_gender": 0}
    with _sorted(clips, scratch, listed) as ordered:
        groups = (_without_duplicates(list(group)) for _, group in groupby(ordered, attrgetter("group")))
        for block in _units(islice(groups, limit_groups), block_clips):
            hashes.append(_write(target, totals["blocks"], block))
            totals["blocks"] += 1
            totals["clips"] += len(block)
            totals["groups"] += len({clip.group for clip in block})
            totals["without_score"] += sum(shipped_score(clip, scale) is None for clip in block)
            totals["without_gender"] += sum(clip.gender is None for clip in block)
            for clip in block:
                hashed.update(_line(clip).encode("ascii") + b"\n")
    return Listing(**totals, sha256=hashed.hexdigest()), hashes


def shipped_score(clip: SourceClip, scale: str) -> float | None:
    """Return the clip's score on that scale in the corpus itself, if it has one."""
    known = clip.quality is not None and clip.quality_scale == scale and math.isfinite(clip.quality)
    return clip.quality if known else None


def read_clips(directory: Place, block: int) -> list[SourceClip]:
    """Read the clips of a block; raises BlockDamaged if it is missing or not what was written."""
    data = read_checked(directory, block, f"{block_name(block)}.parquet")
    table = pq.read_table(pa.BufferReader(data), schema=_SCHEMA)
    return [SourceClip(**row) for row in table.to_pylist()]


def _write(directory: Place, block: int, clips: Sequence[SourceClip]) -> str:
    """Write a block and return its SHA-256."""
    table, buffer = pa.Table.from_pylist([asdict(clip) for clip in clips], schema=_SCHEMA), pa.BufferOutputStream()
    pq.write_table(table, buffer, compression="zstd", write_page_checksum=True)
    data = buffer.getvalue().to_pybytes()
    (block_folder(directory, block) / f"{block_name(block)}.parquet").write_bytes(data)
    return hashlib.sha256(data).hexdigest()


def _units(groups: Iterable[list[SourceClip]], block_clips: int) -> Iterator[list[SourceClip]]:
    """Yield whole groups of up to `block_clips` clips together; a larger group is a block of its own."""
    block: list[SourceClip] = []
    for group in groups:
        if block and len(block) + len(group) > block_clips:
            yield block
            block = []
        block += group
    if block:
        yield block


def _without_duplicates(group: Sequence[SourceClip]) -> list[SourceClip]:
    """Mark repeated clips: the same clip twice would be a pair that is always alike."""
    ids, paths, checked = set[str](), set[str](), []
    for clip in group:
        if clip.reason is None and (clip.clip_id in ids or clip.path in paths):
            clip = replace(clip, reason=BankReason.DUPLICATE_CLIP.value)
        elif clip.reason is None:
            ids.add(clip.clip_id)
            paths.add(clip.path)
        checked.append(clip)
    return checked


@contextmanager
def _sorted(
    clips: Iterable[SourceClip], scratch: Place, listed: Callable[[int], None]
) -> Iterator[Iterator[SourceClip]]:
    """Sort the clips by group, id and position in the listing, in UTF-8 byte order, whatever the machine's locale."""
    with (
        scratch_at(scratch, "parley-listing-") as directory,
        closing(sqlite3.connect(directory / "clips.db")) as database,
    ):
        # The file lives as long as this block: nothing in it needs to survive a crash.
        database.executescript(
            f"PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-{_CACHE_KIB};"
            "CREATE TABLE clips (grp TEXT, clip_id TEXT, number INTEGER, line TEXT);"
        )
        database.executemany("INSERT INTO clips VALUES (?, ?, ?, ?)", _rows(clips, listed))
        lines = database.execute("SELECT line FROM clips ORDER BY grp, clip_id, number")
        yield (SourceClip(**json.loads(line)) for (line,) in lines)


def _rows(clips: Iterable[SourceClip], listed: Callable[[int], None]) -> Iterator[tuple[str, str, int, str]]:
    unreported = 0
    for number, clip in enumerate(map(_checked, clips)):
        yield clip.group, clip.clip_id, number, _line(clip)
        unreported += 1
        if unreported == _REPORT_EVERY:
            listed(unreported)
            unreported = 0
    listed(unreported)


def _checked(clip: SourceClip) -> SourceClip:
    """Reject the clip if its own entry cannot be used; characters that no file can hold become escapes."""
    if clip.reason is not None and bank_reason_of(clip.reason) is None:
        raise LawBroken(f"a layout rejects a clip for {clip.reason!r}, which is not in the list of reasons")
    texts = {name: value for name, value in asdict(clip).items() if isinstance(value, str)}
    changed = {name: safe for name, value in texts.items() if (safe := _printable(value)) != value}
    if changed or not (clip.clip_id and clip.group and clip.language) or _leads_out(clip.path):
        return replace(clip, **changed, reason=clip.reason or BankReason.BAD_METADATA.value)  # type: ignore[arg-type]
    return clip


def _printable(text: str) -> str:
    """Escape lone surrogates, from file names that are not UTF-8, and NUL, which ends the text in some readers."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8").replace("\0", "\\x00")


def _leads_out(path: str) -> bool:
    parts = path.split("/")
    return path.startswith("/") or ".." in parts


def _line(clip: SourceClip) -> str:
    return json.dumps(asdict(clip), sort_keys=True)
