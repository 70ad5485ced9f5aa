"""Plans an epoch of a stream: in which order shards and row groups are read, and which rows each worker gets.

Everything here is a function of numbers that the manifest and the footers of shards hold, so that each of many
processes finds its own rows without asking the others, and any place in an epoch is reached without reading up to it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np

from manifests.arrow import Rows
from manifests.shards import ShardInfo

Ends = Literal["keep", "drop", "pad"]


@dataclass(frozen=True, slots=True)
class ShardRows:
    """Holds rows of one shard; `rows` count from the shard's first row."""

    shard: ShardInfo
    rows: Rows


@dataclass(frozen=True, slots=True)
class GroupRows:
    """Holds rows of one row group of `shard`; `rows` count from the first row of the group."""

    shard: ShardInfo
    group: int
    rows: Rows


def generator(*key: int) -> "np.random.Generator":  # quoted: numpy.random is loaded when a stream runs
    """Return random numbers that depend on the key alone; a key is non-negative integers."""
    return np.random.default_rng(key)


def shuffled(parts: Sequence[ShardRows], seed: int, epoch: int) -> list[ShardRows]:
    """Return the shards in the order of the epoch, which is the same for all ranks."""
    return [parts[i] for i in generator(seed, epoch).permutation(len(parts))]


def share_of_rank(rows: int, rank: int, world_size: int, ends: Ends) -> tuple[int, int]:
    """Return first and last + 1 of the rank's rows, in an epoch of `rows` rows.

    Where `world_size` does not divide the rows, ranks differ by one with "keep"; "drop" leaves the last rows out, and
    "pad" counts on beyond the end of the epoch, which means: from its first row.
    """
    if ends == "keep":
        return rows * rank // world_size, rows * (rank + 1) // world_size
    each = rows // world_size if ends == "drop" else -(-rows // world_size)
    return each * rank, each * (rank + 1)


def share_of_worker(share: tuple[int, int], worker: int, workers: int) -> tuple[int, int]:
    """Return the worker's part of its rank's rows; parts differ by one row at most."""
    first, rows = share[0], share[1] - share[0]
    return first + rows * worker // workers, first + rows * (worker + 1) // workers


def cut(parts: Sequence[ShardRows], first: int, last: int) -> list[ShardRows]:
    """Return rows first..last-1 of the parts, one after the other; behind the last row the first one follows again."""
    total = count(parts)
    if last > total > 0:
        turn = min(first, total)
        return [*_cut(parts, turn, total), *cut(parts, first - turn, last - total)]
    return _cut(parts, first, last)


def _cut(parts: Sequence[ShardRows], first: int, last: int) -> list[ShardRows]:
    chosen, start = [], 0
    for part in parts:
        stop = start + len(part.rows)
        if max(first, start) < min(last, stop):
            chosen.append(ShardRows(part.shard, part.rows[max(first - start, 0) : last - start]))
        start = stop
    return chosen


def count(parts: Sequence[ShardRows]) -> int:
    return sum(len(part.rows) for part in parts)


def mixes(parts: Sequence[ShardRows], shards: int, start: int) -> Iterator[tuple[int, list[ShardRows], int]]:
    """Yield number, shards, and rows to leave out, of each mix that holds rows from row `start` on.

    A mix is `shards` neighbors of `parts`, whose row groups are read in one random order.
    """
    for number, first in enumerate(range(0, len(parts), shards)):
        mix = list(parts[first : first + shards])
        if (rows := count(mix)) > start:
            yield number, mix, start
        start = max(start - rows, 0)


def groups_of(part: ShardRows, group_rows: Sequence[int]) -> list[GroupRows]:
    """Return the rows by row group; `group_rows` are the rows that each row group of the shard holds."""
    borders = np.cumsum([0, *group_rows])
    if isinstance(part.rows, range):
        found = [
            (group, range(max(first, part.rows.start) - first, min(last, part.rows.stop) - first))
            for group, (first, last) in enumerate(pairwise(borders.tolist()))
        ]
    else:
        ends = np.searchsorted(part.rows, borders)
        found = [
            (group, part.rows[first:last] - borders[group])
            for group, (first, last) in enumerate(pairwise(ends.tolist()))
        ]
    return [GroupRows(part.shard, group, rows) for group, rows in found if len(rows)]
