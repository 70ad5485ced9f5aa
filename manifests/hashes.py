"""Keeps a growing set of strings at 8 bytes each.

Two of ten million strings share a hash by chance in one of 370,000 corpora: (1e7)^2 / 2 / 2^64 = 2.7e-6.
"""

import hashlib
from array import array
from typing import Protocol

import numpy as np
import numpy.typing as npt


def hash64(text: str) -> int:
    """Return a 64-bit hash of the text that is the same on every machine."""
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8"), digest_size=8).digest(), "little")


class Names(Protocol):
    """Tells whether a string is among some."""

    def __contains__(self, text: str, /) -> bool: ...


class Everything:
    """Contains whatever is asked for."""

    def __contains__(self, text: str, /) -> bool:
        return True


class Hashes:
    """Remembers the hashes of strings. Add all strings first, then query."""

    def __init__(self, hashes: npt.NDArray[np.uint64] | None = None) -> None:
        """Begin with these `hashes`."""
        self._hashes = array("Q", b"" if hashes is None else hashes.tobytes())
        self._sorted: npt.NDArray[np.uint64] | None = None

    def add(self, text: str) -> None:
        self._hashes.append(hash64(text))
        self._sorted = None

    def add_hashes(self, hashes: npt.NDArray[np.uint64]) -> None:
        """Add strings by their hashes, uint64 [N]."""
        self._hashes.frombytes(hashes.tobytes())
        self._sorted = None

    def array(self) -> npt.NDArray[np.uint64]:
        """Return the hashes as they were added, uint64 [N]."""
        return np.array(self._hashes, dtype=np.uint64)

    def lacks(self, hashes: npt.NDArray[np.uint64]) -> bool:
        """Tell whether one of these hashes was never added."""
        ordered = self._order()
        places = np.searchsorted(ordered, hashes)
        is_inside = places < len(ordered)
        return not is_inside.all() or bool((ordered[places] != hashes).any())

    def repeated(self) -> frozenset[int]:
        """Return the hashes that were added more than once."""
        ordered = self._order()
        return frozenset(ordered[1:][ordered[1:] == ordered[:-1]].tolist())

    def __contains__(self, text: str, /) -> bool:
        ordered = self._order()
        wanted = np.uint64(hash64(text))
        index = int(np.searchsorted(ordered, wanted))
        return index < len(ordered) and bool(ordered[index] == wanted)

    def _order(self) -> npt.NDArray[np.uint64]:
        if self._sorted is None:
            self._sorted = np.sort(np.array(self._hashes, dtype=np.uint64))
        return self._sorted
