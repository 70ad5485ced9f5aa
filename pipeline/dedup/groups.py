"""Group the rows of a finished corpus that ask nearly the same.

Unlike the index (`build_index`), which names the earliest row that a row repeats, groups must hold every similar pair:
two rows that resemble a third one but not each other are in one group. They are what a split may not cut.

In memory: 8 bytes for each band and each shingle of a text, some 300 bytes a row.
"""

from collections.abc import Iterable, Sequence

import numpy as np

from pipeline.dedup.bands import band_keys, choose_bands
from pipeline.dedup.compare import Integers, Sketches
from pipeline.dedup.settings import DedupSettings
from pipeline.dedup.shingles import Hashes, text_hash

MOST_COMPARED = 64
"""Different texts under one key that are compared, each with each. More of them are one group unseen: to keep too much
together is the careful side."""

_BATCH = 4096


def similar_pairs(texts: Iterable[Hashes], settings: DedupSettings) -> Integers:
    """Return pairs of texts, by their numbers from 0, that chain all texts of a group together: int64 [n, 2].

    `texts` has the shingle hashes of each text; empty ones resemble nothing. Similar means a Jaccard similarity of
    the shingles, computed exactly, of at least the threshold. Pairs of lower similarity than 1 are missed with the
    probability that `choose_bands` allows. Raises EngineUnavailable without datasketch.
    """
    first: dict[int, int] = {}
    same: list[tuple[int, int]] = []
    kept: list[Hashes] = []
    numbers: list[int] = []
    keys = [band_keys([], bands := choose_bands(settings))]
    waiting: list[Hashes] = []
    for number, hashes in enumerate(texts):
        if not len(hashes):
            continue
        earlier = first.setdefault(text_hash(hashes), number)
        if earlier != number:
            same.append((number, earlier))
            continue
        numbers.append(number)
        waiting.append(hashes)
        if len(waiting) == _BATCH:
            keys.append(band_keys(waiting, bands))
            kept += waiting
            waiting = []
    keys.append(band_keys(waiting, bands))
    kept += waiting
    found = _similar(np.concatenate(keys), kept, settings.threshold)
    return np.concatenate([np.array(numbers, dtype=np.int64)[found], np.array(same, dtype=np.int64).reshape(-1, 2)])


def _similar(keys: Hashes, texts: Sequence[Hashes], threshold: float) -> Integers:
    """Return the similar pairs of different texts, and pairs that chain the texts of an overfull bucket."""
    chained, candidates = [_NONE], [_NONE]
    for band in range(keys.shape[1]):
        many, few = _bucket_pairs(keys[:, band])
        chained.append(many)
        candidates.append(few)
    pairs = np.unique(np.concatenate(candidates), axis=0)
    lengths = np.array([len(text) for text in texts], dtype=np.int64)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    values = np.concatenate([np.empty(0, dtype=np.uint64), *texts])
    sketches = Sketches(offsets, values, int(lengths.max(initial=0)) + 1)
    shorter, longer = np.minimum(*lengths[pairs.T]), np.maximum(*lengths[pairs.T])
    pairs = pairs[shorter >= threshold * longer]
    if len(pairs):
        pairs = pairs[sketches.similarity(pairs[:, 0], pairs[:, 1]) >= threshold]
    return np.concatenate([pairs, *chained])


_NONE: Integers = np.empty((0, 2), dtype=np.int64)


def _bucket_pairs(keys: Hashes) -> tuple[Integers, Integers]:
    """Return the pairs that chain the overfull buckets of one band, and all pairs of the others."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]])) if len(keys) else np.empty(0, int)
    sizes = np.diff(np.append(starts, len(keys)))
    size_of = np.repeat(sizes, sizes)
    overfull = size_of > MOST_COMPARED
    chained = np.stack([order[np.repeat(starts, sizes)][overfull], order[overfull]], axis=1)
    pairs = [_NONE]
    for step in range(1, int(min(sizes.max(initial=0), MOST_COMPARED))):
        is_pair = (ordered[step:] == ordered[:-step]) & ~overfull[step:]
        pairs.append(np.sort(np.stack([order[:-step][is_pair], order[step:][is_pair]], axis=1), axis=1))
    return chained.astype(np.int64), np.concatenate(pairs).astype(np.int64)
