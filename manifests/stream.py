"""Streams a corpus into a training loop: shared among ranks and workers, shuffled, batched, decoded, resumable."""

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property, partial
from typing import Any, get_args

import numpy as np

from manifests import epochs, torch_data
from manifests.batches import BatchBudget
from manifests.columns import parquet_paths
from manifests.corpus import Corpus
from manifests.epochs import Ends, ShardRows, generator
from manifests.errors import UserError
from manifests.spoken import EncodedDialogue, Position, SpokenDialogue
from manifests.stream_state import StreamState
from manifests.windows import ShareReader, batches_of

# Each step of shuffling has random numbers of its own: a key that begins with one of these, then the seed.
_GROUPS, _WINDOWS = 1, 2


class CorpusStream:
    """Iterates over the dialogues of a corpus, or of a view of one, once an epoch.

    >>> stream = CorpusStream(Corpus("corpus"), sample_rate=16_000)      # doctest: +SKIP
    >>> loader = DataLoader(stream, batch_size=None, num_workers=4)      # doctest: +SKIP
    >>> for dialogue in loader:                                          # doctest: +SKIP
    ...     for turn in dialogue.turns:
    ...         turn.text, turn.samples                                  # float32 [T]

    PyTorch is not needed, but where it is loaded, a stream is one of its `IterableDataset`s; the `DataLoader`'s
    workers then share the rank's rows. Iterating begins the epoch anew, unless a state was loaded: then it goes on
    from there. When all rows were given out, `epoch` is one higher.
    """

    def __init__(
        self,
        corpus: Corpus,
        *,
        seed: int = 0,
        shuffle: bool = True,
        buffer: int = 256,
        shards: int = 8,
        rank: int | None = None,
        world_size: int | None = None,
        ends: Ends = "keep",
        batch: BatchBudget | None = None,
        decode: bool = True,
        sample_rate: int | None = None,
        columns: Iterable[str] = (),
    ) -> None:
        """Plan the stream; nothing of the corpus is read before the first row is asked for.

        `shuffle` puts shards in random order, mixes the row groups of `shards` of them at a time, and mixes `buffer`
        rows at a time, which bounds the memory. `rank` of `world_size` are those of `torch.distributed` where it
        is initialized, and 0 of 1 elsewhere. If the ranks cannot have the same number of rows, `ends` says what
        happens: "keep" gives some one row more, "drop" leaves rows out, "pad" gives rows twice.

        With `batch`, lists of rows come instead of rows, of similar length: the rows of one buffer are sorted.
        `decode=False` leaves the clips encoded; `sample_rate` in Hz resamples them. `columns` are read besides, named
        as in `Corpus.select`. Of a corpus that was opened with token sets, `columns["tokens"]` of a dialogue has the
        codes of each turn, [book][frame] by tokenizer. Raises a UserError for values that make no stream.
        """
        found_rank, found_size = torch_data.this_rank()
        self.corpus = corpus
        self.epoch = 0
        self._rank = found_rank if rank is None else rank
        self._world_size = found_size if world_size is None else world_size
        self._seed, self._shuffle, self._buffer, self._shards, self._ends = seed, shuffle, buffer, shards, ends
        self._batch, self._decode, self._sample_rate = batch, decode, sample_rate
        self._columns = tuple(columns)
        self._check()
        self._state = StreamState()
        self._continues = False
        self._arrive()

    def _check(self) -> None:
        if not 0 <= self._rank < self._world_size:
            raise UserError(f"rank {self._rank} of {self._world_size}: ranks count from 0")
        if self._ends not in get_args(Ends):
            raise UserError(f"ends is one of {', '.join(get_args(Ends))}, not {self._ends!r}")
        least = {"seed": (self._seed, 0), "buffer": (self._buffer, 1), "shards": (self._shards, 1)}
        least["sample_rate"] = (self._sample_rate or 1, 1)
        for name, (value, minimum) in least.items():
            if value < minimum:
                raise UserError(f"{name} is {minimum} or more, not {value}")
        if self._sample_rate and not self._decode:
            raise UserError("clips that stay encoded keep their sample rate: leave sample_rate out, or decode them")
        if self._columns:
            parquet_paths(self._columns)

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._arrive()

    def _arrive(self) -> None:
        """Take notice of the process in which the stream was made or unpickled."""
        self._process = os.getpid()
        torch_data.make_iterable(type(self))

    def __repr__(self) -> str:
        return f"<CorpusStream of {self.corpus!r}: {self.rows} rows for rank {self._rank} of {self._world_size}>"

    def __len__(self) -> int:
        raise TypeError(
            "a CorpusStream has no length (its rows are counted by `rows`); if a DataLoader asked for it, "
            "import torch.utils.data before the stream is made"
        )

    @property
    def rows(self) -> int:
        """The rows of this rank in an epoch."""
        first, last = self._rank_share
        return last - first

    @property
    def _rank_share(self) -> tuple[int, int]:
        return epochs.share_of_rank(len(self.corpus), self._rank, self._world_size, self._ends)

    def set_epoch(self, epoch: int) -> None:
        """Go to the beginning of an epoch, which has a random order of its own; stay where the stream is, if in it."""
        if epoch != self.epoch:
            self.epoch = epoch
            self._state, self._continues = StreamState(), False

    def __iter__(self) -> Iterator[Any]:
        """Yield this worker's rows, or batches of them."""
        torch_data.refuse_forked_connections(self.corpus.place, self._process)
        worker, workers = torch_data.this_worker()
        if not self._continues:
            self._state = StreamState()
        self._continues = False
        role, start = self._state.begin(worker, workers)
        return self._iterate(self.epoch, role, workers, start)

    def _iterate(self, epoch: int, worker: int, workers: int, start: int) -> Iterator[Any]:
        for batch in self._batches(epoch, worker, workers, start):
            dialogues = []
            for dialogue in batch:
                start += 1
                dialogues.append(self._finished(dialogue, Position(epoch, worker, workers, start)))
            self._state.advance(worker, workers, start)
            yield dialogues if self._batch else dialogues[0]
        self.epoch, self._state = epoch + 1, StreamState()

    def _batches(self, epoch: int, worker: int, workers: int, start: int) -> Iterator[list[EncodedDialogue]]:
        """Yield the worker's batches behind its first `start` rows; without a budget, each row by itself."""
        size = self._buffer if self._shuffle or self._batch else 1
        window = start // size
        key = (self._seed, epoch, self._rank, worker)
        order = (_GROUPS, *key) if self._shuffle else None
        tokens = self.corpus.token_reader()
        reader = ShareReader(self.corpus.place, self._columns, self._shards, order, tokens)
        pieces = reader.rows(self._share(epoch, worker, workers), window * size)
        skipped = start - window * size
        for batch in batches_of(pieces, size, window, partial(self._ordered, key)):
            if skipped <= 0:
                yield batch
            skipped -= len(batch)

    def _share(self, epoch: int, worker: int, workers: int) -> list[ShardRows]:
        parts = self.corpus.shard_rows()
        if self._shuffle:
            parts = epochs.shuffled(parts, self._seed, epoch)
        return epochs.cut(parts, *epochs.share_of_worker(self._rank_share, worker, workers))

    def _ordered(self, key: tuple[int, ...], window: int, rows: list[EncodedDialogue]) -> list[list[EncodedDialogue]]:
        if self._batch:
            budget = self._batch
            lengths = [budget.length(row.described(self._sample_rate)) for row in rows]
            batches = [[rows[i] for i in batch] for batch in budget.cut(lengths)]
        else:
            batches = [[row] for row in rows]
        if not self._shuffle:
            return batches
        return [batches[i] for i in generator(_WINDOWS, *key, window).permutation(len(batches))]

    def _finished(self, encoded: EncodedDialogue, position: Position) -> SpokenDialogue:
        return encoded.spoken(self._sample_rate, self._decode, position)

    def consumed(self, rows: SpokenDialogue | Sequence[SpokenDialogue] | Position) -> None:
        """Say that the training loop is done with these rows, which a worker of a plain `DataLoader` gave it.

        The workers read ahead, each with a copy of the stream: only the loop knows how far it is. Call it for all
        that comes, in order; then `state_dict` of the loop's own stream is where the loop is. The position of the
        last row will do, where a function has made something else of the rows.
        """
        at = rows if isinstance(rows, Position) else (rows if isinstance(rows, SpokenDialogue) else rows[-1]).position
        if at.epoch != self.epoch:
            raise UserError(f"these rows are of epoch {at.epoch}, but the stream is in epoch {self.epoch}")
        self._continues = False
        self._state.advance(at.worker, at.workers, at.row)
        self._state.turn = (at.worker + 1) % at.workers
        if self._state.total == self.rows:
            self.epoch, self._state = self.epoch + 1, StreamState()

    def state_dict(self) -> dict[str, Any]:
        """Return where the stream is: plain values, a few hundred bytes, which JSON holds as well."""
        return {"epoch": self.epoch, "stream": self._identity, **self._state.to_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go to where the stream of this state was; iterating goes on with the row that follows.

        Raises a UserError if that was another stream: of other rows, of another order, or for another rank. That it
        had the same number of workers is checked once the workers run.
        """
        differences = [
            f"{name} {state.get('stream', {}).get(name)!r}, here {value!r}"
            for name, value in self._identity.items()
            if state.get("stream", {}).get(name) != value
        ]
        if differences:
            raise UserError(f"this state is of another stream: {'; '.join(differences)}")
        self.epoch = int(state["epoch"])
        self._state, self._continues = StreamState.from_dict(state), True

    @cached_property
    def _identity(self) -> dict[str, Any]:
        """What decides the order of the rows."""
        return {
            "corpus": _digest(self.corpus.shard_rows()),
            "seed": self._seed,
            "shuffle": self._shuffle,
            "buffer": self._buffer,
            "shards": self._shards,
            "rank": self._rank,
            "world_size": self._world_size,
            "ends": self._ends,
            "batch": [self._batch.size, self._batch.rows] if self._batch else None,
        }


def _digest(parts: Sequence[ShardRows]) -> str:
    """Return a hash of which rows of which shards these are."""
    found = hashlib.sha256()
    for part in parts:
        found.update(part.shard.sha256.encode())
        rows = part.rows
        found.update(repr(rows).encode() if isinstance(rows, range) else np.ascontiguousarray(rows).tobytes())
    return found.hexdigest()[:16]
