"""Makes light rows straight from the buffers of a record batch: a training loop makes two for every second of work."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from manifests.arrow_values import data_of, offsets, validity
from manifests.light import LightClip, LightRow, LightTake, LightTurn

_INT32, _INT64 = np.dtype(np.int32), np.dtype(np.int64)


class LightColumns:
    """Gives rows of a valid record batch of `LightRow`s. The batch keeps its buffers; nothing of them is copied."""

    def __init__(self, batch: Any) -> None:
        turns = batch.column("turns")
        items, self._turns = turns.values, offsets(turns, _INT32)
        take = items.field("take")
        clip = take.field("audio")
        self._ids, self._languages = _Texts(batch.column("dialogue_id")), _Texts(batch.column("language"))
        self._roles, self._texts = _Texts(items.field("role")), _Texts(items.field("text"))
        self._starts = _Numbers(items.field("start_sample"))
        self._takes, self._voices = _known(take), _Texts(take.field("voice_id"))
        self._clips, self._paths, self._codecs = _known(clip), _Texts(clip.field("path")), _Texts(clip.field("codec"))
        names = ("sample_rate", "num_samples", "offset", "size", "crc32")
        self._numbers = [_Numbers(clip.field(name)) for name in names]

    def rows(self, first: int, last: int) -> Iterator[LightRow]:
        """Yield rows `first` to `last` - 1."""
        ends = self._turns[first : last + 1].tolist()
        turns = self._turns_of(ends[0], ends[-1])
        heads = zip(self._ids(first, last), self._languages(first, last), pairwise(ends), strict=True)
        return (LightRow(name, language, tuple(turns[a - ends[0] : b - ends[0]])) for name, language, (a, b) in heads)

    def span(self) -> tuple[int, int] | None:
        """Return the first byte of all clips of the batch and the byte behind the last; None if it has no clips."""
        places = zip(*(column(0, len(self._codecs)) for column in self._numbers[2:4]), strict=True)
        spans = [(start, start + size) for start, size in places if size]
        return (min(start for start, _ in spans), max(end for _, end in spans)) if spans else None

    def _turns_of(self, first: int, last: int) -> list[LightTurn]:
        numbers = (column(first, last) for column in self._numbers)
        clips: Sequence[LightClip | None] = list(
            map(LightClip, self._paths(first, last), self._codecs(first, last), *numbers)
        )
        if self._clips:
            clips = _masked(clips, self._clips, first)
        takes: Sequence[LightTake | None] = list(map(LightTake, self._voices(first, last), clips))
        if self._takes:
            takes = _masked(takes, self._takes, first)
        roles: Any = self._roles(first, last)  # the schema has no type for one of a few texts
        return list(map(LightTurn, roles, self._texts(first, last), self._starts(first, last), takes))


def _known(array: Any) -> list[bool] | None:
    """Tell which values of the array are there; None: all."""
    return validity(array) if array.null_count else None


def _masked(values: Sequence[Any], known: list[bool], first: int) -> Sequence[Any]:
    return [value if there else None for value, there in zip(values, known[first : first + len(values)], strict=True)]


class _Numbers:
    """Gives values of an array of int64, as Python's; a missing one is None."""

    __slots__ = ("_known", "_values")

    def __init__(self, array: Any) -> None:
        self._known = _known(array)
        none = array.null_count == len(array)  # such an array may have no buffer
        self._values = None if none else np.frombuffer(array.buffers()[1], _INT64, len(array), 8 * array.offset)

    def __call__(self, first: int, last: int) -> Sequence[Any]:
        if self._values is None:
            return [None] * (last - first)
        values: list[int] = self._values[first:last].tolist()
        return _masked(values, self._known, first) if self._known else values


class _Texts:
    """Gives values of an array of strings; a missing one is None."""

    __slots__ = ("_data", "_ends", "_known", "_size")

    def __init__(self, array: Any) -> None:
        self._known = _known(array)
        none = array.null_count == len(array)
        self._ends = None if none else offsets(array, _INT32)
        self._data = memoryview(b"") if none else data_of(array)
        self._size = len(array)

    def __len__(self) -> int:
        return self._size

    def __call__(self, first: int, last: int) -> Sequence[Any]:
        if self._ends is None:
            return [None] * (last - first)
        ends = self._ends[first : last + 1].tolist()
        values = [str(self._data[a:b], "utf-8") for a, b in pairwise(ends)]
        return _masked(values, self._known, first) if self._known else values
