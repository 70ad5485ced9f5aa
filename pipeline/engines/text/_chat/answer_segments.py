"""Stores answers in a few files on a local or shared file system: each writer appends to a segment of its own.

A store's directory holds, for each process that has written to it::

    SEGMENT.answers    a line for each answer: the key, a blank, and the answer as JSON
    SEGMENT.index      for each of these lines: 8 bytes of the key, and where the line begins, as two little-endian
                       64-bit integers

There is no lock: nobody writes into a segment but the process that began it. Whatever a kill tears off is left out: an
entry of the index counts only if it is whole, a line only if it is whole and begins with the key. A line without its
entry is found by reading on behind the last entry. A reader holds the indexes in memory, 16 bytes
an answer.
"""

import os
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from threading import Lock

import numpy as np
import numpy.typing as npt

_LINES, _INDEX = ".answers", ".index"
_ENTRY = np.dtype([("key", "<u8"), ("begin", "<u8")])
_KEY_LENGTH = 64
_LOOK_S = 10.0
"""So often at most, a reader looks for what other processes have written meanwhile."""


class AnswerSegments:
    """Reads all segments of a directory and appends to one, for several threads. Raises OSError and nothing else."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._lock = Lock()
        self._own = uuid.uuid4().hex
        self._segments: dict[str, _Segment] = {}
        self._looked = -_LOOK_S
        self._files: list[int] = []
        self._end = 0
        self._recent: dict[str, int] = {}
        """Where the lines begin that this process has written since it last looked."""

    def read(self, key: str) -> bytes | None:
        """Return the answer that is stored under the key, 64 hexadecimal digits; None if there is none."""
        with self._lock:
            if time.monotonic() - self._looked >= _LOOK_S:
                self._look()
                self._looked = time.monotonic()
            begin = self._recent.get(key)
            places = [(one.lines, place) for one in self._segments.values() for place in one.places(key)]
        if begin is not None:
            places.insert(0, (self._directory / f"{self._own}{_LINES}", begin))
        return next((answer for path, place in places if (answer := _answer_at(path, place, key))), None)

    def write(self, key: str, answer: bytes) -> None:
        """Store an answer, which contains no line break. Not synced: that would cost more than it saves."""
        line = key.encode("ascii") + b" " + answer + b"\n"
        with self._lock:
            if not self._files:
                self._directory.mkdir(parents=True, exist_ok=True)
                self._files = [self._open(suffix) for suffix in (_LINES, _INDEX)]
            lines, index = self._files
            begin = self._end
            self._end += os.write(lines, line)
            if self._end < begin + len(line):  # a full disk: the rest of a line is none, and the next begins a new one
                self._end += os.write(lines, b"\n")
                return
            self._recent[key] = begin
            os.write(index, np.array([(_short(key), begin)], _ENTRY).tobytes())

    def close(self) -> None:
        with self._lock:
            for descriptor in self._files:
                os.close(descriptor)
            self._files = []

    def _open(self, suffix: str) -> int:
        path = self._directory / f"{self._own}{suffix}"
        return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)

    def _look(self) -> None:
        """Read what is new in all indexes."""
        try:
            names = [entry.name for entry in os.scandir(self._directory) if entry.name.endswith(_LINES)]
        except (FileNotFoundError, NotADirectoryError):
            return
        for name in names:
            segment = name.removesuffix(_LINES)
            self._segments.setdefault(segment, _Segment(self._directory, segment)).grow()
        self._recent.clear()


class _Segment:
    """Knows where the lines of a segment begin. `_chunks` are entries, sorted by key, each half as many or fewer than
    the chunk before: so an entry is sorted again only a few times."""

    def __init__(self, directory: Path, name: str) -> None:
        self.lines, self._index = directory / f"{name}{_LINES}", directory / f"{name}{_INDEX}"
        self._chunks: list[npt.NDArray[np.void]] = []
        self._indexed = 0
        self._end = 0

    def grow(self) -> None:
        """Add the entries that were written since the last time, and the lines behind them."""
        size = self.lines.stat().st_size
        if size <= self._end:
            return
        new = self._new_entries()
        new = new[(new["begin"] >= self._end) & (new["begin"] < size)]
        if len(new):
            self._end = int(new["begin"][-1])  # the last one is found again below, if its line is whole
        self._add(np.concatenate([new[:-1], np.array(list(self._scan()), _ENTRY)]))

    def places(self, key: str) -> list[int]:
        """Return where lines of the key may begin."""
        found, wanted = list[int](), np.uint64(_short(key))
        for chunk in self._chunks:
            first, last = (int(np.searchsorted(chunk["key"], wanted, side)) for side in ("left", "right"))
            found += chunk["begin"][first:last].tolist()
        return found

    def _add(self, entries: npt.NDArray[np.void]) -> None:
        while len(entries) and self._chunks and len(self._chunks[-1]) < 2 * len(entries):
            entries = np.concatenate([self._chunks.pop(), entries])
        if len(entries):
            self._chunks.append(entries[np.argsort(entries["key"], kind="stable")])

    def _new_entries(self) -> npt.NDArray[np.void]:
        try:
            with self._index.open("rb") as file:
                file.seek(self._indexed)
                data = file.read()
        except FileNotFoundError:
            data = b""
        whole = len(data) - len(data) % _ENTRY.itemsize
        self._indexed += whole
        return np.frombuffer(data[:whole], _ENTRY)

    def _scan(self) -> Iterator[tuple[int, int]]:
        """Yield entries for the whole lines from `_end` on, and move it behind the last of them."""
        with self.lines.open("rb") as file:
            file.seek(self._end)
            for line in file:
                if not line.endswith(b"\n"):
                    return
                if (key := _key_of(line)) is not None:
                    yield _short(key), self._end
                self._end += len(line)


def _answer_at(path: Path, begin: int, key: str) -> bytes | None:
    """Return the answer in the line that begins there; None if it is not a whole line of that key."""
    try:
        with path.open("rb") as file:
            file.seek(begin)
            line = file.readline()
    except FileNotFoundError:
        return None
    return line[_KEY_LENGTH + 1 : -1] if line.endswith(b"\n") and _key_of(line) == key else None


def _key_of(line: bytes) -> str | None:
    """Return the key of a line; None if the line does not begin with one."""
    key = line[:_KEY_LENGTH]
    is_key = line[_KEY_LENGTH : _KEY_LENGTH + 1] == b" " and not key.strip(b"0123456789abcdef")
    return key.decode("ascii") if is_key else None


def _short(key: str) -> int:
    return int(key[:16], 16)
