"""Converts rows of a dataclass to an Arrow table, and back.

The Arrow schema is derived from the annotations: str, int, float, bool, bytes, `Literal` of strings, `tuple[X, ...]`,
nested dataclasses, `Vector`, and each of these except the tuple with `| None`. A field that cannot be None is not
nullable. Conversion works column by column, with one converter per field that is made once: a Python object per value
would make a large voice bank slow to load, and this is the hot path between the stages of a job.

A `Vector` is a fixed-size list of float32, which only the row itself may hold, not a dataclass nested in it. All
vectors of a column have the width of the first one; a table in which no row has the vector has no column for it.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, TypeVar

import pyarrow as pa

from manifests.converters import Matrix, Vector, VectorField, is_vector, row_converter, vector_type, vectors_of
from manifests.errors import CorpusError

__all__ = [
    "Matrix",
    "Vector",
    "arrow_schema_of",
    "from_table",
    "matrix_of",
    "schema_problem",
    "to_table",
    "vector_array",
    "vector_columns",
    "vector_type",
    "widths_of",
]

Row = TypeVar("Row")


def arrow_schema_of(cls: type, widths: Mapping[str, int] | None = None) -> pa.Schema:
    """Return the schema of a table of `cls`. A vector without a width in `widths` has no column."""
    return pa.schema(list(row_converter(cls, widths).arrow_type))


def to_table(rows: Sequence[Row], cls: type[Row], widths: Mapping[str, int] | None = None) -> pa.Table:
    """Return a table of `cls` with one row for each of `rows`; `widths` defaults to `widths_of(rows)`.

    Raises LawBroken, naming the field, for a value of the wrong type, a missing value and a vector of another width.
    """
    converter = row_converter(cls, widths_of(rows, cls) if widths is None else widths)
    batch = pa.RecordBatch.from_arrays(converter.columns(rows), schema=pa.schema(list(converter.arrow_type)))
    return pa.Table.from_batches([batch])


def from_table(table: pa.Table, cls: type[Row], partial: bool = False, besides: Collection[str] = ()) -> list[Row]:
    """Return the rows of a table of `cls`, whose columns may come in any order, with the columns `besides` among them.

    With `partial`, a missing column is read as None, or as the empty value of its type where the field cannot be
    None. Raises CorpusError for a table of anything else, and for a missing value where there must be one.
    """
    if not partial:
        if problem := schema_problem(table.schema, cls, besides):
            raise CorpusError(problem)
        for vector in _vectors(cls):
            if not vector.nullable and vector.column not in table.schema.names and table.num_rows:
                raise CorpusError(f"{vector.name} is missing")
    converter = row_converter(cls)
    rows: list[Row] = []
    for batch in table.to_batches():
        rows.extend(converter.unpack_valid(batch.to_struct_array()))
    return rows


def schema_problem(schema: pa.Schema, cls: type, besides: Collection[str] = (), exact: bool = False) -> str | None:
    """Say why a schema is not that of a table of `cls`, possibly with the columns `besides`; None if it is.

    With `exact`, the columns must have their order, and may be nullable only where the field may be None.
    """
    expected = arrow_schema_of(cls, {vector.column: 1 for vector in _vectors(cls)})
    vectors = {vector.column for vector in _vectors(cls)}
    found = {
        "lacks": [name for name in expected.names if name not in schema.names and name not in vectors],
        "has the unknown": [name for name in schema.names if name not in expected.names and name not in besides],
        "has values of a wrong type in": [
            name
            for name in schema.names
            if name in expected.names and not _matches(schema.field(name), expected.field(name), exact)
        ],
    }
    for what, names in found.items():
        if names:
            return f"it {what} {', '.join(names)}"
    in_order = [name for name in expected.names if name in schema.names]
    return "its columns are in the wrong order" if exact and schema.names != in_order else None


def check_complete(table: pa.Table) -> None:
    """Raise CorpusError if a value is missing where the table's schema says that there is one."""
    for field, column in zip(table.schema, table.columns, strict=True):
        for chunk in column.chunks:
            _check_complete(chunk, field)


def _check_complete(array: Any, field: Any) -> None:
    if array.null_count and not field.nullable:
        raise CorpusError(f"{field.name} is missing in {array.null_count} of {len(array)} rows")
    if pa.types.is_list(field.type):
        _check_complete(array.values, field.type.value_field)
    elif pa.types.is_struct(field.type):
        for number, part in enumerate(field.type):
            _check_complete(array.field(number), part)


def widths_of(rows: Sequence[Row], cls: type[Row]) -> dict[str, int]:
    """Return the width of each vector that some row has."""
    firsts = {
        vector.column: next((value for row in rows if (value := getattr(row, vector.column)) is not None), None)
        for vector in _vectors(cls)
    }
    return {name: len(first) for name, first in firsts.items() if first is not None}


def vector_columns(schema: pa.Schema) -> list[str]:
    """Return the names of the columns that hold vectors."""
    return [field.name for field in schema if is_vector(field.type)]


def vector_array(name: str, vectors: Sequence[Vector | None], width: int | None) -> Any:
    """Return vectors, float32 [width], as an Arrow array.

    Raises LawBroken, which names the column, for a vector that is missing or does not fit; where `width` is None
    because the table has no such column, for any vector.
    """
    return VectorField(name, name, width, False).pack(vectors)


def matrix_of(table: pa.Table, name: str) -> Matrix:
    """Return the vectors in a column, float32 [N, D], without the missing ones.

    Raises CorpusError for a column of anything else, and where a number inside a vector is missing.
    """
    column = table.column(name).combine_chunks()
    if not is_vector(column.type):
        raise CorpusError(f"{name} does not hold vectors of float32")
    return vectors_of(name, column)


def _vectors(cls: type) -> list[VectorField]:
    """Return the fields of the row that hold vectors."""
    return [part for part in row_converter(cls).parts if isinstance(part, VectorField)]


def _matches(field: Any, expected: Any, exact: bool) -> bool:
    if is_vector(expected.type):
        return is_vector(field.type)
    return bool(field.equals(expected) if exact else field.type == expected.type)
