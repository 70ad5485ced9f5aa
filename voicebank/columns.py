"""Voices and speakers as Arrow columns, and back. The types are derived from the dataclasses' annotations.

str, int, float, bool, bytes, `Literal` of strings, `tuple[X, ...]` and `Vector` (a fixed-size list of float32), each
of them also `| None`. A vector column is there only where some row has the vector: its width is that of the first.
Conversion works column by column; a Python object per value would make a bank of 40,000 voices slow to load.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache
from itertools import accumulate, chain, pairwise
from types import UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from voicebank.voice import Vector

Matrix = npt.NDArray[np.float32]
Widths = Mapping[str, int]
"""Of the vector columns that a table has."""

UNIT_TOLERANCE = 1e-3
"""How far a vector's length may be from 1: float32 rounding of 512 values stays far below, a forgotten division does
not."""

# Clips are large_binary: 32-bit offsets would break on a row group with more than 2 GiB of them.
_LEAVES: dict[Any, Any] = {
    str: pa.string(),
    int: pa.int64(),
    float: pa.float64(),
    bool: pa.bool_(),
    bytes: pa.large_binary(),
}


@dataclass(frozen=True, slots=True)
class Column:
    """`arrow_type` is None for a vector, whose width only the rows know."""

    name: str
    arrow_type: Any
    nullable: bool

    @property
    def is_vector(self) -> bool:
        return self.arrow_type is None

    @property
    def is_list(self) -> bool:
        return not self.is_vector and bool(pa.types.is_list(self.arrow_type))


@cache
def columns_of(cls: type) -> tuple[Column, ...]:
    """One column for each field of the dataclass, in order."""
    hints = get_type_hints(cls)
    return tuple(_column(field.name, hints[field.name]) for field in fields(cls))


def schema_of(columns: Sequence[Column], widths: Widths) -> pa.Schema:
    """The columns' Arrow schema; a vector that is not in `widths` has no column."""
    made = []
    for column in columns:
        if not column.is_vector:
            made.append(pa.field(column.name, column.arrow_type, nullable=column.nullable))
        elif column.name in widths:
            made.append(pa.field(column.name, vector_type(widths[column.name]), nullable=column.nullable))
    return pa.schema(made)


def vector_type(width: int) -> Any:
    return pa.list_(pa.field("element", pa.float32(), nullable=False), width)


def pack(column: Column, values: list[Any], width: int | None = None) -> Any:
    """The Arrow array of one column. ValueError says which value does not fit; `width` is a vector's."""
    if column.is_vector:
        return _pack_vectors(column, values, width or 0)
    if column.is_list:
        offsets = pa.array(accumulate(map(len, values), initial=0), pa.int32())
        items = _array(column, list(chain.from_iterable(values)), column.arrow_type.value_type)
        return pa.ListArray.from_arrays(offsets, items, type=column.arrow_type)
    array = _array(column, values, column.arrow_type)
    if array.null_count and not column.nullable:
        raise ValueError(f"{column.name} is missing in row {values.index(None)}")
    return array


def unpack(column: Column, array: Any) -> list[Any]:
    """The values of one column. ValueError where a vector cannot be one."""
    if column.is_vector:
        return _unpack_vectors(column.name, array)
    if column.is_list:
        items = _values(array.flatten())
        ends = accumulate(array.value_lengths().to_numpy(zero_copy_only=False).tolist(), initial=0)
        return [tuple(items[start:end]) for start, end in pairwise(ends)]
    return _values(array)


def matrix_problem(matrix: Matrix) -> str | None:
    """Why the rows of [N, D] are not all vectors of length 1; None: they are."""
    if matrix.size == 0:
        return "of width 0" if len(matrix) else None
    lengths = np.linalg.norm(matrix, axis=1)
    if not np.isfinite(lengths).all():
        return f"NaN or infinite in row {int(np.flatnonzero(~np.isfinite(lengths))[0])}"
    odd = np.flatnonzero(np.abs(lengths - 1) > UNIT_TOLERANCE)
    return f"of length {lengths[odd[0]]:.4g}, not 1, in row {odd[0]}" if odd.size else None


def _column(name: str, annotation: Any) -> Column:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is UnionType and type(None) in arguments:
        (inner,) = (argument for argument in arguments if argument is not type(None))
        return Column(name, _column(name, inner).arrow_type, True)
    if annotation == Vector:
        return Column(name, None, False)
    if origin is Literal:
        return Column(name, pa.string(), False)
    if origin is tuple and len(arguments) == 2 and arguments[1] is Ellipsis:
        item = pa.field("element", _LEAVES[arguments[0]], nullable=False)
        return Column(name, pa.list_(item), False)
    if annotation in _LEAVES:
        return Column(name, _LEAVES[annotation], False)
    raise TypeError(f"{name}: {annotation} has no Arrow type")


def _array(column: Column, values: list[Any], arrow_type: Any) -> Any:
    try:
        return pa.array(values, arrow_type)
    except (pa.ArrowException, OverflowError, UnicodeEncodeError, TypeError) as error:
        raise ValueError(
            f"{column.name} holds a value that is no {arrow_type}: {str(error).splitlines()[0]}"
        ) from error


def _values(array: Any) -> list[Any]:
    # to_pylist makes a Scalar per value; the way through NumPy is several times faster.
    if array.null_count == len(array):
        return [None] * len(array)
    if array.null_count == 0 or array.type in (pa.string(), pa.large_binary()):
        return list(array.to_numpy(zero_copy_only=False).tolist())
    filled = array.fill_null(0).to_numpy(zero_copy_only=False).tolist()
    known = array.is_valid().to_numpy(zero_copy_only=False).tolist()
    return [value if there else None for value, there in zip(filled, known, strict=True)]


def _pack_vectors(column: Column, values: list[Any], width: int) -> Any:
    matrix = np.zeros((len(values), width), np.float32)
    missing = np.array([value is None for value in values], bool)
    if missing.any() and not column.nullable:
        raise ValueError(f"{column.name} is missing in row {int(np.flatnonzero(missing)[0])}")
    for row, value in enumerate(values):
        if value is None:
            continue
        if value.shape != (width,):
            raise ValueError(f"{column.name} has the shape {value.shape} in row {row}, not ({width},)")
        matrix[row] = value
    if problem := matrix_problem(matrix[~missing]):
        raise ValueError(f"{column.name} is {problem}")
    return pa.FixedSizeListArray.from_arrays(
        pa.array(matrix.reshape(-1)), type=vector_type(width), mask=pa.array(missing) if missing.any() else None
    )


def _unpack_vectors(name: str, array: Any) -> list[Any]:
    flat = array.flatten()  # leaves missing vectors out
    if flat.null_count:
        raise ValueError(f"{name} has missing values")
    matrix = flat.to_numpy(zero_copy_only=False).reshape(-1, array.type.list_size)
    if problem := matrix_problem(matrix):
        raise ValueError(f"{name} is {problem}")
    if array.null_count == 0:
        return list(matrix)
    known = iter(matrix)
    return [next(known) if there else None for there in array.is_valid().to_pylist()]
