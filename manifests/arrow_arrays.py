"""Arrow arrays of Python values, from their buffers.

`pyarrow.array` imports pandas wherever that is installed, to see whether it was given a series: half a second of CPU
and tens of megabytes in every process that writes a row.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate
from typing import Any

import numpy as np
import pyarrow as pa


def array_of(values: Sequence[Any], arrow_type: Any) -> Any:
    """Return what `pyarrow.array` returns for values of this type, or None, and the errors that it raises for others.

    The type is that of strings, large binaries, 64-bit numbers or booleans.
    """
    missing = values.count(None)
    known = [value for value in values if value is not None] if missing else values
    buffers = _BUFFERS[arrow_type.id](values, known, set(map(type, known)))
    if buffers is None:
        return pa.array(values, arrow_type)
    valid = _bits([value is not None for value in values]) if missing else None
    return pa.Array.from_buffers(arrow_type, len(values), [valid, *buffers], missing)


def structs_of(arrays: Sequence[Any], arrow_type: Any, missing: Sequence[bool] | None = None) -> Any:
    """Return an array of structs of these fields' arrays; `missing` tells which structs are None.

    Given a mask, `pyarrow.StructArray.from_arrays` imports `pyarrow.compute` to turn it round.
    """
    valid = None if missing is None else _bits([not gone for gone in missing])
    count = 0 if missing is None else sum(missing)
    return pa.Array.from_buffers(arrow_type, len(arrays[0]), [valid], count, 0, list(arrays))


def offsets_of(values: Sequence[Sequence[Any]]) -> Any:
    """Return where each of the lists begins in all their items, and the end, as int32."""
    return int32s(accumulate(map(len, values), initial=0))


def int32s(values: Iterable[int]) -> Any:
    numbers = np.fromiter(values, np.int32)
    return pa.Array.from_buffers(pa.int32(), len(numbers), [None, pa.py_buffer(numbers)], 0)


# Each returns the buffers behind that of the missing values; None if some value is of another type, or too large.


def _integers(values: Sequence[Any], known: Sequence[Any], kinds: set[type]) -> list[Any] | None:
    if not kinds <= {int}:
        return None
    try:
        return [pa.py_buffer(np.array(values if known is values else [value or 0 for value in values], np.int64))]
    except OverflowError:
        return None


def _floats(values: Sequence[Any], known: Sequence[Any], kinds: set[type]) -> list[Any] | None:
    if not kinds <= {float}:
        return None
    return [pa.py_buffer(np.array(values if known is values else [value or 0.0 for value in values], np.float64))]


def _flags(values: Sequence[Any], known: Sequence[Any], kinds: set[type]) -> list[Any] | None:
    return [_bits([bool(value) for value in values])] if kinds <= {bool} else None


def _texts(values: Sequence[Any], known: Sequence[Any], kinds: set[type]) -> list[Any] | None:
    if not all(issubclass(kind, str) for kind in kinds):
        return None
    text = "".join(known)
    if text.isascii():
        return _joined(values if known is values else [value or "" for value in values], text.encode(), np.int32)
    try:
        parts = [b"" if value is None else value.encode() for value in values]
    except UnicodeEncodeError:
        return None
    return _joined(parts, b"".join(parts), np.int32)


def _clips(values: Sequence[Any], known: Sequence[Any], kinds: set[type]) -> list[Any] | None:
    if not kinds <= {bytes}:
        return None
    # `pyarrow.array` would copy them again each time that it needs more room.
    return _joined(values if known is values else [value or b"" for value in values], b"".join(known), np.int64)


_MOST_BYTES = 2**31 - 1
_BUFFERS: dict[int, Callable[[Sequence[Any], Sequence[Any], set[type]], list[Any] | None]] = {
    pa.int64().id: _integers,
    pa.float64().id: _floats,
    pa.bool_().id: _flags,
    pa.string().id: _texts,
    pa.large_binary().id: _clips,
}


def _joined(parts: Sequence[Any], data: bytes, width: Any) -> list[Any] | None:
    """Return the offsets of the parts, which have a byte for each item, and the bytes."""
    if len(data) > _MOST_BYTES and width is np.int32:
        return None
    ends = np.fromiter(accumulate(map(len, parts), initial=0), width, len(parts) + 1)
    return [pa.py_buffer(ends), pa.py_buffer(data)]


def _bits(values: Sequence[bool]) -> Any:
    return pa.py_buffer(np.packbits(np.array(values, bool), bitorder="little"))
