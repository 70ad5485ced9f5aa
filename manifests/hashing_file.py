"""A file that hashes what is written to it, as pyarrow takes it for a sink."""

import hashlib
from typing import IO, Any


class HashingFile:
    """Counts and hashes the bytes that pyarrow writes to the binary file beneath, which whoever opened it closes."""

    closed = False

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._hash = hashlib.sha256()
        self.size = 0

    def write(self, data: Any) -> int:
        self._file.write(data)
        self._hash.update(data)
        self.size += len(data)
        return len(data)

    def tell(self) -> int:
        return self.size

    def flush(self) -> None:
        self._file.flush()

    def writable(self) -> bool:
        return True

    def close(self) -> None:
        """Do nothing."""

    def hexdigest(self) -> str:
        return self._hash.hexdigest()


class RememberingFile(HashingFile):
    """Remembers what was written to it; once it is `abandoned`, it writes nothing more."""

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__(file)
        self.abandoned = False
        self._recent: list[tuple[int, bytes]] = []

    def write(self, data: Any) -> int:
        if self.abandoned:
            return len(data)
        self._recent.append((self.size, bytes(data)))
        return super().write(data)

    def take_recent(self) -> list[tuple[int, bytes]]:
        """Return offset and bytes of what was written since the last call."""
        recent, self._recent = self._recent, []
        return recent
