"""Build the index: run the two passes over a runner, and merge what they find.

The numbers of chunks, partitions and comparisons change how much memory a process needs, never the result: which rows
share a key, and which of them are compared, depends on their texts and their order alone.
"""

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import TypeVar

import numpy as np
import pyarrow as pa

from manifests.storage import Place
from pipeline.dedup.bands import Bands, choose_bands, version
from pipeline.dedup.compare import NO_PAIRS, Integers, Pairs, earliest
from pipeline.dedup.index import finished_count, write_index
from pipeline.dedup.passes import Chunk, Comparison, Plan, compare_partitions, sketch_chunk
from pipeline.dedup.scratch import names_of
from pipeline.dedup.settings import DedupSettings
from pipeline.job.blocks import read_block
from pipeline.stages.contract import Mapper

Item = TypeVar("Item")
Result = TypeVar("Result")

SCRATCH = "scratch"

CHUNK_ROWS = 32_768
"""About the number of rows in a chunk. With 128 hash functions their sketches take 32 MB at most."""

COMPARISON_BYTES = 32 * 2**20
"""Bytes of entries that one comparison reads, unless one partition is larger; comparing takes some five times that."""

# Used for the number of partitions only: 24 bytes of key, row and text_hash, and 8 for each of some 60 shingles,
# several times as many as a usual question has. Partitions that turn out small are read together.
_ENTRY_BYTES = 512

# A chunk writes one partition at a time, and 32,768 rows of long texts in 17 bands are 590 MB of entries.
_LEAST_PARTITIONS = 16

# Pairs gathered before they are merged: 16 MB.
_PENDING_PAIRS = 1 << 20


def build_index(blocks: Place, count: int, target: Place, settings: DedupSettings, runner: Mapper) -> int:
    """Compare the live rows of blocks 0..count-1, write the index to `target`, and return its number of duplicates.

    A finished index is left as it is; anything else that a killed run left in `target` is deleted. This process holds
    16 bytes and the ids of each duplicate, two or three times over while they are sorted. Raises EngineUnavailable
    without datasketch.
    """
    done = finished_count(target)
    if done is not None:
        return done
    target.delete()
    bands = choose_bands(settings)
    chunk_blocks, partitions = _cut(blocks, count, bands)
    firsts = range(0, count, chunk_blocks)
    plan = Plan(target / SCRATCH, settings, bands, len(firsts), partitions)
    chunks = [Chunk(plan, i, blocks, first, min(first + chunk_blocks, count) - 1) for i, first in enumerate(firsts)]
    rows, sizes, same = 0, np.zeros(partitions, dtype=np.int64), [NO_PAIRS]
    for sketched in runner.map(sketch_chunk, chunks):
        rows += sketched.rows
        sizes += sketched.bytes
        same.append(sketched.same)
    comparisons = [Comparison(plan, first, last) for first, last in _ranges(sizes)]
    pairs = _with_same(_merged(runner.map(compare_partitions, comparisons)), np.concatenate(same))
    duplicates, others = (_ids(plan, pairs[:, column]) for column in range(2))
    plan.scratch.delete()
    write_index(target, duplicates, others, {"rows": rows, "bands": asdict(bands), "version": version()})
    return len(pairs)


def _cut(blocks: Place, count: int, bands: Bands) -> tuple[int, int]:
    """Return the blocks in a chunk and the number of partitions, judging all blocks by the rows of the first."""
    block_rows = max(1, len(read_block(blocks, 0))) if count else 1
    entries = count * block_rows * bands.count
    return max(1, CHUNK_ROWS // block_rows), _LEAST_PARTITIONS + entries * _ENTRY_BYTES // COMPARISON_BYTES


def _ranges(sizes: Integers) -> Iterator[tuple[int, int]]:
    """Group neighboring partitions to at most COMPARISON_BYTES; yield the first and the last of each group."""
    first, total = 0, 0
    for number, size in enumerate(sizes.tolist()):
        if number > first and total + size > COMPARISON_BYTES:
            yield first, number - 1
            first, total = number, 0
        total += size
    yield first, len(sizes) - 1


def _merged(found: Iterable[Pairs]) -> Pairs:
    """Keep the earliest pair of each row over all comparisons, in memory proportional to the rows found."""
    merged, waiting = NO_PAIRS, [NO_PAIRS]
    for pairs in found:
        waiting.append(pairs)
        if sum(map(len, waiting)) > max(_PENDING_PAIRS, len(merged)):
            merged, waiting = earliest(np.concatenate([merged, *waiting])), [NO_PAIRS]
    return earliest(np.concatenate([merged, *waiting]))


def _with_same(pairs: Pairs, same: Pairs) -> Pairs:
    """Add the rows whose text stands earlier in their chunk: they repeat what the earlier row repeats, or that row."""
    places = np.searchsorted(pairs[:, 0], same[:, 1])
    padded = np.concatenate([pairs, [[-1, -1]]])
    is_found = padded[places, 0] == same[:, 1]
    others = np.where(is_found, padded[places, 1], same[:, 1])
    return earliest(np.concatenate([pairs, np.stack([same[:, 0], others], axis=1)]))


def _ids(plan: Plan, rows: Integers) -> pa.Array:
    distinct, inverse = np.unique(rows, return_inverse=True)
    return names_of(plan.scratch, plan.chunks, distinct).take(pa.array(inverse))
