"""Corpus rows as Arrow tables and Arrow IPC streams, and back: `manifests.table` for `Dialogue`."""

from collections.abc import Sequence
from functools import cache
from itertools import groupby
from operator import attrgetter
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from manifests import table as tables
from manifests.arrow_arrays import array_of
from manifests.arrow_values import items_of, plain_values
from manifests.errors import CorpusError
from manifests.schema import Dialogue
from manifests.used_columns import check_used_columns, complete_table, from_used_table, to_used_table

Rows = range | npt.NDArray[np.int64]
"""Row numbers, ascending."""


@cache
def arrow_schema() -> pa.Schema:
    """Return the schema of a corpus row: one field for each field of `Dialogue`."""
    return tables.arrow_schema_of(Dialogue)


def to_table(dialogues: Sequence[Dialogue]) -> pa.Table:
    """Return a table of `arrow_schema()`, one row per dialogue.

    Raises LawBroken, which names the field, for a value of the wrong type.
    """
    return tables.to_table(dialogues, Dialogue)


def from_table(table: pa.Table, partial: bool = False) -> list[Dialogue]:
    """Return the dialogues of a table of `arrow_schema()`; raises CorpusError for any other schema.

    With `partial` the table may be a projection of that schema: a missing column is read as None, or as the empty
    value of its type where the field cannot be None.
    """
    if not partial:
        check_schema(table.schema)
    return tables.from_table(table, Dialogue, partial=True)


def take_rows(table: pa.Table, rows: Rows) -> pa.Table:
    """Return some rows of a table; neighbors are not copied."""
    if len(rows) == rows[-1] - rows[0] + 1:
        return table.slice(int(rows[0]), len(rows))
    return table.take(array_of([int(row) for row in rows], pa.int64()))


def check_schema(schema: pa.Schema) -> None:
    """Raise a CorpusError that names the wrong columns, unless `schema` is the schema of a corpus row."""
    if schema.equals(arrow_schema()):
        return
    if problem := tables.schema_problem(schema, Dialogue, exact=True):
        raise CorpusError(f"not a table of corpus rows: {problem}")


def to_ipc(dialogues: Sequence[Dialogue]) -> Any:
    """Return the bytes of `write_ipc`, a `pyarrow.Buffer`."""
    sink = pa.BufferOutputStream()
    write_ipc(dialogues, sink)
    return sink.getvalue()


def write_ipc(dialogues: Sequence[Dialogue], sink: Any) -> None:
    """Write the dialogues as one Arrow IPC stream with the columns that they fill. Same rows, same bytes.

    Texts are compressed; encoded clips would only be copied once more.
    """
    has_clips = any(turn.take and turn.take.audio for dialogue in dialogues for turn in dialogue.turns)
    options = pa.ipc.IpcWriteOptions(compression=None if has_clips else "lz4", use_threads=False)
    table = to_used_table(dialogues, Dialogue)
    with pa.ipc.new_stream(sink, table.schema, options=options) as writer:
        writer.write_table(table)


def from_ipc(data: Any) -> list[Dialogue]:
    """Return the dialogues of `to_ipc`, from its buffer or from bytes; raises CorpusError for any other stream."""
    return from_used_table(_read_ipc(data), Dialogue)


def table_from_ipc(data: Any) -> pa.Table:
    """Return the table in a stream of `to_ipc`, as `complete_dialogues` takes it; raises CorpusError for any other."""
    table = _read_ipc(data)
    check_used_columns(table.schema, Dialogue)
    tables.check_complete(table)
    return table


def join_tables(parts: Sequence[pa.Table]) -> pa.Table:
    """Return tables of `table_from_ipc`, or rows of them, as one table of `arrow_schema()`. Columns have one chunk."""
    runs = [list(run) for _, run in groupby(parts, attrgetter("schema"))]
    whole = [complete_table(pa.concat_tables(run).combine_chunks(), Dialogue) for run in runs]
    return whole[0] if len(whole) == 1 else pa.concat_tables(whole).combine_chunks()


def clips_in(table: pa.Table) -> list[bytes]:
    """Return the encoded clip of each turn of the table, empty for a turn without one.

    They are copies: views would keep a whole row group in memory until the last of its rows is given out, and memory
    that is new to the process costs more than a copy into memory that is not.
    """
    found: list[bytes] = []
    for batch in table.to_batches():
        turns, _ = items_of(batch.column("turns"))
        clips = plain_values(turns.field("take").field("audio").field("bytes"))
        found += (clip or b"" for clip in clips)
    return found


def _read_ipc(data: Any) -> pa.Table:
    try:
        table = pa.ipc.open_stream(data, options=pa.ipc.IpcReadOptions(use_threads=False)).read_all()
        table.validate(full=True)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise CorpusError(f"not a stream of dialogues: {str(error).splitlines()[0]}") from error
    return table
