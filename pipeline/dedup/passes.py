"""The two passes over the rows, as the workers run them.

1. Sketch a *chunk* of neighboring blocks: write the sketches of its rows and their band keys, partitioned by key.
2. Make a *comparison* of some neighboring partitions of all chunks: compare the rows that share a key.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from manifests.storage import Place
from pipeline.dedup.bands import Bands, band_keys
from pipeline.dedup.compare import Integers, Pairs, repeats, to_pairs
from pipeline.dedup.scratch import DistinctTexts, read_shared, sketches_of, write_entries, write_names
from pipeline.dedup.settings import DedupSettings
from pipeline.dedup.shingles import Hashes, shingle_hashes, text_hash
from pipeline.job.blocks import read_block

# A row number is block * 2**32 + position: in the order of the input, whatever the size of a block.
_POSITION_BITS = 32


@dataclass(frozen=True)
class Plan:
    """What all chunks and tasks have in common."""

    scratch: Place
    settings: DedupSettings
    bands: Bands
    chunks: int
    partitions: int


@dataclass(frozen=True)
class Chunk:
    """The work of the first pass for blocks first..last of a directory."""

    plan: Plan
    number: int
    directory: Place
    first: int
    last: int


@dataclass(frozen=True)
class Sketched:
    """What the first pass found in a chunk.

    `rows` counts its rows with a text, `bytes` holds the size of each partition, `same` pairs the rows whose text
    stands earlier in the chunk with that earlier row.
    """

    rows: int
    bytes: Integers
    same: Pairs


@dataclass(frozen=True)
class Comparison:
    """The work of the second pass for partitions first..last of all chunks."""

    plan: Plan
    first: int
    last: int


class _Chunked:
    """What must be kept of the rows of a chunk until all are read: their sketches, not their texts."""

    def __init__(self) -> None:
        self.rows: list[int] = []
        self.ids: list[str] = []
        self.sketches: dict[int, tuple[int, Hashes]] = {}
        self.same: list[tuple[int, int]] = []

    def add(self, row: int, dialogue_id: str, sketch: Hashes) -> bool:
        """Add a row; return whether its text is new to the chunk."""
        self.rows.append(row)
        self.ids.append(dialogue_id)
        first, _ = self.sketches.setdefault(text_hash(sketch), (row, sketch))
        if first != row:
            self.same.append((row, first))
        return first == row


def sketch_chunk(chunk: Chunk) -> Sketched:
    """Run the first pass for one chunk. A text that occurs several times is entered once, for its first row."""
    plan, found = chunk.plan, _Chunked()
    most = plan.bands.num_perm
    keys = [band_keys([], plan.bands)]
    for block in range(chunk.first, chunk.last + 1):
        texts = _live_texts(chunk.directory, block, plan.settings.shingle)
        # A copy, since a slice would keep the whole array in memory.
        new = [hashes for row, name, hashes in texts if found.add(row, name, hashes[:most].copy())]
        keys.append(band_keys(new, plan.bands))
    rows, sketches = [row for row, _ in found.sketches.values()], [sketch for _, sketch in found.sketches.values()]
    write_names(plan.scratch, chunk.number, found.rows, found.ids)
    entered = DistinctTexts(rows, list(found.sketches), sketches)
    sizes = write_entries(plan.scratch, chunk.number, np.concatenate(keys), entered, plan.partitions)
    return Sketched(len(found.rows), sizes, to_pairs(found.same))


def compare_partitions(comparison: Comparison) -> Pairs:
    """Run the second pass for one comparison: find the rows that repeat an earlier row with which they share a key."""
    plan = comparison.plan
    batch = read_shared(plan.scratch, plan.chunks, comparison.first, comparison.last)
    keys, rows, wholes = (batch.column(name).to_numpy() for name in ("key", "row", "whole"))
    return repeats(keys, rows, wholes, sketches_of(batch, plan.bands.num_perm), plan.settings.threshold)


def _live_texts(directory: Place, block: int, sizes: Mapping[str, int]) -> Iterator[tuple[int, str, Hashes]]:
    """Yield row number, id and shingle hashes of the live rows of a block whose user asks something."""
    for position, dialogue in enumerate(read_block(directory, block)):
        if dialogue.status == "live" and len(hashes := shingle_hashes(dialogue, sizes)):
            yield (block << _POSITION_BITS) + position, dialogue.dialogue_id, hashes
