"""Copy rows that come as a stream (standard input, a pipe) into a file, since an input is read more than once."""

import stat
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from shutil import copyfileobj
from typing import IO

from pyarrow import fs as pafs

from manifests.errors import InputError
from manifests.storage import Place

STANDARD_INPUT = "-"
_PATHS_OF_STANDARD_INPUT = ("/dev/stdin", "/dev/fd/0", "/proc/self/fd/0")


@dataclass(frozen=True)
class StreamCopy(Place):
    """Holds the copy of a stream; it is gone with this object. `shown` is what people read."""

    shown: str
    file: IO[bytes]

    def __str__(self) -> str:
        return self.shown


def copy_of_stream(word: str, tell: Callable[[str], None]) -> StreamCopy | None:
    """Return a copy of the stream that a word on the command line names; None if it names no stream.

    `tell` is told that a pipe is read, since a pipe that nobody writes to never ends. Raises InputError for what
    cannot be read to an end: a terminal, a device, a socket.
    """
    if word == STANDARD_INPUT or word in _PATHS_OF_STANDARD_INPUT:
        return _standard_input(tell)
    try:
        mode = Path(word).expanduser().stat().st_mode
    except (OSError, ValueError, RuntimeError):
        return None
    if stat.S_ISFIFO(mode):
        tell(f"reading {word}, a pipe, to its end")
        with Path(word).open("rb") as pipe:
            return _copy(pipe, word)
    if stat.S_ISREG(mode) or stat.S_ISDIR(mode):
        return None
    raise InputError(f"{word} is a device or a socket: name a file, or pipe the rows to `--input -`")


def _standard_input(tell: Callable[[str], None]) -> StreamCopy:
    if sys.stdin is None or sys.stdin.closed or sys.stdin.isatty():
        raise InputError("there is nothing at standard input: pipe the rows to `--input -`, or name a file")
    tell("reading standard input to its end")
    return _copy(sys.stdin.buffer, "standard input")


def _copy(stream: IO[bytes], shown: str) -> StreamCopy:
    try:
        file = tempfile.NamedTemporaryFile(prefix="parley-input-")  # noqa: SIM115  it lives as long as the copy
        copyfileobj(stream, file)
        file.flush()
    except OSError as error:
        raise InputError(f"cannot copy {shown} into {tempfile.gettempdir()}: {error}") from error
    return StreamCopy(pafs.LocalFileSystem(), file.name, shown, file)
