"""Converts between Python values and Arrow arrays, with one converter per kind of field, for `manifests.table`."""

import types
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from functools import cache, lru_cache
from itertools import chain, pairwise
from operator import attrgetter
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from manifests.arrow_arrays import array_of, int32s, offsets_of, structs_of
from manifests.arrow_values import items_of, plain_values, validity
from manifests.errors import CorpusError, LawBroken

Vector = npt.NDArray[np.float32]
"""Annotates a field that holds a vector, float32 [D]."""

Matrix = npt.NDArray[np.float32]

# Bytes are large_binary: 32-bit offsets would break on a batch with more than 2 GiB of clips.
_LEAVES: dict[type, tuple[Any, Any]] = {
    str: (pa.string(), ""),
    int: (pa.int64(), 0),
    float: (pa.float64(), 0.0),
    bool: (pa.bool_(), False),
    bytes: (pa.large_binary(), b""),
}


def vector_type(width: int) -> Any:
    """Return the Arrow type of vectors, float32 [width]."""
    return pa.list_(pa.field("element", pa.float32(), nullable=False), width)


class Converter(Protocol):
    """Converts one field of all rows. `filler` is the value in a column below a missing struct, where Arrow requires
    one and nobody reads it."""

    @property
    def arrow_type(self) -> Any: ...

    @property
    def nullable(self) -> bool: ...

    @property
    def filler(self) -> Any: ...

    def pack(self, values: Sequence[Any]) -> Any: ...

    def unpack(self, array: Any) -> list[Any]: ...


@dataclass(frozen=True)
class LeafConverter:
    """Converts a field of one plain value; `zero` stands where there must be one."""

    name: str
    arrow_type: Any
    nullable: bool
    zero: Any

    @property
    def filler(self) -> Any:
        return None if self.nullable else self.zero

    def pack(self, values: Sequence[Any]) -> Any:
        try:
            array = array_of(values, self.arrow_type)
        except (pa.ArrowException, OverflowError, UnicodeEncodeError, TypeError) as error:
            reason = str(error).splitlines()[0]
            raise LawBroken(f"{self.name} holds a value that does not fit {self.arrow_type}: {reason}") from error
        if array.null_count and not self.nullable:
            raise LawBroken(f"{self.name} is None in {array.null_count} of {len(array)} rows")
        return array

    def unpack(self, array: Any) -> list[Any]:
        if array.null_count and not self.nullable:
            raise CorpusError(f"{self.name} is missing in {array.null_count} of {len(array)} rows")
        return plain_values(array)


@dataclass(frozen=True)
class ListConverter:
    arrow_type: Any
    item: Converter
    nullable: bool = False
    filler: tuple[()] = ()

    def pack(self, values: Sequence[Any]) -> Any:
        if not any(values):
            return empty_lists(self.arrow_type, len(values))
        offsets = offsets_of(values)
        return pa.ListArray.from_arrays(
            offsets, self.item.pack(list(chain.from_iterable(values))), type=self.arrow_type
        )

    def unpack(self, array: Any) -> list[Any]:
        flat, ends = items_of(array)
        if not len(flat):
            return [()] * len(array)
        items = self.item.unpack(flat)
        return [tuple(items[start:end]) for start, end in pairwise(ends)]


@dataclass(frozen=True)
class VectorField:
    """Converts the vectors of a column; `width` is None where the table has no vectors and no column for them."""

    name: str
    column: str
    width: int | None
    nullable: bool
    filler: None = None

    @property
    def arrow_type(self) -> Any:
        return None if self.width is None else vector_type(self.width)

    def pack(self, values: Sequence[Any]) -> Any:
        missing = np.array([value is None for value in values], bool)
        if missing.any() and not self.nullable:
            raise LawBroken(f"{self.name} is missing in row {int(np.flatnonzero(missing)[0])}")
        if not self.width:
            if missing.all():
                return None
            raise LawBroken(f"{self.name} is {'empty' if self.width == 0 else 'there, but the first rows had none'}")
        matrix = np.zeros((len(values), self.width), np.float32)
        for row, value in enumerate(values):
            if value is None:
                continue
            if value.shape != (self.width,):
                raise LawBroken(f"{self.name} has the shape {value.shape} in row {row}, not ({self.width},)")
            matrix[row] = value
        mask = pa.array(missing) if missing.any() else None
        return pa.FixedSizeListArray.from_arrays(pa.array(matrix.reshape(-1)), type=self.arrow_type, mask=mask)

    def unpack(self, array: Any) -> list[Any]:
        if array.null_count and not self.nullable:
            raise CorpusError(f"{self.name} is missing in {array.null_count} of {len(array)} rows")
        matrix = vectors_of(self.name, array)
        if array.null_count == 0:
            return list(matrix)
        known = iter(matrix)
        return [next(known) if there else None for there in array.is_valid().to_pylist()]


@dataclass(frozen=True)
class StructConverter:
    build: Callable[..., Any]
    names: tuple[str, ...]
    parts: tuple[Converter, ...]
    arrow_type: Any
    nullable: bool
    filler: Any

    def columns(self, values: Sequence[Any]) -> list[Any]:
        """Return the arrays of the fields that have a column."""
        made = (
            part.pack(list(map(attrgetter(name), values))) for name, part in zip(self.names, self.parts, strict=True)
        )
        return [array for array in made if array is not None]

    def pack(self, values: Sequence[Any]) -> Any:
        missing = [value is None for value in values]
        if any(missing):
            if not self.nullable:
                raise LawBroken(f"a {self.filler.__class__.__name__} is None")
            if all(missing):
                return missing_structs(self.arrow_type, len(values))
            values = [self.filler if gone else value for value, gone in zip(values, missing, strict=True)]
        return structs_of(self.columns(values), self.arrow_type, missing if any(missing) else None)

    def unpack(self, array: Any) -> list[Any]:
        if array.null_count == 0:
            return self.unpack_valid(array) if len(array) else []
        if array.null_count == len(array):
            return [None] * len(array)
        known = iter(self.unpack_valid(array.drop_null()))
        return [next(known) if there else None for there in validity(array)]

    def unpack_valid(self, array: Any) -> list[Any]:
        columns = []
        for name, part in zip(self.names, self.parts, strict=True):
            index = array.type.get_field_index(name)
            missing = None if part.nullable else part.filler
            columns.append([missing] * len(array) if index < 0 else part.unpack(array.field(index)))
        return list(map(self.build, *columns))


# Most rows use few of the columns that a row may have: a whole branch without values is made once for each length.
@lru_cache(maxsize=4096)
def missing_structs(arrow_type: Any, length: int) -> Any:
    """Return an array of missing structs; below them stands what must not be missing, and what nobody reads."""
    children = [_unread(field.type, field.nullable, length) for field in arrow_type]
    return structs_of(children, arrow_type, [True] * length)


def _unread(arrow_type: Any, nullable: bool, length: int) -> Any:
    """Return an array of anything that fits."""
    if pa.types.is_list(arrow_type):
        return empty_lists(arrow_type, length)
    if pa.types.is_struct(arrow_type):
        if nullable:
            return missing_structs(arrow_type, length)
        children = [_unread(field.type, field.nullable, length) for field in arrow_type]
        return structs_of(children, arrow_type)
    if nullable:
        return pa.nulls(length, arrow_type)
    zero = next(zero for kind, zero in _LEAVES.values() if kind == arrow_type)
    return array_of([zero] * length, arrow_type)


@lru_cache(maxsize=4096)
def empty_lists(arrow_type: Any, length: int) -> Any:
    """Return an array of empty lists."""
    empty = pa.nulls(0, arrow_type.value_type)
    return pa.ListArray.from_arrays(int32s([0] * (length + 1)), empty, type=arrow_type)


def row_converter(cls: type, widths: Mapping[str, int] | None = None) -> StructConverter:
    """Return the converter of a whole row with vectors of these widths."""
    return _cached_row(cls, tuple((widths or {}).items()))


@cache
def _cached_row(cls: type, widths: tuple[tuple[str, int], ...]) -> StructConverter:
    hints, width_of = typing.get_type_hints(cls), dict(widths)
    parts: dict[str, Converter] = {}
    for key in (field.name for field in fields(cls)):
        inner, name = _optional(hints[key]), f"{cls.__name__}.{key}"
        if (hints[key] if inner is None else inner) == Vector:
            parts[key] = VectorField(name, key, width_of.get(key), inner is not None)
        else:
            parts[key] = _converter(hints[key], name)
    return _struct(cls, parts, False)


@cache
def _converter(annotation: Any, name: str = "row", nullable: bool = False) -> Converter:
    """Return the converter of one annotation; raises TypeError for one that has no Arrow type."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if (inner := _optional(annotation)) is not None:
        return _converter(inner, name, True)
    if origin is Literal and all(isinstance(value, str) for value in arguments):
        return _converter(str, name, nullable)
    if origin is tuple and len(arguments) == 2 and arguments[1] is Ellipsis and not nullable:
        item = _converter(arguments[0], name)
        return ListConverter(pa.list_(pa.field("element", item.arrow_type, nullable=item.nullable)), item)
    if annotation in _LEAVES:
        return LeafConverter(name, _LEAVES[annotation][0], nullable, _LEAVES[annotation][1])
    if isinstance(annotation, type) and is_dataclass(annotation):
        hints = typing.get_type_hints(annotation)
        parts = {key: _converter(hint, f"{annotation.__name__}.{key}") for key, hint in hints.items()}
        return _struct(annotation, parts, nullable)
    raise TypeError(f"{name}: {annotation} has no Arrow type")


def _struct(cls: type, parts: Mapping[str, Converter], nullable: bool) -> StructConverter:
    columns = [
        pa.field(name, part.arrow_type, nullable=part.nullable)
        for name, part in parts.items()
        if part.arrow_type is not None
    ]
    filler = cls(*(part.filler for part in parts.values()))
    return StructConverter(cls, tuple(parts), tuple(parts.values()), pa.struct(columns), nullable, filler)


def _optional(annotation: Any) -> Any:
    """Return X for `X | None`, and None for any other annotation."""
    arguments = typing.get_args(annotation)
    if typing.get_origin(annotation) not in (types.UnionType, typing.Union) or len(arguments) != 2:
        return None
    first, second = arguments
    return first if second is type(None) else second if first is type(None) else None


def is_vector(arrow_type: Any) -> bool:
    """Tell whether a column of this type holds vectors."""
    return bool(pa.types.is_fixed_size_list(arrow_type) and arrow_type.value_type == pa.float32())


def vectors_of(name: str, array: Any) -> Matrix:
    """Return the vectors of an array, float32 [N, D], without the missing ones; `name` is for the error message."""
    flat = array.flatten()  # leaves missing vectors out
    if flat.null_count:
        raise CorpusError(f"{name} has missing values")
    matrix: Matrix = flat.to_numpy(zero_copy_only=False).reshape(-1, array.type.list_size)
    return matrix
