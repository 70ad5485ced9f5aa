"""Find the rows of a set of buckets that repeat an earlier row.

A bucket is the set of rows that share a band key. Its rows with the same sketch count as one text, that of the
earliest row; each distinct text is compared with at most the first `EARLIEST` distinct texts of its bucket, so that
the cost of a bucket grows with its size and not with its square. All buckets are compared at once, in numpy.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.dedup.shingles import Hashes

EARLIEST = 64

# Values that are compared at once; each needs some ten times 8 bytes of memory.
_BATCH_VALUES = 1 << 18

Integers = npt.NDArray[np.int64]

Pairs = npt.NDArray[np.int64]
"""int64 [n, 2]: a row, and an earlier row that it repeats."""

NO_PAIRS: Pairs = np.empty((0, 2), dtype=np.int64)


def to_pairs(pairs: Sequence[tuple[int, int]]) -> Pairs:
    """Make an array of pairs; no pairs give the shape [0, 2]."""
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)


@dataclass(frozen=True)
class Sketches:
    """The smallest shingle hashes of each text: sorted, and at most `most` of them.

    Those of text i are `values[offsets[i]:offsets[i + 1]]`. With fewer than `most` they are all hashes of the text,
    and `similarity` is exact. Otherwise it is estimated by the `most` smallest hashes of both texts together (Beyer et
    al., "On Synopses for Distinct-Value Estimation under Multiset Operations", 2007), with a standard deviation of
    sqrt(s (1 - s) / most).
    """

    offsets: Integers
    values: Hashes
    most: int

    def similarity(self, left: Integers, right: Integers) -> npt.NDArray[np.float64]:
        """Return the Jaccard similarity of the texts left[i] and right[i], for each i."""
        lengths = np.diff(self.offsets)
        sizes = lengths[left] + lengths[right]
        ends = np.cumsum(sizes)
        cuts = np.searchsorted(ends, np.arange(_BATCH_VALUES, ends[-1] if len(ends) else 0, _BATCH_VALUES)) + 1
        parts = zip(np.split(left, cuts), np.split(right, cuts), strict=True)
        return np.concatenate([self._similarity(*part) for part in parts])

    def _similarity(self, left: Integers, right: Integers) -> npt.NDArray[np.float64]:
        lengths = np.diff(self.offsets)
        pair, value = self._pooled(left, right)
        order = np.lexsort((value, pair))
        pair, value = pair[order], value[order]
        is_new = np.ones(len(pair), dtype=bool)
        is_new[1:] = (pair[1:] != pair[:-1]) | (value[1:] != value[:-1])
        distinct = np.bincount(pair[is_new], minlength=len(left))
        rank = np.cumsum(is_new) - (np.cumsum(distinct) - distinct)[pair]
        is_cut = np.maximum(lengths[left], lengths[right]) >= self.most
        limit = np.where(is_cut, self.most, np.iinfo(np.int64).max)
        shared = np.bincount(pair[~is_new & (rank <= limit[pair])], minlength=len(left))
        return np.asarray(shared / np.minimum(distinct, limit), dtype=np.float64)

    def _pooled(self, left: Integers, right: Integers) -> tuple[Integers, Hashes]:
        """Return the values of both texts of every pair, preceded by the pair's number for each value."""
        texts = np.concatenate([left, right])
        lengths = np.diff(self.offsets)[texts]
        begins = np.cumsum(lengths) - lengths
        places = np.arange(lengths.sum()) + np.repeat(self.offsets[texts] - begins, lengths)
        pairs = np.concatenate([np.arange(len(left)), np.arange(len(right))])
        return np.repeat(pairs, lengths), self.values[places]


def repeats(keys: Hashes, rows: Integers, wholes: Hashes, sketches: Sketches, threshold: float) -> Pairs:
    """Pair each row that repeats an earlier row of one of its buckets with the earliest such row.

    Entry i says that row rows[i], with the sketch sketches[i] and the text_hash wholes[i], is in bucket keys[i].
    """
    leaders = _leaders(keys, rows, wholes)
    texts = np.unique(leaders)
    texts = texts[np.lexsort((rows[texts], keys[texts]))]
    earlier = np.full(len(rows), -1, dtype=np.int64)
    earlier[texts] = _earliest_similar(keys[texts], rows[texts], texts, sketches, threshold)
    found = earlier[leaders]
    found = np.where((found < 0) & (leaders != np.arange(len(rows))), rows[leaders], found)
    # Two bands of one row may fall into one bucket by chance, but a row does not repeat itself.
    is_repeat = (found >= 0) & (found < rows)
    return earliest(np.stack([rows[is_repeat], found[is_repeat]], axis=1))


def earliest(pairs: Pairs) -> Pairs:
    """Keep, for each row, the pair with the earliest other row; sort by row."""
    ordered = pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]
    is_first = np.ones(len(ordered), dtype=bool)
    is_first[1:] = ordered[1:, 0] != ordered[:-1, 0]
    return ordered[is_first]


def _leaders(keys: Hashes, rows: Integers, wholes: Hashes) -> Integers:
    """Return, for each entry, the entry of the earliest row with the same text in the same bucket."""
    order = np.lexsort((rows, wholes, keys))
    is_first = np.ones(len(order), dtype=bool)
    is_first[1:] = (keys[order][1:] != keys[order][:-1]) | (wholes[order][1:] != wholes[order][:-1])
    leaders = np.empty(len(order), dtype=np.int64)
    leaders[order] = order[is_first][np.cumsum(is_first) - 1]
    return leaders


def _earliest_similar(keys: Hashes, rows: Integers, texts: Integers, sketches: Sketches, threshold: float) -> Integers:
    """Return, for each distinct text (sorted by bucket and row), the row of the earliest similar text, or -1."""
    found = np.full(len(keys), -1, dtype=np.int64)
    numbers = np.arange(len(keys))
    is_first = np.ones(len(keys), dtype=bool)
    is_first[1:] = keys[1:] != keys[:-1]
    starts = np.maximum.accumulate(np.where(is_first, numbers, 0))
    active = numbers
    for place in range(EARLIEST):
        active = active[active - starts[active] > place]
        if not len(active):
            break
        others = starts[active] + place
        is_similar = _are_similar(texts[others], texts[active], sketches, threshold)
        found[active[is_similar]] = rows[others[is_similar]]
        active = active[~is_similar]
    return found


def _are_similar(left: Integers, right: Integers, sketches: Sketches, threshold: float) -> npt.NDArray[np.bool_]:
    """Whether each pair reaches the threshold; pairs whose lengths rule that out are not compared."""
    lengths = np.diff(sketches.offsets)
    shorter, longer = np.minimum(lengths[left], lengths[right]), np.maximum(lengths[left], lengths[right])
    result = shorter / longer >= threshold
    result[result] = sketches.similarity(left[result], right[result]) >= threshold
    return np.asarray(result, dtype=np.bool_)
