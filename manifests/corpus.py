"""Reads a finished corpus; training code imports this module.

A `Corpus` opens files only on demand, keeps a bounded number of them open, pickles without them, and reopens them in
a forked process. Object stores do not survive a fork: use spawned workers for a corpus on one.
"""

import operator
import os
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from typing import Any, Self, overload

import numpy as np
import pyarrow as pa

from manifests.audio import decode
from manifests.columns import parquet_paths, paths_without_audio
from manifests.epochs import ShardRows
from manifests.errors import CorpusError, UserError
from manifests.manifest import FINAL_STATUSES, load_manifest
from manifests.schema import Dialogue, FinalStatus
from manifests.shards import ShardInfo, ShardReader
from manifests.storage import Place, open_place

__all__ = ["Corpus", "decode"]

# An open shard keeps its footer in memory: 1.4 MB on disk, for the 64 row groups of a full shard.
_OPEN_SHARDS = 16


class Corpus:
    """Gives access to the dialogues of one status, in the order of the corpus.

    >>> corpus = Corpus("s3://bucket/corpus")                 # doctest: +SKIP
    >>> for dialogue in corpus: ...                           # streamed: memory stays flat
    >>> corpus[-1], corpus[1000:2000]                         # one dialogue; a view that is again a corpus
    >>> samples, sample_rate = decode(corpus[0].turns[0].audio)   # float32 [T], Hz
    """

    def __init__(self, where: str | os.PathLike[str] | Place, status: FinalStatus = "kept") -> None:
        """Open the corpus at `where`; raises CorpusError if no finished corpus is there."""
        if status not in FINAL_STATUSES:
            raise UserError(f"no such status: {status}; there are {', '.join(FINAL_STATUSES)}")
        self.place = where if isinstance(where, Place) else open_place(where)
        self.status = status
        self.manifest = load_manifest(self.place)
        self._shards = self.manifest.shards.get(status, ())
        # First row of each shard, and the end: int64 [shards + 1].
        self._starts = np.cumsum([0, *(shard.rows for shard in self._shards)], dtype=np.int64)
        self._range = range(int(self._starts[-1]))
        self._cache = _Cache()

    def __len__(self) -> int:
        return len(self._range)

    def __repr__(self) -> str:
        return f"<Corpus {self.place} {self.status}: {len(self)} dialogues>"

    def __iter__(self) -> Iterator[Dialogue]:
        return self.dialogues()

    def dialogues(self, audio: bool = True) -> Iterator[Dialogue]:
        """Yield the dialogues in order. With `audio=False` clips have empty bytes, and reading is far faster."""
        for reader, table in self._tables(None if audio else paths_without_audio()):
            yield from reader.rows_of(table, audio)

    def select(self, columns: Iterable[str]) -> Iterator[pa.RecordBatch]:
        """Yield only some columns, as Arrow batches: named as in `["dialogue_id", "turns.text"]`, nested as in the
        row.

        Raises a UserError that lists the columns for a name that is not among them.
        """
        return (batch for _, table in self._tables(parquet_paths(columns)) for batch in table.to_batches())

    @overload
    def __getitem__(self, index: int) -> Dialogue: ...

    @overload
    def __getitem__(self, index: slice) -> Self: ...

    def __getitem__(self, index: int | slice) -> Any:
        """Return one dialogue, read with its row group, or a view of the rows of a slice of step 1."""
        if isinstance(index, slice):
            return self._view(index)
        row = self._range[operator.index(index)]
        number = int(np.searchsorted(self._starts, row, side="right")) - 1
        reader = self._cache.reader(self.place, self._shards[number])
        ends = np.cumsum(reader.group_rows)
        within = row - int(self._starts[number])
        group = int(np.searchsorted(ends, within, side="right"))
        offset = within - int(ends[group]) + reader.group_rows[group]
        return reader.rows_of(self._cache.table(reader, group).slice(offset, 1))[0]

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_cache": _Cache()}

    def _view(self, index: slice) -> Self:
        chosen = self._range[index]
        if chosen.step != 1:
            raise UserError("a view of a corpus has step 1")
        view = self.__class__.__new__(self.__class__)
        view.__dict__.update(self.__dict__, _range=chosen, _cache=_Cache())
        return view

    def shard_rows(self) -> list[ShardRows]:
        """Return the rows of this view, shard by shard; nothing is opened."""
        ends = zip(self._shards, self._starts.tolist(), strict=False)
        found = [
            ShardRows(
                shard, range(max(self._range.start, start) - start, min(self._range.stop, start + shard.rows) - start)
            )
            for shard, start in ends
        ]
        return [part for part in found if len(part.rows)]

    def _tables(self, paths: list[str] | None) -> Iterator[tuple[ShardReader, pa.Table]]:
        """Yield the row groups that hold rows of the view, without the rows outside it."""
        for shard, start in zip(self._shards, self._starts.tolist(), strict=False):
            if start < self._range.stop and self._range.start < start + shard.rows:
                yield from self._tables_of(shard, start, paths)

    def _tables_of(
        self, shard: ShardInfo, start: int, paths: list[str] | None
    ) -> Iterator[tuple[ShardReader, pa.Table]]:
        reader = open_shard_of(self.place, shard)
        try:
            for group, rows in enumerate(reader.group_rows):
                first, last = max(start, self._range.start), min(start + rows, self._range.stop)
                if first < last:
                    yield reader, reader.table(group, paths).slice(first - start, last - first)
                start += rows
        finally:
            reader.close()


def open_shard_of(place: Place, shard: ShardInfo) -> ShardReader:
    """Open a shard of the corpus at `place`; raises CorpusError if it has not the rows that the manifest says."""
    reader = ShardReader(place / shard.path)
    if reader.rows != shard.rows:
        reader.close()
        raise CorpusError(f"{reader.place}: {reader.rows} rows, but the manifest says {shard.rows}")
    return reader


class _Cache:
    """Keeps the most recently used shards open, and the last row group. Never shared with another process."""

    def __init__(self) -> None:
        self._forget()

    def _forget(self) -> None:
        self._process = os.getpid()
        self._readers: OrderedDict[str, ShardReader] = OrderedDict()
        self._group: tuple[ShardReader, int, pa.Table] | None = None

    def reader(self, place: Place, shard: ShardInfo) -> ShardReader:
        if self._process != os.getpid():
            self._forget()
        if shard.path not in self._readers:
            self._readers[shard.path] = open_shard_of(place, shard)
            if len(self._readers) > _OPEN_SHARDS:
                self._readers.popitem(last=False)[1].close()
        self._readers.move_to_end(shard.path)
        return self._readers[shard.path]

    def table(self, reader: ShardReader, group: int) -> pa.Table:
        if self._group is None or self._group[0] is not reader or self._group[1] != group:
            self._group = reader, group, reader.table(group)
        return self._group[2]
