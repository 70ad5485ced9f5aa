"""Reads stretches of a file that stays open."""

import os
import weakref
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from manifests.storage import Place


class Stretches(Protocol):
    """An open file. It is closed when nothing refers to it, and any number of threads and forked processes read it."""

    def size(self) -> int:
        """Return the size of the file in bytes."""

    def read_at(self, size: int, start: int) -> Any:
        """Return `size` bytes from byte `start` on, or fewer where the file ends, as bytes or a `pyarrow.Buffer`."""


def open_stretches(place: Place) -> Stretches:
    """Open a file to read stretches of it. Raises OSError if it cannot be opened."""
    if place.is_local and hasattr(os, "pread"):
        return _LocalFile(place.path)
    file: Stretches = place.filesystem.open_input_file(place.path)
    return file


def advise(place: Place, start: int, size: int) -> None:
    """Tell the system that `size` bytes of a local file will be read."""
    if not place.is_local or not hasattr(os, "posix_fadvise"):
        return
    with suppress(OSError), Path(place.path).open("rb") as file:  # only advice: reading says what is wrong
        os.posix_fadvise(file.fileno(), start, size, os.POSIX_FADV_WILLNEED)


class _LocalFile:
    """Reads into `bytes`, which pyarrow does not: it has its own memory, out of which a clip would be copied again."""

    def __init__(self, path: str) -> None:
        self._descriptor = os.open(path, os.O_RDONLY)
        weakref.finalize(self, os.close, self._descriptor)

    def size(self) -> int:
        return os.fstat(self._descriptor).st_size

    def read_at(self, size: int, start: int) -> bytes:
        return os.pread(self._descriptor, size, start)
