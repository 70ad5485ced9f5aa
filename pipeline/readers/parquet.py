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


def parquet_rows(place: Place) -> Iterator[RawRow]:
    """Yield the rows as dictionaries, nested columns as lists and dictionaries.

    Columns that JSON cannot represent (bytes, times, maps, ...) are left out. Raises InputError, at the call, if the
    file is not a readable Parquet file. Damage found only later gives one unreadable row for all rows that follow.
    """
    try:
        stream = place.filesystem.open_input_file(place.path)
        # Otherwise whole columns of a row group stay in memory: 125 MiB instead of 14 for a 114 MiB file of one group.
        file = parquet.ParquetFile(stream, buffer_size=BUFFER_BYTES, pre_buffer=False)
        columns = [field.name for field in file.schema_arrow if _is_plain(field.type)]
    except DAMAGE as error:
        raise InputError(f"{place} is not a readable Parquet file: {first_line(error)}") from error
    if not columns:
        raise InputError(f"{place} has no columns of text or numbers")
    return _records(file, columns)


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


def _is_plain(kind: Any) -> bool:
    """Whether values of this Arrow type become JSON values: text, numbers, booleans, lists, dictionaries."""
    types = pa.types
    if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        return _is_plain(kind.value_type)
    if types.is_struct(kind):
        return all(_is_plain(kind.field(index).type) for index in range(kind.num_fields))
    if types.is_dictionary(kind):
        return _is_plain(kind.value_type)
    checks = (types.is_string, types.is_large_string, types.is_integer, types.is_floating, types.is_boolean)
    return any(check(kind) for check in (*checks, types.is_null))
