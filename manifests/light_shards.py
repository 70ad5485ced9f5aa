"""Reads light rows out of shards: by the index of a shard, and where it has none, out of its columns."""

import json
import os
import zlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from itertools import islice, repeat
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa

from manifests import table as tables
from manifests.arrow import Rows, clips_in, take_rows
from manifests.clip_index import GROUP_ROWS, MAGIC, TRAILER
from manifests.columns import parquet_paths
from manifests.corpus import open_shard_of
from manifests.errors import CorpusError
from manifests.light import LIGHT_COLUMNS, LightClip, LightRow, clips_of, light_row, light_row_of, without_places
from manifests.schema import Dialogue
from manifests.shards import ShardInfo, ShardReader, naming
from manifests.storage import Place

# A Parquet file ends with the size of its footer, as uint32, and 4 bytes that are the same in every file.
_PARQUET_END = 8

# Between two clips of a row lie 4 bytes, and sometimes the head of a page: such clips are read at once.
_MOST_BETWEEN = 4096


@dataclass(frozen=True, slots=True)
class StoredRow:
    """Holds a light row whose clips are still encoded: in memory, in `clips`, or in a file, with a `shard` to read
    them from."""

    row: LightRow
    clips: Sequence[bytes] | None
    shard: "IndexedShard | None" = None

    def read_clips(self) -> Sequence[bytes]:
        """Return the bytes of the clip of each turn, empty for a turn without one. Raises CorpusError for damage."""
        if self.clips is not None:
            return self.clips
        assert self.shard is not None
        return self.shard.clips(self.row)


class LightShard(Protocol):
    """An open shard, from which light rows are read by row group."""

    group_rows: list[int]

    def rows(self, group: int, rows: Rows) -> list[StoredRow]:
        """Read rows of a row group, by their numbers in the group."""

    def expect(self, group: int) -> None:
        """Tell the system that a row group of a local file will be read next, so that it lies ready."""


def open_light_shard(place: Place, shard: ShardInfo) -> LightShard:
    """Open a shard of the corpus at `place`; raises CorpusError if it has not the rows that the manifest says."""
    index = open_index(place / shard.path)
    if index is None:
        return _Columns(open_shard_of(place, shard))
    if sum(index.group_rows) != shard.rows:
        raise CorpusError(f"{index.place}: {sum(index.group_rows)} rows, but the manifest says {shard.rows}")
    return index


def open_index(place: Place) -> "IndexedShard | None":
    """Open a shard by its index; return None if it has none. Raises CorpusError for a damaged index."""
    with naming(place):
        file = place.filesystem.open_input_file(place.path)
        end = file.size() - _PARQUET_END
        if end < 0:
            return None
        end -= int.from_bytes(file.read_at(4, end), "little") + TRAILER.size
        trailer = file.read_at(TRAILER.size, end) if end >= 0 else b""
        if not trailer.endswith(MAGIC):
            return None
        size, crc32, _ = TRAILER.unpack(trailer)
        data = file.read_at(size, end - size) if size <= end else b""
        if zlib.crc32(data) != crc32:
            raise CorpusError("the shard is damaged: its index is not as it was written")
        return IndexedShard(place, file, pa.ipc.open_file(pa.py_buffer(data)))


def index_rows(place: Place) -> Iterator[tuple[LightRow, Sequence[bytes]] | None]:
    """Yield each row of a shard's index, without places, and its clips. Raises CorpusError for damage.

    Behind the last row, and for a shard without an index, it yields None for ever.
    """
    index = open_index(place)
    for group, count in enumerate(index.group_rows if index else ()):
        assert index is not None
        for row in index.light_rows(group, range(count)):
            yield without_places(row), index.clips(row)
    yield from repeat(None)


def indexed_row(dialogue: Dialogue) -> tuple[LightRow, Sequence[bytes]]:
    """Return what `index_rows` yields for the dialogue."""
    return light_row(dialogue), clips_of(dialogue)


class IndexedShard:
    """Reads an open shard by its index. It is closed when nothing refers to it: its rows do until they are read."""

    def __init__(self, place: Place, file: Any, index: Any) -> None:
        self.place = place
        self._file, self._index = file, index
        self._size = file.size()
        self._tables: dict[int, pa.Table] = {}  # views of the index: they take no memory of their own
        if problem := tables.schema_problem(index.schema, LightRow, exact=True):
            raise CorpusError(f"the index of the shard is not one: {problem}")
        self.group_rows: list[int] = json.loads(index.schema.metadata[GROUP_ROWS])

    def rows(self, group: int, rows: Rows) -> list[StoredRow]:
        """Read rows of a row group; clips on a disk stay there, those of an object store come in one request."""
        found = self.light_rows(group, rows)
        if self.place.is_local:
            return [StoredRow(row, None, self) for row in found]
        clips = iter(self._read([turn.clip for row in found for turn in row.turns], at_once=True))
        return [StoredRow(row, tuple(islice(clips, len(row.turns)))) for row in found]

    def light_rows(self, group: int, rows: Rows) -> list[LightRow]:
        with naming(self.place):
            # One row so is a sixth of the work of `from_table`, all of a row group the same.
            return [light_row_of(values) for values in take_rows(self._table(group), rows).to_pylist()]

    def _table(self, group: int) -> pa.Table:
        if group not in self._tables:
            table = pa.Table.from_batches([self._index.get_batch(group)])
            table.validate(full=True)
            tables.check_complete(table)
            self._tables[group] = table
        return self._tables[group]

    def clips(self, row: LightRow) -> list[bytes]:
        """Read the clips of a row, empty for a turn without one, and check them. Raises CorpusError for damage."""
        try:
            return self._read([turn.clip for turn in row.turns], at_once=False)
        except CorpusError as error:
            raise CorpusError(f"{error} (dialogue {row.dialogue_id})") from error

    def expect(self, group: int) -> None:
        clips = [turn.clip for row in self.light_rows(group, range(self.group_rows[group])) for turn in row.turns]
        spans = [_span(clip) for clip in clips if clip and clip.size]
        if spans:
            advise(self.place, spans[0][0], max(end for _, end in spans) - spans[0][0])

    def _read(self, clips: Sequence[LightClip | None], at_once: bool) -> list[bytes]:
        spans = [_span(clip) for clip in clips if clip and clip.size]
        with naming(self.place):
            if any(not 0 <= start <= end <= self._size for start, end in spans):
                raise CorpusError("the shard is damaged: a clip of its index lies beyond its end")
            start, end = min((s for s, _ in spans), default=0), max((e for _, e in spans), default=0)
            together = at_once or end - start <= sum(e - s for s, e in spans) + _MOST_BETWEEN
            data = memoryview(self._file.read_at(end - start, start)) if together else None
            return [self._checked(clip, data, start) if clip and clip.size else b"" for clip in clips]

    def _checked(self, clip: LightClip, data: memoryview | None, start: int) -> bytes:
        first, end = _span(clip)
        found = self._file.read_at(end - first, first) if data is None else bytes(data[first - start : end - start])
        if zlib.crc32(found) != clip.crc32:
            raise CorpusError("the shard is damaged: a clip is not as it was written")
        return bytes(found)


class _Columns:
    """Reads a shard without an index, out of its columns."""

    def __init__(self, reader: ShardReader) -> None:
        self._reader = reader
        self.group_rows = reader.group_rows

    def rows(self, group: int, rows: Rows) -> list[StoredRow]:
        table = take_rows(self._reader.table(group, _light_paths()), rows)
        with self._reader.naming():
            clips = iter(clips_in(table))
            found = tables.from_table(table, LightRow, partial=True)
            return [StoredRow(row, tuple(islice(clips, len(row.turns)))) for row in found]

    def expect(self, group: int) -> None:
        start, size = self._reader.stretch(group)
        advise(self._reader.place, start, size)


def advise(place: Place, start: int, size: int) -> None:
    """Tell the system that `size` bytes of a local file will be read."""
    if not place.is_local or not hasattr(os, "posix_fadvise"):
        return
    with suppress(OSError), Path(place.path).open("rb") as file:  # only advice: reading says what is wrong
        os.posix_fadvise(file.fileno(), start, size, os.POSIX_FADV_WILLNEED)


@cache
def _light_paths() -> list[str]:
    return parquet_paths(LIGHT_COLUMNS)


def _span(clip: LightClip) -> tuple[int, int]:
    """Return first byte of the clip, which has bytes, and the byte behind it."""
    start = clip.offset or 0
    return start, start + (clip.size or 0)
