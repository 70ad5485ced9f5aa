"""Unpack compressed files piece by piece, as far as they go."""

import bz2
import gzip
import lzma
import zlib
from collections.abc import Callable
from typing import IO, Any, cast

import pyarrow as pa

_ZSTD = b"\x28\xb5\x2f\xfd"


class _AsFarAsItGoes:
    """A file whose `read` returns everything that can be unpacked before it raises for the rest."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def read(self, size: int) -> bytes:
        return cast(bytes, self._file.read1(size))


class _Zstd:
    """A zstd file; it raises EOFError where the file breaks off or is damaged, as the other kinds do."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._file = pa.CompressedInputStream(stream, "zstd")

    def read(self, size: int) -> bytes:
        try:
            return bytes(self._file.read(size))
        except OSError as error:
            raise EOFError(str(error)) from error


_OPENERS: dict[bytes, Callable[[IO[bytes]], Any]] = {
    b"\x1f\x8b": lambda stream: _AsFarAsItGoes(gzip.GzipFile(fileobj=stream, mode="rb")),
    b"BZh": lambda stream: _AsFarAsItGoes(bz2.BZ2File(stream)),
    b"\xfd7zXZ\x00": lambda stream: _AsFarAsItGoes(lzma.LZMAFile(stream)),  # noqa: SIM115
    _ZSTD: _Zstd,
}
DAMAGE = (EOFError, zlib.error, gzip.BadGzipFile, lzma.LZMAError)
"""What reading a damaged compressed file raises."""


def unpacked(stream: IO[bytes], first: bytes) -> IO[bytes]:
    """Return `stream` unpacked, if its `first` bytes are those of a compressed file."""
    opener = next((opener for magic, opener in _OPENERS.items() if first.startswith(magic)), None)
    return cast(IO[bytes], opener(stream)) if opener else stream


def is_packed(first: bytes) -> bool:
    """Tell whether a file is compressed, by its `first` bytes."""
    return any(first.startswith(magic) for magic in _OPENERS)
