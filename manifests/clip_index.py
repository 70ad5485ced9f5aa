"""The index of a shard: its light rows, and at which bytes of the file each clip lies.

A training loop reads a row with it in one short read. Parquet has to read and convert a whole row group for that, and
a footer that describes some 200 columns of every row group. The index lies between the last row group and Parquet's
footer, where Parquet's readers do not look:

    padding to a multiple of 64 bytes
    an Arrow IPC file: a record batch of `LightRow`s for each row group, and the rows of each in its metadata
    its size in bytes, uint64; its CRC-32, uint32; the 8 bytes PARLEYX1; all little-endian

Clips are stored uncompressed and plain, each behind its length, so a clip is a stretch of the file.
"""

import json
import struct
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from manifests.arrow_arrays import array_of, int32s, structs_of
from manifests.arrow_values import items_of, validity
from manifests.light import LightRow
from manifests.used_columns import complete_table

TRAILER = struct.Struct("<QI8s")
MAGIC = b"PARLEYX1"
GROUP_ROWS = b"group_rows"

_ALIGNMENT = 64

# Enough of a clip to find it by; the rest is then compared.
_HEAD_BYTES = 64

Written = Sequence[tuple[int, bytes]]
"""What was written to a file since some moment: offsets and bytes, in order."""

_Place = tuple[int, int, int]


class IndexBuilder:
    """Collects the index of a shard, row group by row group."""

    def __init__(self) -> None:
        self._tables: list[pa.Table] = []
        self._clips = 0
        self._found_all = True

    def add(self, table: pa.Table, clips: Sequence[bytes], written: Written) -> None:
        """Add the rows of a row group that was just written, as `written`; `clips` are those of all its turns."""
        light = complete_table(table, LightRow)
        if any(clips):
            position, places = (0, 0), list[_Place | None]()
            for clip in clips:
                place, position = _find(clip, written, position) if clip else (None, position)
                places.append(place)
                self._clips += 1 if clip else 0
                self._found_all &= not clip or place is not None
            light = _with_places(light, places)
        self._tables.append(_copied(light))

    def encoded(self, position: int) -> bytes:
        """Return what is to be written at byte `position` of the file.

        That is nothing where the rows have no clips, and where pyarrow wrote some clip in another way than plainly:
        the rows are then read from their columns.
        """
        if not self._clips or not self._found_all:
            return b""
        counts = {GROUP_ROWS: json.dumps([table.num_rows for table in self._tables]).encode()}
        sink = pa.BufferOutputStream()
        schema = self._tables[0].schema.with_metadata(counts)
        with pa.ipc.new_file(sink, schema) as writer:
            for table in self._tables:
                writer.write_batch(table.combine_chunks().to_batches()[0])
        index = bytes(sink.getvalue())
        return bytes(-position % _ALIGNMENT) + index + TRAILER.pack(len(index), zlib.crc32(index), MAGIC)


def _copied(table: pa.Table) -> pa.Table:
    """Return the table without traces of the rows beside it, if it is a slice: the same rows give the same bytes."""
    return pa.Table.from_arrays([column.combine_chunks() for column in table.columns], schema=table.schema)


def _with_places(table: pa.Table, places: Sequence[_Place | None]) -> pa.Table:
    """Return the light rows with offset, size and CRC-32 of the clip of each turn, None for one without bytes."""
    turns = table.column("turns").combine_chunks()
    items, starts = items_of(turns)
    take = items.field("take")
    columns = zip(*(place or (None, None, None) for place in places), strict=True)
    found = dict(zip(("offset", "size", "crc32"), (array_of(column, pa.int64()) for column in columns), strict=True))
    items = _changed(items, {"take": _changed(take, {"audio": _changed(take.field("audio"), found)})})
    turns = pa.ListArray.from_arrays(int32s(starts), items, type=turns.type)
    return table.set_column(table.column_names.index("turns"), table.schema.field("turns"), turns)


def _changed(structs: Any, fields: Mapping[str, Any]) -> Any:
    """Return the array of structs with other values of some fields."""
    arrays = [fields.get(part.name, structs.field(number)) for number, part in enumerate(structs.type)]
    missing = [not known for known in validity(structs)] if structs.null_count else None
    return structs_of(arrays, structs.type, missing)


def _find(clip: bytes, written: Written, position: tuple[int, int]) -> tuple[_Place | None, tuple[int, int]]:
    """Return offset, size and CRC-32 of a clip, or None if it is not there; and where to look for the next one.

    `position` is a number in `written` and a place in its bytes. A column's values are written in the order of the
    rows, so that each is looked for behind the one before.
    """
    for number in range(position[0], len(written)):
        offset, data = written[number]
        start = position[1] if number == position[0] else 0
        while (start := data.find(clip[:_HEAD_BYTES], start)) >= 0:
            if data.startswith(clip, start):
                return (offset + start, len(clip), zlib.crc32(clip)), (number, start + len(clip))
            start += 1
    return None, position
