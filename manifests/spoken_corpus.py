"""Gives the rows of a corpus by number, as light as those of a stream: for samplers that jump about."""

import operator
import os
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterator
from itertools import accumulate
from typing import Any

from manifests import torch_data
from manifests.corpus import Corpus
from manifests.epochs import ShardRows
from manifests.errors import UserError
from manifests.light_shards import LightShard, open_light_shard
from manifests.spoken import SpokenDialogue, encoded_dialogues

# An open shard keeps its index in memory: some 1 MB, for a full shard of 1,500 rows.
_OPEN_SHARDS = 32


class SpokenCorpus:
    """A sequence of the rows of a corpus, or of a view of one, with decoded clips; PyTorch takes it for a dataset.

    >>> rows = SpokenCorpus(Corpus("corpus"), sample_rate=16_000)        # doctest: +SKIP
    >>> loader = DataLoader(rows, batch_size=None, shuffle=True)         # doctest: +SKIP
    >>> rows[17].turns[0].samples                                        # doctest: +SKIP

    A row is read by the index of its shard, in one read. It keeps a bounded number of shards open, pickles without
    them, and opens its own in a forked process.
    """

    def __init__(self, corpus: Corpus, *, decode: bool = True, sample_rate: int | None = None) -> None:
        """Take the rows of `corpus`; nothing is read before the first row is asked for.

        `decode` and `sample_rate`, in Hz, are those of a `CorpusStream`. Raises a UserError for a sample rate that is
        none, and for a corpus that was opened with token sets: `Corpus[...]` gives rows with tokens.
        """
        if sample_rate is not None and (sample_rate < 1 or not decode):
            raise UserError(f"a sample_rate of {sample_rate} Hz is for clips that are decoded, and 1 or more")
        if corpus.token_sets:
            raise UserError("rows by number have no tokens here: index the Corpus itself, or use a CorpusStream")
        self.corpus = corpus
        self._decode, self._sample_rate = decode, sample_rate
        self._parts: list[ShardRows] = corpus.shard_rows()
        # First row of each part, and the end.
        self._starts = list(accumulate((len(part.rows) for part in self._parts), initial=0))
        self._forget()

    def __len__(self) -> int:
        return self._starts[-1]

    def __repr__(self) -> str:
        return f"<SpokenCorpus of {self.corpus!r}>"

    def __iter__(self) -> Iterator[SpokenDialogue]:
        return (self[row] for row in range(len(self)))

    def __getitem__(self, index: int) -> SpokenDialogue:
        """Return one row. Raises IndexError beyond the rows, and a CorpusError that names what is damaged."""
        row = operator.index(index)
        row = row + len(self) if row < 0 else row
        if not 0 <= row < len(self):
            raise IndexError(f"row {index} of {len(self)}")
        number = bisect_right(self._starts, row) - 1
        part = self._parts[number]
        shard, ends = self._shard(part)
        within = int(part.rows[row - self._starts[number]])
        group = bisect_right(ends, within)
        place = within - (ends[group - 1] if group else 0)
        (found,) = encoded_dialogues(shard.rows(group, range(place, place + 1)))
        return found.spoken(self._sample_rate, self._decode)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name not in ("_open", "_process")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._forget()

    def _forget(self) -> None:
        self._process = os.getpid()
        self._open: OrderedDict[str, tuple[LightShard, list[int]]] = OrderedDict()

    def _shard(self, part: ShardRows) -> tuple[LightShard, list[int]]:
        """Return the open shard of the part, and behind which row of it each row group ends."""
        torch_data.refuse_forked_connections(self.corpus.place, self._process)
        if self._process != os.getpid():
            self._forget()
        path = part.shard.path
        if path not in self._open:
            shard = open_light_shard(self.corpus.place, part.shard)
            self._open[path] = shard, list(accumulate(shard.group_rows))
            if len(self._open) > _OPEN_SHARDS:
                self._open.popitem(last=False)
        self._open.move_to_end(path)
        return self._open[path]
