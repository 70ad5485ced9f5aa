"""Compute the band keys of MinHash signatures (locality-sensitive hashing): similar texts share a key in some band.

A signature consists of `num_perm` minima over the shingle hashes, and is cut into `count` bands of `rows` values. Two
texts of similarity s agree in all values of a given band with probability s**rows, and in at least one band with
probability 1 - (1 - s**rows)**count.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from manifests.libraries import extra, library
from pipeline.dedup.settings import DedupSettings
from pipeline.dedup.shingles import NORMALIZER, Hashes

# The weights of a false and of a missed candidate when datasketch chooses the bands. Candidates are compared exactly
# afterwards, so a false one costs only time. By the formula above, 128 hash functions and the threshold 0.8 give 17
# bands of 7: 98.2 % of the pairs at the threshold itself and 99.998 % at 0.9 become candidates. Equal weights would
# give 9 bands of 13: 39.9 % and 92.9 %.
_WEIGHTS = (0.02, 0.98)

_SEED = 20_240_229


@dataclass(frozen=True)
class Bands:
    """`count` bands of `rows` values each, cut from a signature of `num_perm` values."""

    num_perm: int
    count: int
    rows: int

    def recall(self, similarity: float) -> float:
        """Return the probability that two texts of the given similarity share a key."""
        return float(1 - (1 - similarity**self.rows) ** self.count)


def version() -> str:
    """Return the versions of what decides which texts are compared. Raises EngineUnavailable without datasketch."""
    return f"datasketch {_datasketch().__version__}, {NORMALIZER}"


def choose_bands(settings: DedupSettings) -> Bands:
    """Choose the bands for the recipe's threshold. Raises EngineUnavailable without datasketch."""
    lsh = _datasketch().MinHashLSH
    try:
        chosen = lsh(settings.threshold, settings.num_perm, weights=_WEIGHTS)
    except ValueError:
        # The threshold is 1 or nearly so: the optimum is one band, which datasketch refuses. Two miss fewer pairs.
        return Bands(settings.num_perm, 2, settings.num_perm // 2)
    return Bands(settings.num_perm, chosen.b, chosen.r)


def band_keys(texts: Iterable[Hashes], bands: Bands) -> Hashes:
    """Return the keys, uint64 [texts, bands.count]. No text may be empty; the keys of two bands are unrelated."""
    minhash = _datasketch().MinHash(bands.num_perm, scheme="affine64", hashfunc=_as_it_is)
    signatures = []
    for hashes in texts:
        minhash.clear()
        minhash.update_batch(hashes.tolist())
        signatures.append(minhash.hashvalues[: bands.count * bands.rows])
    values = np.array(signatures, dtype=np.uint64).reshape(-1, bands.count, bands.rows)
    keys: Hashes = (values * _coefficients(bands)).sum(axis=2, dtype=np.uint64)
    return keys


@cache
def _coefficients(bands: Bands) -> npt.NDArray[np.uint64]:
    """Draw odd random factors: the sum of products modulo 2**64 is a key that unequal bands do not share by chance.

    Uses the legacy generator, since numpy promises that its numbers never change.
    """
    random = np.random.RandomState(_SEED)
    return random.randint(0, 2**63, (bands.count, bands.rows), dtype=np.uint64) * np.uint64(2) + np.uint64(1)


def _as_it_is(value: int) -> int:
    return value


def _datasketch() -> Any:
    return library("datasketch", "dedup", extra("llm"))
