"""Reads a finished corpus; training code imports this module.

A `Corpus` opens files only on demand, keeps a bounded number of them open, pickles without them, and reopens them in
a forked process. Object stores do not survive a fork: use spawned workers for a corpus on one.
"""

import operator
import os
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self, overload

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from manifests.arrow import Rows, take_rows
from manifests.audio import decode
from manifests.columns import parquet_paths, paths_without_audio
from manifests.epochs import ShardRows
from manifests.errors import CorpusError, UserError
from manifests.manifest import FINAL_STATUSES, load_manifest
from manifests.schema import Dialogue, FinalStatus
from manifests.shards import ShardInfo, ShardReader
from manifests.storage import Place, open_place
from manifests.token_reader import TokenReader
from manifests.token_sets import TokenSet
from manifests.views import rows_of_views

__all__ = ["Corpus", "decode"]

# An open shard keeps its footer in memory: 1.4 MB on disk, for the 64 row groups of a full shard.
_OPEN_SHARDS = 16


class Corpus:
    """Gives access to the dialogues of one status, in the order of the corpus.

    >>> corpus = Corpus("s3://bucket/corpus")                 # doctest: +SKIP
    >>> for dialogue in corpus: ...                           # streamed: memory stays flat
    >>> corpus[-1], corpus[1000:2000]                         # one dialogue; some rows, again as a corpus
    >>> corpus.rows([3, 5, 70])                               # rows by number, again as a corpus
    >>> Corpus("corpus", subset="S", split="train")           # a subset and a split that were made of it
    >>> Corpus("corpus", tokens="snac")                       # with the speech tokens of a token set
    >>> samples, sample_rate = decode(corpus[0].turns[0].audio)   # float32 [T], Hz
    """

    def __init__(
        self,
        where: str | os.PathLike[str] | Place,
        status: FinalStatus = "kept",
        *,
        subset: str | None = None,
        split: str | None = None,
        view: str | Sequence[str] = (),
        tokens: str | Sequence[str] = (),
    ) -> None:
        """Open the corpus at `where`, or the rows that are in all the views named (see `manifests.views`).

        `subset` is a part of the view "subsets", `split` a part of the view "splits"; `view` names others. `tokens`
        names token sets (see `manifests.token_sets`), whose tokens the rows then have as if they stood in the shards.
        Raises CorpusError if no finished corpus is there, or if a view or a set was made for another one, and
        UserError for a view, a part or a set that does not exist.
        """
        if status not in FINAL_STATUSES:
            raise UserError(f"no such status: {status}; there are {', '.join(FINAL_STATUSES)}")
        self.place = where if isinstance(where, Place) else open_place(where)
        self.status = status
        self.manifest = load_manifest(self.place)
        self._shards = self.manifest.shards.get(status, ())
        # First row of each shard, and the end: int64 [shards + 1].
        self._starts = np.cumsum([0, *(shard.rows for shard in self._shards)], dtype=np.int64)
        # Row numbers in the status, ascending: a range, or int64 [rows].
        self._rows: Rows = range(int(self._starts[-1]))
        self._cache = _Cache()
        parts = [("subsets", subset)] * (subset is not None) + [("splits", split)] * (split is not None)
        if chosen := [*parts, *((name, None) for name in _names(view))]:
            self._rows = rows_of_views(self.place, status, len(self), chosen)
        if tokens and status != "kept":
            raise UserError(f"token sets are of kept rows, not of {status} ones")
        self._tokens = TokenReader(self.place, _names(tokens)) if tokens else None

    def __len__(self) -> int:
        return len(self._rows)

    def __repr__(self) -> str:
        return f"<Corpus {self.place} {self.status}: {len(self)} dialogues>"

    def __iter__(self) -> Iterator[Dialogue]:
        return self.dialogues()

    def dialogues(self, audio: bool = True) -> Iterator[Dialogue]:
        """Yield the dialogues in order. With `audio=False` clips have empty bytes, and reading is far faster."""
        for part in self._parts(None if audio else paths_without_audio()):
            yield from self._joined(part.reader.rows_of(part.table, audio), part)

    def select(self, columns: Iterable[str]) -> Iterator[pa.RecordBatch]:
        """Yield only some columns, as Arrow batches: named as in `["dialogue_id", "turns.text"]`, nested as in the
        row.

        Raises a UserError that lists the columns for a name that is not among them.
        """
        paths = parquet_paths(columns)
        if self._tokens is not None and any(".tokens." in path for path in paths):
            raise UserError("columns are read from the shards alone: read tokens of a token set with the rows")
        return (batch for part in self._parts(paths) for batch in part.table.to_batches())

    @overload
    def __getitem__(self, index: int) -> Dialogue: ...

    @overload
    def __getitem__(self, index: slice) -> Self: ...

    def __getitem__(self, index: int | slice) -> Any:
        """Return one dialogue, read with its row group, or the rows of a slice of step 1 as a corpus."""
        if isinstance(index, slice):
            if index.indices(len(self))[2] != 1:
                raise UserError("a slice of a corpus has step 1")
            return self._with(self._rows[index])
        row = int(self._rows[operator.index(index)])
        number = int(np.searchsorted(self._starts, row, side="right")) - 1
        shard = self._shards[number]
        reader = self._cache.reader(self.place, shard)
        ends = np.cumsum(reader.group_rows)
        within = row - int(self._starts[number])
        group = int(np.searchsorted(ends, within, side="right"))
        offset = within - int(ends[group]) + reader.group_rows[group]
        table = self._cache.table(reader, group).slice(offset, 1)
        part = _Part(reader, shard, group, range(offset, offset + 1), table)
        return self._joined(reader.rows_of(table), part)[0]

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_cache": _Cache()}

    def rows(self, indices: Sequence[int] | npt.NDArray[np.integer[Any]]) -> Self:
        """Return the rows with these numbers, ascending and each once, as a corpus.

        Numbers count the rows of this corpus from 0: those of the status, unless this is itself a part of it. Reading
        the rows reads only the row groups that hold them. Raises a UserError for any other numbers.
        """
        chosen = np.asarray(indices)
        if not chosen.size:
            return self._with(range(0))
        if chosen.ndim != 1 or chosen.dtype.kind not in "iu":
            raise UserError("the rows of a corpus are chosen by a list of whole numbers")
        chosen = chosen.astype(np.int64)
        if chosen[0] < 0 or chosen[-1] >= len(self) or np.any(chosen[1:] <= chosen[:-1]):
            raise UserError(f"row numbers must ascend, each once, from 0 to {len(self) - 1}")
        return self._with(chosen + self._rows.start if isinstance(self._rows, range) else self._rows[chosen])

    @property
    def row_numbers(self) -> npt.NDArray[np.int64]:
        """The numbers of the rows in their status, ascending: int64 [rows]."""
        return np.asarray(self._rows, dtype=np.int64)

    def _with(self, rows: Rows) -> Self:
        part = self.__class__.__new__(self.__class__)
        part.__dict__.update(self.__dict__, _rows=rows, _cache=_Cache())
        return part

    def _between(self, start: int, stop: int) -> Rows:
        """Return those of the corpus's rows that are in start..stop-1, counted from `start`."""
        if isinstance(self._rows, range):
            return range(max(start, self._rows.start) - start, min(stop, self._rows.stop) - start)
        first, last = np.searchsorted(self._rows, (start, stop))
        return self._rows[first:last] - start

    def parts(self) -> list[Self]:
        """Return the rows of each shard that holds some, as a corpus of that shard alone; nothing is opened."""
        return [self._alone(number, number + 1) for number in self._chosen()]

    def narrowed(self) -> Self:
        """Return the same rows as a corpus that knows no other shards: it pickles small, however many there are.

        Its manifest lists the shards from the first to the last that hold its rows, whose numbers count from there.
        """
        found = self._chosen()
        return self._alone(found[0], found[-1] + 1) if found else self

    def _chosen(self) -> list[int]:
        """Return the numbers of the shards that hold rows of the corpus, without a look at each of the others."""
        if not len(self._rows):
            return []
        first, last = (int(np.searchsorted(self._starts, self._rows[end], side="right")) - 1 for end in (0, -1))
        starts = self._starts.tolist()
        return [number for number in range(first, last + 1) if len(self._between(starts[number], starts[number + 1]))]

    def _alone(self, first: int, stop: int) -> Self:
        """Return the rows in shards `first`..`stop` - 1 as a corpus of these shards alone."""
        part = self._with(self._between(int(self._starts[first]), int(self._starts[stop])))
        part._shards = self._shards[first:stop]
        part._starts = self._starts[first : stop + 1] - self._starts[first]
        part.manifest = replace(self.manifest, shards={self.status: part._shards})
        return part

    def shard_rows(self) -> list[ShardRows]:
        """Return the corpus's rows, shard by shard; nothing is opened."""
        starts = zip(self._shards, self._starts.tolist(), strict=False)
        found = [ShardRows(shard, self._between(start, start + shard.rows)) for shard, start in starts]
        return [part for part in found if len(part.rows)]

    @property
    def token_sets(self) -> tuple[TokenSet, ...]:
        """The token sets that the corpus was opened with."""
        return self._tokens.sets if self._tokens else ()

    def token_reader(self) -> TokenReader | None:
        """Return a reader of the token sets that the corpus was opened with, for a stream; None without any."""
        return self._tokens.reopened() if self._tokens else None

    def _joined(self, dialogues: list[Dialogue], part: "_Part") -> list[Dialogue]:
        if self._tokens is None:
            return dialogues
        return self._tokens.joined(dialogues, part.shard, part.reader.group_rows, part.group, part.rows)

    def _parts(self, paths: list[str] | None) -> Iterator["_Part"]:
        """Yield the row groups that hold rows of the corpus, without other rows."""
        for shard, start in zip(self._shards, self._starts.tolist(), strict=False):
            if len(self._between(start, start + shard.rows)):
                yield from self._parts_of(shard, start, paths)

    def _parts_of(self, shard: ShardInfo, start: int, paths: list[str] | None) -> Iterator["_Part"]:
        reader = open_shard_of(self.place, shard)
        try:
            for group, rows in enumerate(reader.group_rows):
                chosen = self._between(start, start + rows)
                if len(chosen):
                    yield _Part(reader, shard, group, chosen, take_rows(reader.table(group, paths), chosen))
                start += rows
        finally:
            reader.close()


@dataclass(frozen=True)
class _Part:
    """Holds rows of row group `group` of `shard`; `rows` are their numbers in the group."""

    reader: ShardReader
    shard: ShardInfo
    group: int
    rows: Rows
    table: pa.Table


def _names(names: str | Sequence[str]) -> Sequence[str]:
    return (names,) if isinstance(names, str) else names


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
