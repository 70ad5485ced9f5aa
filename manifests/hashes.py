"""A growing set of strings at 8 bytes each.

Of ten million strings two share a hash by chance once in 370,000 corpora: (1e7)^2 / 2 / 2^64 = 2.7e-6.
"""

import hashlib
from array import array

import numpy as np
import numpy.typing as npt


def hash64(text: str) -> int:
    """A stable 64-bit hash."""
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8"), digest_size=8).digest(), "little")


class Hashes:
    """Strings are added, then asked about."""

    def __init__(self) -> None:
        self._hashes = array("Q")
        self._sorted: npt.NDArray[np.uint64] | None = None

    def add(self, text: str) -> None:
        self._hashes.append(hash64(text))
        self._sorted = None

    def repeated(self) -> frozenset[int]:
        """The hashes that were added more than once."""
        ordered = self._order()
        return frozenset(ordered[1:][ordered[1:] == ordered[:-1]].tolist())

    def __contains__(self, text: str) -> bool:
        ordered = self._order()
        wanted = np.uint64(hash64(text))
        index = int(np.searchsorted(ordered, wanted))
        return index < len(ordered) and bool(ordered[index] == wanted)

    def _order(self) -> npt.NDArray[np.uint64]:
        if self._sorted is None:
            self._sorted = np.sort(np.array(self._hashes, dtype=np.uint64))
        return self._sorted
