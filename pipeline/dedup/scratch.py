"""The files between the two passes: Arrow files on any filesystem, deleted once the index is written.

::

    scratch/entries-000017.arrow   chunk 17: its band keys, cut into partitions by ranges of the key; batch i of the
                                   file is partition i, and may be empty
    scratch/names-000017.arrow     chunk 17: the row number and the dialogue_id of its rows, sorted by row number
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from manifests.storage import Place
from pipeline.dedup.compare import Integers, Sketches
from pipeline.dedup.shingles import Hashes

_ENTRIES = pa.schema(
    [("key", pa.uint64()), ("row", pa.int64()), ("whole", pa.uint64()), ("sketch", pa.list_(pa.uint64()))]
)
_NAMES = pa.schema([("row", pa.int64()), ("dialogue_id", pa.large_string())])


@dataclass(frozen=True)
class DistinctTexts:
    """The distinct texts of a chunk: the number of the first row that has each, its text_hash, its sketch."""

    rows: Sequence[int]
    wholes: Sequence[int]
    sketches: Sequence[Hashes]


def write_entries(scratch: Place, chunk: int, keys: Hashes, texts: DistinctTexts, partitions: int) -> Integers:
    """Write one entry for each text and band; return the bytes of each partition, int64 [partitions].

    `keys` are uint64 [texts, bands].
    """
    order = np.argsort(keys, axis=None, kind="stable")
    edges = np.array([(number << 64) // partitions for number in range(1, partitions)], dtype=np.uint64)
    cuts = np.searchsorted(keys.ravel()[order], edges)
    columns = [
        pa.array(texts.rows, pa.int64()),
        pa.array(texts.wholes, pa.uint64()),
        pa.ListArray.from_arrays(_offsets(texts.sketches), _joined(texts.sketches)),
    ]
    sizes = []
    with _writing(scratch / f"entries-{chunk:06d}.arrow", _ENTRIES) as writer:
        for part in np.split(order, cuts):
            owners = pa.array(part // keys.shape[1])
            taken = [column.take(owners) for column in columns]
            batch = pa.record_batch([pa.array(keys.ravel()[part]), *taken], schema=_ENTRIES)
            writer.write_batch(batch)
            sizes.append(batch.nbytes)
    return np.array(sizes, dtype=np.int64)


def read_shared(scratch: Place, chunks: int, first: int, last: int) -> Any:
    """Read partitions first..last of all chunks: a record batch of the entries whose key occurs more than once."""
    batches = [batch for chunk in range(chunks) for batch in _batches(scratch, chunk, first, last)]
    table = pa.Table.from_batches(batches, _ENTRIES)
    _, inverse, counts = np.unique(table["key"].to_numpy(), return_inverse=True, return_counts=True)
    shared = table.filter(pa.array(counts[inverse] > 1)).combine_chunks()
    return pa.record_batch([_whole(column) for column in shared.columns], schema=_ENTRIES)


def sketches_of(batch: Any, most: int) -> Sketches:
    """Return the sketches of a record batch of entries, without copying them."""
    column = batch.column("sketch")
    offsets = column.offsets.to_numpy().astype(np.int64)
    return Sketches(offsets, column.values.to_numpy(), most)


def write_names(scratch: Place, chunk: int, rows: Sequence[int], ids: Sequence[str]) -> None:
    """Write the row numbers and dialogue_ids of a chunk."""
    with _writing(scratch / f"names-{chunk:06d}.arrow", _NAMES) as writer:
        writer.write_batch(
            pa.record_batch([pa.array(rows, pa.int64()), pa.array(ids, pa.large_string())], schema=_NAMES)
        )


def names_of(scratch: Place, chunks: int, rows: Integers) -> Any:
    """Return the dialogue_ids of the rows (sorted, each once) as a large_string array."""
    found = [_names_in(scratch, chunk, rows) for chunk in range(chunks)]
    return pa.concat_arrays([pa.array([], pa.large_string()), *found])


def _names_in(scratch: Place, chunk: int, rows: Integers) -> Any:
    table = _reading(scratch / f"names-{chunk:06d}.arrow").read_all().combine_chunks()
    numbers = table["row"].to_numpy()
    if not len(numbers):
        return pa.array([], pa.large_string())
    inside = rows[np.searchsorted(rows, numbers[0]) : np.searchsorted(rows, numbers[-1], side="right")]
    return _whole(table["dialogue_id"].take(pa.array(np.searchsorted(numbers, inside))))


def _batches(scratch: Place, chunk: int, first: int, last: int) -> Iterator[Any]:
    reader = _reading(scratch / f"entries-{chunk:06d}.arrow")
    return (reader.get_batch(number) for number in range(first, last + 1))


def _offsets(sketches: Sequence[Hashes]) -> Any:
    lengths = [len(sketch) for sketch in sketches]
    return pa.array(np.concatenate([[0], np.cumsum(lengths)]), pa.int32())


def _joined(sketches: Sequence[Hashes]) -> Any:
    return pa.array(np.concatenate([np.empty(0, dtype=np.uint64), *sketches]))


def _whole(column: Any) -> Any:
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)


@contextmanager
def _writing(place: Place, schema: Any) -> Iterator[Any]:
    with place.writing() as file, pa.ipc.new_file(file, schema) as writer:
        yield writer


def _reading(place: Place) -> Any:
    return pa.ipc.open_file(place.filesystem.open_input_file(place.path))
