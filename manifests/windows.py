"""Reads the rows of one worker's share in the order of an epoch, window by window, with bounded memory.

The row groups of a few shards are read in random order. A window is a fixed number of rows that follow in that order;
they are in memory together, and are shuffled or batched among themselves. The next window fills as this one empties,
so no more rows than one window has are in memory. Since windows begin at fixed rows, reading continues at any row by
reading one window again.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

from manifests.arrow import Rows, take_rows
from manifests.columns import parquet_paths
from manifests.corpus import open_shard_of
from manifests.epochs import GroupRows, ShardRows, generator, groups_of, mixes
from manifests.light_shards import LightShard, open_light_shard
from manifests.shards import ShardInfo, ShardReader
from manifests.spoken import EncodedDialogue, encoded_dialogues
from manifests.storage import Place
from manifests.token_reader import TokenReader
from manifests.token_sets import TOKENS

Item = TypeVar("Item")

# Row groups that are read ahead of the one in use: with one being read, one is always ready.
_AHEAD = 2


@dataclass(frozen=True)
class ShareReader:
    """Reads rows of the corpus at `place`: the light columns, and `columns` and the codes of token sets besides.

    `shards` are open at a time, and with `key`, the start of a key of random numbers, their row groups are mixed.
    """

    place: Place
    columns: tuple[str, ...]
    shards: int
    key: tuple[int, ...] | None
    tokens: TokenReader | None = None

    def rows(self, share: Sequence[ShardRows], start: int) -> Iterator[list[EncodedDialogue]]:
        """Yield the rows of the share, from row `start` of the epoch's order on, as they come out of row groups."""
        pieces = self._rows(share, start)
        # On a local disk the system reads ahead when told to; a thread here would make the decoder, which calls Python
        # for every few kilobytes, wait for its turn: 7 % of CPU and a fifth of the speed of one process.
        return pieces if self.place.is_local else _ahead(pieces, _AHEAD)

    def _rows(self, share: Sequence[ShardRows], start: int) -> Iterator[list[EncodedDialogue]]:
        for number, mix, left_out in mixes(share, self.shards, start):
            with _Shards(self.place) as shards:
                yield from self._mixed(number, mix, left_out, shards)

    def _mixed(
        self, number: int, mix: Sequence[ShardRows], left_out: int, shards: "_Shards"
    ) -> Iterator[list[EncodedDialogue]]:
        for group, following in _with_next(self._groups(number, mix, shards)):
            if left_out < len(group.rows):
                if following:
                    shards.light(following.shard).expect(following.group)
                yield self._read(group, group.rows[left_out:], shards)
            left_out = max(left_out - len(group.rows), 0)

    def _groups(self, number: int, mix: Sequence[ShardRows], shards: "_Shards") -> Iterator[GroupRows]:
        if self.key is None:  # in order, each shard is opened when it is reached
            yield from (group for part in mix for group in groups_of(part, shards.light(part.shard).group_rows))
        else:
            groups = [group for part in mix for group in groups_of(part, shards.light(part.shard).group_rows)]
            yield from (groups[i] for i in generator(*self.key, number).permutation(len(groups)))

    def _read(self, group: GroupRows, rows: Rows, shards: "_Shards") -> list[EncodedDialogue]:
        light = shards.light(group.shard)
        found = light.rows(group.group, rows)
        columns: list[dict[str, Any]] = []
        if self.columns:
            reader = shards.columns(group.shard)
            columns = take_rows(reader.table(group.group, _paths(self.columns)), rows).to_pylist()
        if self.tokens is not None:
            ids = [each.row.dialogue_id for each in found]
            codes = self.tokens.codes(ids, group.shard, light.group_rows, group.group, rows)
            pairs = zip(columns or [{} for _ in ids], codes, strict=True)
            columns = [{**before, TOKENS: each} for before, each in pairs]
        return list(encoded_dialogues(found, columns))


class _Shards(ExitStack):
    """Opens shards of the corpus at `place` when they are asked for, once each."""

    def __init__(self, place: Place) -> None:
        super().__init__()
        self._place = place
        self._light: dict[str, LightShard] = {}
        self._columns: dict[str, ShardReader] = {}

    def light(self, shard: ShardInfo) -> LightShard:
        if shard.path not in self._light:
            self._light[shard.path] = open_light_shard(self._place, shard)
        return self._light[shard.path]

    def columns(self, shard: ShardInfo) -> ShardReader:
        """Return a reader of what a light row has not."""
        if shard.path not in self._columns:
            self._columns[shard.path] = reader = open_shard_of(self._place, shard)
            self.callback(reader.close)
        return self._columns[shard.path]


@cache
def _paths(columns: tuple[str, ...]) -> list[str]:
    return parquet_paths(columns)


def batches_of(
    pieces: Iterator[list[Item]], size: int, number: int, order: Callable[[int, list[Item]], list[list[Item]]]
) -> Iterator[list[Item]]:
    """Yield the batches that `order` makes of each window of `size` items; windows count from `number`.

    While a window is consumed, the next one fills: together they never hold more than `size` items and one piece.
    """
    waiting: deque[Item] = deque()

    def fill(items: int) -> None:
        while len(waiting) < items and (piece := next(pieces, None)) is not None:
            waiting.extend(piece)

    fill(size)
    while waiting:
        left = min(size, len(waiting))
        batches = order(number, [waiting.popleft() for _ in range(left)])[::-1]
        while batches:
            batch = batches.pop()
            left -= len(batch)
            yield batch
            del batch  # else its clips would stay in memory while the next window fills
            fill(size - left)
        number += 1


def _with_next(groups: Iterator[GroupRows]) -> Iterator[tuple[GroupRows, GroupRows | None]]:
    group = next(groups, None)
    while group is not None:
        following = next(groups, None)
        yield group, following
        group = following


def _ahead(pieces: Iterator[Item], count: int) -> Iterator[Item]:
    """Yield what the iterator yields, computed in a thread of its own, `count` items ahead."""
    with ThreadPoolExecutor(1, "parley-read-ahead") as pool:
        waiting = deque(pool.submit(next, pieces, None) for _ in range(count))
        try:
            while (piece := waiting.popleft().result()) is not None:
                waiting.append(pool.submit(next, pieces, None))
                yield piece
        finally:
            for future in waiting:
                future.cancel()
