"""Tables that have only the columns that some of their rows fill: of those that a row may have, most rows use few.

The cost of an Arrow table is one of its columns, and the blocks of a job are small: a dialogue has some 230 columns,
and a block of texts fills 25 of them. A field that may be missing, and a list, has a column here only if a row has a
value of it; every other field has one. `complete_table` adds the rest.
"""

from collections.abc import Sequence
from itertools import chain
from operator import attrgetter
from typing import Any, TypeVar

import pyarrow as pa

from manifests.arrow_arrays import int32s, offsets_of, structs_of
from manifests.arrow_values import items_of, validity
from manifests.converters import (
    Converter,
    LeafConverter,
    ListConverter,
    StructConverter,
    empty_lists,
    missing_structs,
    row_converter,
)
from manifests.errors import CorpusError, LawBroken

Row = TypeVar("Row")


def to_used_table(rows: Sequence[Row], cls: type[Row]) -> pa.Table:
    """Return a table of `cls`, which has no vectors, with the columns that these rows fill. Same rows, same table.

    Raises LawBroken, naming the field, for a value of the wrong type and a missing value.
    """
    if not rows:
        return pa.schema(list(row_converter(cls).arrow_type)).empty_table()
    fields, arrays = _used_columns(row_converter(cls), rows)
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields))


def from_used_table(table: pa.Table, cls: type[Row]) -> list[Row]:
    """Return the rows of a table of `to_used_table`. Raises CorpusError for any other table."""
    check_used_columns(table.schema, cls)
    return rows_of_columns(table, cls)


def rows_of_columns(table: pa.Table, cls: type[Row]) -> list[Row]:
    """Return the rows of a table as rows of `cls`, which may be a part of that whose rows they are.

    A column that is missing is None, or empty.
    """
    converter, rows = row_converter(cls), list[Row]()
    for batch in table.to_batches():
        rows.extend(converter.unpack_valid(batch.to_struct_array()))
    return rows


def check_used_columns(schema: pa.Schema, cls: type) -> None:
    """Raise CorpusError unless the schema is that of some table of `to_used_table`."""
    if problem := _struct_problem(row_converter(cls), list(schema), ""):
        raise CorpusError(problem)


def complete_table(table: pa.Table, cls: type) -> pa.Table:
    """Return a table of `to_used_table` with all columns of `cls`: what `manifests.table.to_table` makes of its rows.

    Columns that `cls` does not have are left out.
    """
    converter = row_converter(cls)
    names = set(table.column_names)
    arrays = [
        _complete(part, _in_one_chunk(table.column(name)) if name in names else None, table.num_rows)
        for name, part in zip(converter.names, converter.parts, strict=True)
    ]
    return pa.Table.from_arrays(arrays, schema=pa.schema(list(converter.arrow_type)))


def _in_one_chunk(column: Any) -> Any:
    """Return the values of a column as one array; `combine_chunks` would copy a single chunk too."""
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _used_columns(struct: StructConverter, values: Sequence[Any]) -> tuple[list[Any], list[Any]]:
    """Return the fields and the arrays of the columns that the structs fill; of structs that fill none, the first."""
    fields, arrays = [], []
    for name, part in zip(struct.names, struct.parts, strict=True):
        array = _used(part, list(map(attrgetter(name), values)))
        if array is not None:
            fields.append(pa.field(name, array.type, nullable=part.nullable))
            arrays.append(array)
    if not arrays:
        name, part = struct.names[0], struct.parts[0]
        fields.append(pa.field(name, part.arrow_type, nullable=part.nullable))
        arrays.append(part.pack(list(map(attrgetter(name), values))))
    return fields, arrays


def _used(part: Converter, values: list[Any]) -> Any:
    """Return the values as an array without columns that none of them fills; None if none of them is there."""
    if isinstance(part, StructConverter):
        return _used_structs(part, values)
    if isinstance(part, ListConverter):
        if not any(values):
            return None
        items = list(chain.from_iterable(values))
        packed = _used(part.item, items)
        if packed is None:
            packed = part.item.pack(items)
        kind = pa.list_(pa.field("element", packed.type, nullable=part.item.nullable))
        return pa.ListArray.from_arrays(offsets_of(values), packed, kind)
    if part.nullable and values[0] is None and values.count(None) == len(values):
        return None
    return part.pack(values)


def _used_structs(struct: StructConverter, values: list[Any]) -> Any:
    missing = [value is None for value in values]
    if any(missing):
        if not struct.nullable:
            raise LawBroken(f"a {struct.filler.__class__.__name__} is None")
        if all(missing):
            return None
        values = [struct.filler if gone else value for value, gone in zip(values, missing, strict=True)]
    fields, arrays = _used_columns(struct, values)
    return structs_of(arrays, pa.struct(fields), missing if any(missing) else None)


def _struct_problem(struct: StructConverter, fields: Sequence[Any], where: str) -> str | None:
    """Say what is wrong with the fields of a struct, by the rules of `to_used_table`; None if nothing is."""
    parts = dict(zip(struct.names, struct.parts, strict=True))
    names = [field.name for field in fields]
    if unknown := [name for name in names if name not in parts]:
        return f"it has the unknown {where}{unknown[0]}"
    if names != [name for name in parts if name in names]:
        return f"its columns are in the wrong order, or some are there twice, in {where or 'the row'}"
    needed = [name for name, part in parts.items() if not part.nullable and not isinstance(part, ListConverter)]
    if lacking := [name for name in needed if name not in names]:
        return f"it lacks {where}{lacking[0]}"
    for field in fields:
        part = parts[field.name]
        problem = _problem(part, field.type, f"{where}{field.name}")
        if problem or field.nullable != part.nullable:
            return problem or f"it has values of a wrong type in {where}{field.name}"
    return None


def _problem(part: Converter, kind: Any, name: str) -> str | None:
    wrong = f"it has values of a wrong type in {name}"
    if isinstance(part, StructConverter):
        return _struct_problem(part, list(kind), f"{name}.") if pa.types.is_struct(kind) else wrong
    if isinstance(part, ListConverter):
        if not pa.types.is_list(kind) or kind.value_field.nullable != part.item.nullable:
            return wrong
        return _problem(part.item, kind.value_type, name)
    return None if kind == part.arrow_type else wrong


def _complete(part: Converter, array: Any, length: int) -> Any:
    """Return the array with the columns that it lacks; `array` None: all of them."""
    if isinstance(part, StructConverter):
        return missing_structs(part.arrow_type, length) if array is None else _complete_structs(part, array)
    if isinstance(part, ListConverter):
        if array is None:
            return empty_lists(part.arrow_type, length)
        if isinstance(part.item, LeafConverter):
            return array
        items, starts = items_of(array)
        whole = _complete(part.item, items, len(items))
        return pa.ListArray.from_arrays(int32s(starts), whole, type=part.arrow_type)
    return pa.nulls(length, part.arrow_type) if array is None else array


def _complete_structs(struct: StructConverter, array: Any) -> Any:
    there = {field.name: number for number, field in enumerate(array.type)}
    arrays = [
        _complete(part, array.field(there[name]) if name in there else None, len(array))
        for name, part in zip(struct.names, struct.parts, strict=True)
    ]
    missing = [not known for known in validity(array)] if array.null_count else None
    return structs_of(arrays, struct.arrow_type, missing)
