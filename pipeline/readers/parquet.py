"""Read the rows of a Parquet file, batch by batch."""

import json
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from manifests.errors import InputError
from manifests.shards import DAMAGE, first_line
from manifests.storage import Place
from pipeline.readers.split import RawRow

BATCH_ROWS = 256
BUFFER_BYTES = 1 << 20

_LISTS = (
    pa.types.is_list,
    pa.types.is_large_list,
    pa.types.is_fixed_size_list,
    pa.types.is_list_view,
    pa.types.is_large_list_view,
)
_PLAIN = (
    pa.types.is_string,
    pa.types.is_large_string,
    pa.types.is_string_view,
    pa.types.is_integer,
    pa.types.is_floating,
    pa.types.is_boolean,
    pa.types.is_null,
)
"""Text, numbers and truth values."""


def parquet_rows(place: Place, groups: range | None = None) -> Iterator[RawRow]:
    """Yield the rows as dictionaries, nested columns as lists and dictionaries.

    What JSON cannot represent (bytes, times, maps, ...) is left out, as a column or as a field within one. Raises
    InputError, at the call, if the file is not a readable Parquet file. Damage found only later gives one unreadable
    row for all rows that follow; but in some row `groups` alone it raises CannotCut.
    """
    try:
        stream = place.filesystem.open_input_file(place.path)
        # Otherwise whole columns of a row group stay in memory: 125 MiB instead of 14 for a 114 MiB file of one group.
        file = parquet.ParquetFile(stream, buffer_size=BUFFER_BYTES, pre_buffer=False)
        kept = [keep for field in file.schema_arrow for keep in _leaves(field.type)]
        columns = [file.schema.column(index).path for index, keep in enumerate(kept) if keep]
    except DAMAGE as error:
        raise InputError(f"{place} is not a readable Parquet file: {first_line(error)}") from error
    if not columns:
        found = ", ".join(f"{field.name} ({field.type})" for field in list(file.schema_arrow)[:8]) or "none"
        raise InputError(f"{place} has no columns of text or numbers, only: {found}; write its texts as strings")
    return _records(file, columns) if groups is None else _group_records(file, columns, groups)


class CannotCut(Exception):
    """A piece of a file cannot be read by itself as it would be read in the whole file."""


def row_group_bytes(place: Place) -> list[int]:
    """Return the bytes of each row group; of a file that is not readable, none."""
    try:
        with place.filesystem.open_input_file(place.path) as stream:
            metadata = parquet.ParquetFile(stream).metadata
            return [int(metadata.row_group(group).total_byte_size) for group in range(metadata.num_row_groups)]
    except DAMAGE:
        return []


def _group_records(file: Any, columns: list[str], groups: range) -> Iterator[RawRow]:
    try:
        for batch in file.iter_batches(batch_size=BATCH_ROWS, columns=columns, row_groups=list(groups)):
            yield from _batch_records(batch)
    except DAMAGE as error:
        raise CannotCut from error


def _records(file: Any, columns: list[str]) -> Iterator[RawRow]:
    done = 0
    try:
        for batch in file.iter_batches(batch_size=BATCH_ROWS, columns=columns):
            yield from _batch_records(batch)
            done += batch.num_rows
    except DAMAGE as error:
        left = file.metadata.num_rows - done
        yield RawRow("", problem=f"row {done}: the file is damaged here, {left} rows cannot be read ({error})")


def _batch_records(batch: Any) -> Iterator[RawRow]:
    try:
        rows = batch.to_pylist()
    except ValueError:  # text that is not UTF-8: find the row that holds it
        if batch.num_rows > 1:
            for index in range(batch.num_rows):
                yield from _batch_records(batch.slice(index, 1))
        else:
            yield RawRow("", problem="it holds text that is not UTF-8")
        return
    for row in rows:
        yield RawRow(json.dumps(row, ensure_ascii=False), row)


def _leaves(kind: Any) -> list[bool]:
    """Tell for each leaf column of this Arrow type, in Parquet's order, whether its values are JSON values."""
    types = pa.types
    if types.is_map(kind):
        return [False] * len([*_leaves(kind.key_type), *_leaves(kind.item_type)])
    if types.is_struct(kind):
        return [keep for index in range(kind.num_fields) for keep in _leaves(kind.field(index).type)]
    if types.is_dictionary(kind) or any(check(kind) for check in _LISTS):
        return _leaves(kind.value_type)
    if isinstance(kind, pa.BaseExtensionType):
        keep = kind.extension_name == "arrow.json"
        return [keep and leaf for leaf in _leaves(kind.storage_type)]
    return [any(check(kind) for check in _PLAIN)]
