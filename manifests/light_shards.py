"""Reads light rows out of shards: by the index of a shard, and where it has none, out of its columns."""

import json
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice, repeat
from typing import Any, Protocol

import pyarrow as pa

from manifests import table as tables
from manifests.arrow import Rows, clips_in, take_rows
from manifests.clip_index import GROUP_ROWS, MAGIC, TRAILER
from manifests.columns import parquet_paths
from manifests.corpus import open_shard_of
from manifests.errors import CorpusError
from manifests.light import LIGHT_COLUMNS, LightClip, LightRow, clips_of, light_row, without_places
from manifests.light_columns import LightColumns
from manifests.schema import Dialogue
from manifests.shards import ShardInfo, ShardReader, naming
from manifests.storage import Place
from manifests.stretches import Stretches, advise, open_stretches

# A Parquet file ends with the size of its footer, as uint32, and 4 bytes that are the same in every file.
_PARQUET_END = 8


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
        file = open_stretches(place)
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

    def __init__(self, place: Place, file: Stretches, index: Any) -> None:
        self.place = place
        self._file, self._index = file, index
        self._size = file.size()
        self._columns: dict[int, LightColumns] = {}  # views of the index, which take some 5 KB for a row group
        if problem := tables.schema_problem(index.schema, LightRow, exact=True):
            raise CorpusError(f"the index of the shard is not one: {problem}")
        self.group_rows: list[int] = json.loads(index.schema.metadata[GROUP_ROWS])

    def rows(self, group: int, rows: Rows) -> list[StoredRow]:
        """Read rows of a row group; clips on a disk stay there, those of an object store come in one request."""
        found = self.light_rows(group, rows)
        if self.place.is_local:
            return [StoredRow(row, None, self) for row in found]
        clips = iter(self._read([turn.clip for row in found for turn in row.turns]))
        return [StoredRow(row, tuple(islice(clips, len(row.turns)))) for row in found]

    def light_rows(self, group: int, rows: Rows) -> list[LightRow]:
        with naming(self.place):
            columns = self._group(group)
        if len(rows) == rows[-1] - rows[0] + 1:
            return list(columns.rows(int(rows[0]), int(rows[-1]) + 1))
        return [row for number in map(int, rows) for row in columns.rows(number, number + 1)]

    def _group(self, group: int) -> LightColumns:
        if group not in self._columns:
            table = pa.Table.from_batches([self._index.get_batch(group)])
            table.validate(full=True)
            tables.check_complete(table)
            self._columns[group] = LightColumns(table.to_batches()[0])
        return self._columns[group]

    def clips(self, row: LightRow) -> list[bytes]:
        """Read the clips of a row, empty for a turn without one, and check them. Raises CorpusError for damage."""
        try:
            return self._read([turn.clip for turn in row.turns])
        except CorpusError as error:
            raise CorpusError(f"{error} (dialogue {row.dialogue_id})") from error

    def expect(self, group: int) -> None:
        with naming(self.place):
            span = self._group(group).span()
        if span:
            advise(self.place, span[0], span[1] - span[0])

    def _read(self, clips: Sequence[LightClip | None]) -> list[bytes]:
        with naming(self.place):
            found = self._stretches([self._span(clip) for clip in clips])
            for clip, data in zip(clips, found, strict=True):
                if data and clip and zlib.crc32(data) != clip.crc32:
                    raise CorpusError("the shard is damaged: a clip is not as it was written")
        return found

    def _stretches(self, spans: Sequence[tuple[int, int]]) -> list[bytes]:
        """Return stretches of the file: each by a read of its own from a disk, all at once from an object store."""
        if self.place.is_local:
            return [bytes(self._file.read_at(end - start, start)) if end else b"" for start, end in spans]
        first, last = min((start for start, end in spans if end), default=0), max((end for _, end in spans), default=0)
        data = memoryview(self._file.read_at(last - first, first))
        return [bytes(data[start - first : end - first]) if end else b"" for start, end in spans]

    def _span(self, clip: LightClip | None) -> tuple[int, int]:
        """Return the first byte of the clip and the byte behind it; 0 and 0 if it has no bytes."""
        if clip is None or not clip.size:
            return 0, 0
        start = clip.offset or 0
        if not 0 <= start <= start + clip.size <= self._size:
            raise CorpusError("the shard is damaged: a clip of its index lies beyond its end")
        return start, start + clip.size


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


@cache
def _light_paths() -> list[str]:
    return parquet_paths(LIGHT_COLUMNS)
