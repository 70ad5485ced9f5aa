"""Python values of Arrow arrays, from their buffers.

`Array.to_numpy` is as fast, but it imports pandas wherever that is installed: a second of CPU and tens of megabytes
in every process that reads a row. What imports `pyarrow.compute` is left out too, for a third of that second.
"""

from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

_NUMBERS: dict[Any, "np.dtype[Any]"] = {pa.int64(): np.dtype(np.int64), pa.float64(): np.dtype(np.float64)}
_LIST_OFFSETS = np.dtype(np.int32)
_OFFSETS: dict[Any, "np.dtype[Any]"] = {pa.string(): np.dtype(np.int32), pa.large_binary(): np.dtype(np.int64)}


def plain_values(array: Any) -> list[Any]:
    """Return the values of an array of strings, bytes, 64-bit numbers or booleans; a missing one is None."""
    if array.null_count == len(array):
        return [None] * len(array)
    values = _values(array)
    if not array.null_count:
        return values
    return [value if known else None for value, known in zip(values, validity(array), strict=True)]


def validity(array: Any) -> list[bool]:
    """Tell which values of the array are there."""
    if not array.null_count:
        return [True] * len(array)
    return _bits(array.buffers()[0], array.offset, len(array))


def items_of(array: Any) -> tuple[Any, list[int]]:
    """Return the items of all lists of an array, as one array, and where in it each list begins, and the end."""
    if not len(array):
        return array.values.slice(0, 0), [0]
    ends = offsets(array, _LIST_OFFSETS)
    return array.values.slice(int(ends[0]), int(ends[-1] - ends[0])), (ends - ends[0]).tolist()


def offsets(array: Any, width: "np.dtype[Any]") -> npt.NDArray[Any]:
    """Return where each value of a list, string or binary array begins, and the end, as integers of this width."""
    return np.frombuffer(array.buffers()[1], width)[array.offset : array.offset + len(array) + 1]


def data_of(array: Any) -> memoryview:
    """Return the bytes into which the offsets of a string or binary array point."""
    data = array.buffers()[2]
    return memoryview(b"" if data is None else data)  # values that are all empty may have no buffer


def _values(array: Any) -> list[Any]:
    if (number := _NUMBERS.get(array.type)) is not None:
        return list(np.frombuffer(array.buffers()[1], number)[array.offset : array.offset + len(array)].tolist())
    if (width := _OFFSETS.get(array.type)) is not None:
        ends = offsets(array, width).tolist()
        return _texts(array, ends) if pa.types.is_string(array.type) else _bytes(array, ends)
    return _bits(array.buffers()[1], array.offset, len(array))


def _bytes(array: Any, ends: list[int]) -> list[Any]:
    data = data_of(array)
    return [bytes(data[first:last]) for first, last in pairwise(ends)]


def _texts(array: Any, ends: list[int]) -> list[Any]:
    start = ends[0]
    data = bytes(data_of(array)[start : ends[-1]])
    if data.isascii():
        text = data.decode("ascii")
        return [text[first - start : last - start] for first, last in pairwise(ends)]
    return [data[first - start : last - start].decode("utf-8") for first, last in pairwise(ends)]


def _bits(buffer: Any, offset: int, length: int) -> list[Any]:
    bits = np.unpackbits(np.frombuffer(buffer, np.uint8), bitorder="little")
    return list(bits[offset : offset + length].astype(bool).tolist())
