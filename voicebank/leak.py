"""Measures how near voices come to real people and to each other: cosine similarity of x-vectors.

Geometry. Let two parents be at cosine c, and the voice their average with weights w and 1 - w. Its length before it
is scaled is sqrt(w^2 + (1-w)^2 + 2w(1-w)c), and its cosine to the first parent is (w + (1-w)c) divided by that length
(`similarity_to_parent`). In the middle that is sqrt((1+c)/2): a voice between two people whom an encoder takes to be
alike stays like both, and only parents further apart than `widest_parents` make a voice that belongs to neither.

Similarities of blends need no x-vectors of the blends: an average is linear, so its similarity to anything is the
weighted average of its parents' similarities, divided by that length. `Blends` keeps only parents and weights, a few
bytes a voice, and compares in a third of the time of a matrix product over 512 dimensions.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from voicebank.speaker_table import Matrix, Rows, Weights

Values = npt.NDArray[np.float32]

TOLERANCE = 1e-5
"""Largest difference that float32 rounding may make between two ways of computing a similarity; measured: below 1e-6
at 512 dimensions."""

QUANTILES = (0.0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1.0)
_BLOCK = 1024


def similarity_to_parent(weight: float, cosine: float) -> float:
    """Cosine between a two-parent average and the parent with that weight, the parents being at `cosine`."""
    rest = 1 - weight
    return (weight + rest * cosine) / math.sqrt(weight**2 + rest**2 + 2 * weight * rest * cosine)


def widest_parents(weight: float, limit: float) -> float | None:
    """Return the largest cosine between two parents whose average stays below `limit` to the heavier one, which has
    `weight`.

    None where even the most distant parents make too similar an average. The similarity is smallest at a cosine of
    -(1-w)/w and grows from there up to 1; below that it falls, but no two speakers are that opposite.
    """
    low, high = (weight - 1) / weight + 1e-9, 1.0
    if similarity_to_parent(weight, low) >= limit:
        return None
    for _ in range(60):  # halved until float64 has no more digits
        middle = (low + high) / 2
        low, high = (low, middle) if similarity_to_parent(weight, middle) >= limit else (middle, high)
    return low


def nearest(vectors: Matrix, others: Matrix) -> tuple[Values, Rows]:
    """Find the nearest row of `others` [M, D] for each row of `vectors` [N, D]: cosines [N], and row numbers [N]."""
    best = np.full(len(vectors), -np.inf, np.float32)
    where = np.full(len(vectors), -1, np.int64)
    for begin in range(0, len(others), _BLOCK):
        products = vectors @ others[begin : begin + _BLOCK].T
        columns = products.argmax(axis=1)
        values = products[np.arange(len(vectors)), columns]
        better = values > best
        best[better], where[better] = values[better], columns[better] + begin
    return best, where


def nearest_earlier(vectors: Matrix) -> tuple[Values, Rows]:
    """Find the nearest *earlier* row of each row: cosines and row numbers, -inf and -1 for the first row.

    Exact, computed in blocks.
    """
    best = np.full(len(vectors), -np.inf, np.float32)
    where = np.full(len(vectors), -1, np.int64)
    for begin in range(0, len(vectors), _BLOCK):
        block = vectors[begin : begin + _BLOCK]
        values, rows = nearest(block, vectors[:begin])
        inside = block @ block.T
        inside[np.triu_indices(len(block))] = -np.inf
        columns = inside.argmax(axis=1)
        own = inside[np.arange(len(block)), columns]
        rows[own > values] = columns[own > values] + begin
        best[begin : begin + _BLOCK], where[begin : begin + _BLOCK] = np.maximum(values, own), rows
    return best, where


def nearest_other(vectors: Matrix) -> Values:
    """Return the largest cosine of each row to any other row; -inf where there is one row alone."""
    best = np.full(len(vectors), -np.inf, np.float32)
    for begin in range(0, len(vectors), _BLOCK):
        products = vectors[begin : begin + _BLOCK] @ vectors.T
        rows = np.arange(len(products))
        products[rows, rows + begin] = -np.inf
        best[begin : begin + _BLOCK] = products.max(axis=1)
    return best


def pair_similarities(vectors: Matrix, at_most: int = 1000) -> Values:
    """Cosines of all pairs of different rows, [n (n - 1) / 2], among at most `at_most` rows spread evenly."""
    chosen = vectors[np.unique(np.linspace(0, len(vectors) - 1, min(at_most, len(vectors))).astype(np.int64))]
    pairs: Values = (chosen @ chosen.T)[np.triu_indices(len(chosen), 1)]
    return pairs


class Blends:
    """Keeps up to `capacity` blends, as parents and weights, to compare new ones with."""

    def __init__(self, capacity: int, parents: int) -> None:
        self._parents = np.zeros((capacity, parents), np.int32)
        self._factors = np.zeros((capacity, parents), np.float32)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, parents: Rows, weights: Weights, lengths: Weights) -> None:
        """Add N blends: their parents and weights [N, K], and their lengths before scaling [N]."""
        end = self._count + len(parents)
        self._parents[self._count : end] = parents
        self._factors[self._count : end] = weights / lengths[:, None]
        self._count = end

    def nearest(self, similarities: Values) -> Values:
        """Return the largest cosine of each of N vectors to any blend so far, [N].

        `similarities` are the cosines of the vectors to every speaker, [speakers, N].
        """
        best = np.full(similarities.shape[1], -np.inf, np.float32)
        for begin in range(0, self._count, _BLOCK):
            end = min(begin + _BLOCK, self._count)
            products = average_rows(similarities, self._parents[begin:end], self._factors[begin:end])
            np.maximum(best, products.max(axis=0), out=best)
        return best


def average_rows(rows: Values, parents: npt.NDArray[np.integer], factors: Values) -> Values:
    """Weighted sums of rows: [N, M] from `rows` [P, M], with `parents` and `factors` [N, K]."""
    total: Values = rows[parents[:, 0]]
    total *= factors[:, 0, None]
    for column in range(1, parents.shape[1]):
        part = rows[parents[:, column]]
        part *= factors[:, column, None]
        total += part
    return total


@dataclass
class Histogram:
    """Counts similarities in bins of 0.001 from -1 to 1, in the same memory however many there are."""

    counts: npt.NDArray[np.int64]

    @classmethod
    def empty(cls) -> "Histogram":
        return cls(np.zeros(2001, np.int64))

    def add(self, values: npt.ArrayLike) -> None:
        bins = np.floor((np.clip(np.asarray(values, np.float64), -1, 1) + 1) * 1000).astype(np.int64)
        np.add.at(self.counts, bins, 1)

    def quantile(self, share: float) -> float:
        """Return the value that a share of the similarities reaches, to 0.001; NaN where nothing was counted."""
        if not self.counts.any():
            return math.nan
        ranks = np.cumsum(self.counts)
        return float(np.searchsorted(ranks, max(1, math.ceil(share * ranks[-1])))) / 1000 - 1

    def bars(self) -> Iterator[tuple[float, int]]:
        """Yield the left edge and the count of each bin that is not empty."""
        for index in np.flatnonzero(self.counts):
            yield float(index) / 1000 - 1, int(self.counts[index])


def quantiles(values: npt.ArrayLike) -> dict[str, float] | None:
    """Quantiles of the finite values by name ("min", "q01", ..., "q50", ..., "max"); None where no value is finite."""
    known = np.asarray(values, np.float64).ravel()
    known = known[np.isfinite(known)]
    if not known.size:
        return None
    names = ["min", *(f"q{round(100 * share):02d}" for share in QUANTILES[1:-1]), "max"]
    return dict(zip(names, (round(float(v), 6) for v in np.quantile(known, QUANTILES)), strict=True))
