"""Dialogues to Arrow and back.

The Arrow schema is derived from the dataclasses of `manifests.schema`: str, int, float, bool, bytes, `X | None`,
`Literal`, `tuple[X, ...]` and nested dataclasses. A field that cannot be None is not nullable. Conversion works column
by column, with one converter per field made once: this is the hot path between the stages.
"""

import types
import typing
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from itertools import accumulate, chain, pairwise
from operator import attrgetter
from typing import Any, Literal, Protocol

import pyarrow as pa

from manifests.errors import CorpusError, LawBroken
from manifests.schema import Dialogue

# Audio is large_binary: 32-bit offsets would break on a batch with more than 2 GiB of clips.
_LEAVES: dict[type, tuple[Any, Any]] = {
    str: (pa.string(), ""),
    int: (pa.int64(), 0),
    float: (pa.float64(), 0.0),
    bool: (pa.bool_(), False),
    bytes: (pa.large_binary(), b""),
}


class _Converter(Protocol):
    """`filler` stands in a column below a missing struct, where Arrow wants some value and nobody reads it."""

    @property
    def arrow_type(self) -> Any: ...

    @property
    def nullable(self) -> bool: ...

    @property
    def filler(self) -> Any: ...

    def pack(self, values: list[Any]) -> Any: ...

    def unpack(self, array: Any) -> list[Any]: ...


@dataclass(frozen=True)
class _Leaf:
    """`zero` stands in for nulls on the way through NumPy, which else turns integers into floats."""

    name: str
    arrow_type: Any
    nullable: bool
    zero: Any

    @property
    def filler(self) -> Any:
        return None if self.nullable else self.zero

    def pack(self, values: list[Any]) -> Any:
        try:
            array = pa.array(values, self.arrow_type)
        except (pa.ArrowException, OverflowError, UnicodeEncodeError, TypeError) as error:
            raise LawBroken(f"{self.name} holds a value that is no {self.arrow_type}: {error}") from error
        if array.null_count and not self.nullable:
            raise LawBroken(f"{self.name} is None in {array.null_count} of {len(array)} rows")
        return array

    def unpack(self, array: Any) -> list[Any]:
        # to_pylist makes one Scalar per value; the way through NumPy is several times faster.
        if array.null_count == len(array):
            return [None] * len(array)
        if array.null_count == 0 or self.arrow_type in (pa.string(), pa.large_binary()):
            return list(array.to_numpy(zero_copy_only=False).tolist())
        filled = array.fill_null(self.zero).to_numpy(zero_copy_only=False).tolist()
        valid = array.is_valid().to_numpy(zero_copy_only=False).tolist()
        return [value if known else None for value, known in zip(filled, valid, strict=True)]


@dataclass(frozen=True)
class _List:
    arrow_type: Any
    item: _Converter
    nullable: bool = False
    filler: tuple[()] = ()

    def pack(self, values: list[Any]) -> Any:
        offsets = pa.array(accumulate(map(len, values), initial=0), pa.int32())
        return pa.ListArray.from_arrays(
            offsets, self.item.pack(list(chain.from_iterable(values))), type=self.arrow_type
        )

    def unpack(self, array: Any) -> list[Any]:
        items = self.item.unpack(array.flatten())
        ends = accumulate(array.value_lengths().to_numpy(zero_copy_only=False).tolist(), initial=0)
        return [tuple(items[start:end]) for start, end in pairwise(ends)]


@dataclass(frozen=True)
class _Struct:
    build: Callable[..., Any]
    names: tuple[str, ...]
    parts: tuple[_Converter, ...]
    arrow_type: Any
    nullable: bool
    filler: Any

    def columns(self, values: list[Any]) -> list[Any]:
        return [
            part.pack(list(map(attrgetter(name), values))) for name, part in zip(self.names, self.parts, strict=True)
        ]

    def pack(self, values: list[Any]) -> Any:
        missing = [value is None for value in values]
        mask = None
        if any(missing):
            if not self.nullable:
                raise LawBroken(f"a {self.filler.__class__.__name__} is None")
            mask = pa.array(missing, pa.bool_())
            values = [self.filler if gone else value for value, gone in zip(values, missing, strict=True)]
        return pa.StructArray.from_arrays(self.columns(values), fields=list(self.arrow_type), mask=mask)

    def unpack(self, array: Any) -> list[Any]:
        if array.null_count == 0:
            return self.unpack_valid(array)
        known = iter(self.unpack_valid(array.drop_null()))
        valid = array.is_valid().to_numpy(zero_copy_only=False).tolist()
        return [next(known) if there else None for there in valid]

    def unpack_valid(self, array: Any) -> list[Any]:
        columns = []
        for name, part in zip(self.names, self.parts, strict=True):
            index = array.type.get_field_index(name)
            columns.append([part.filler] * len(array) if index < 0 else part.unpack(array.field(index)))
        return list(map(self.build, *columns))


@cache
def _converter(annotation: Any, name: str = "row", nullable: bool = False) -> _Converter:
    """The converter of one annotation; a TypeError for a kind of field that the row does not use."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (types.UnionType, typing.Union) and len(arguments) == 2 and type(None) in arguments:
        inner = arguments[0] if arguments[1] is type(None) else arguments[1]
        return _converter(inner, name, True)
    if origin is Literal and all(isinstance(value, str) for value in arguments):
        return _converter(str, name, nullable)
    if origin is tuple and len(arguments) == 2 and arguments[1] is Ellipsis and not nullable:
        item = _converter(arguments[0], name)
        return _List(pa.list_(pa.field("element", item.arrow_type, nullable=item.nullable)), item)
    if annotation in _LEAVES:
        return _Leaf(name, _LEAVES[annotation][0], nullable, _LEAVES[annotation][1])
    if isinstance(annotation, type) and is_dataclass(annotation):
        return _struct(annotation, nullable)
    raise TypeError(f"{name}: {annotation} has no Arrow type")


def _struct(cls: type, nullable: bool) -> _Struct:
    hints = typing.get_type_hints(cls)
    names = tuple(field.name for field in fields(cls))
    parts = tuple(_converter(hints[name], f"{cls.__name__}.{name}") for name in names)
    arrow_type = pa.struct(
        [pa.field(name, part.arrow_type, nullable=part.nullable) for name, part in zip(names, parts, strict=True)]
    )
    return _Struct(cls, names, parts, arrow_type, nullable, cls(*(part.filler for part in parts)))


def _row() -> _Struct:
    converter = _converter(Dialogue)
    return typing.cast(_Struct, converter)


@cache
def arrow_schema() -> pa.Schema:
    """The schema of a corpus row: one field for each field of `Dialogue`."""
    return pa.schema(list(_row().arrow_type))


def to_table(dialogues: Sequence[Dialogue]) -> pa.Table:
    """A table of `arrow_schema()`, one row per dialogue. A value of a wrong type is a LawBroken naming its field."""
    batch = pa.RecordBatch.from_arrays(_row().columns(list(dialogues)), schema=arrow_schema())
    return pa.Table.from_batches([batch])


def from_table(table: pa.Table, partial: bool = False) -> list[Dialogue]:
    """The dialogues of a table of `arrow_schema()`; any other schema is a CorpusError.

    With `partial` the table may be a projection of that schema: a column that it lacks comes as None, or as the empty
    value of its type where it cannot be None.
    """
    if not partial:
        check_schema(table.schema)
    rows: list[Dialogue] = []
    for batch in table.to_batches():
        rows.extend(_row().unpack_valid(batch.to_struct_array()))
    return rows


def check_schema(schema: pa.Schema) -> None:
    """A CorpusError that names the wrong columns, unless `schema` is that of a corpus row."""
    if schema.names != arrow_schema().names:
        odd = set(schema.names).symmetric_difference(arrow_schema().names)
        raise CorpusError(f"the columns are not those of a corpus row: {', '.join(sorted(odd)) or 'wrong order'}")
    wrong = [name for name in schema.names if not schema.field(name).equals(arrow_schema().field(name))]
    if wrong:
        raise CorpusError(f"columns have not the type of a corpus row: {', '.join(wrong)}")


def to_ipc(dialogues: Sequence[Dialogue]) -> bytes:
    """The table of the dialogues as one Arrow IPC stream."""
    sink = pa.BufferOutputStream()
    table = to_table(dialogues)
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def from_ipc(data: bytes) -> list[Dialogue]:
    """The dialogues of `to_ipc`; a CorpusError for bytes that are no such stream."""
    try:
        table = pa.ipc.open_stream(data).read_all()
    except (pa.ArrowException, OSError) as error:
        raise CorpusError(f"not a stream of dialogues: {str(error).splitlines()[0]}") from error
    return from_table(table)
