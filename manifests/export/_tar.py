"""Writes a tar file whose bytes depend on its members alone: no times, owners or modes of this machine."""

import tarfile
from typing import IO

_BLOCK = 512


class TarFile:
    """Writes members, one behind the other, to a stream that cannot be gone back in. Close it to end the file."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.size = 0
        """Bytes written so far: where the next member begins."""

    def add(self, name: str, data: bytes) -> None:
        """Add a regular file of this name. Names of any length are written as GNU tar does."""
        member = tarfile.TarInfo(name)
        member.size = len(data)
        self._write(member.tobuf(tarfile.GNU_FORMAT))
        self._write(data)
        self._write(bytes(-len(data) % _BLOCK))

    def close(self) -> None:
        """Write the end mark, and fill up the last record as readers expect it."""
        self._write(bytes(2 * _BLOCK))
        self._write(bytes(-self.size % tarfile.RECORDSIZE))

    def _write(self, data: bytes) -> None:
        self._stream.write(data)
        self.size += len(data)
