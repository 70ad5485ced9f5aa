"""Similarity of many pairs at once, and which rows of a bucket repeat an earlier one."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.dedup import compare
from pipeline.dedup.compare import Sketches, earliest, repeats, to_pairs
from pipeline.dedup.shingles import text_hash
from tests.tables import each_row

Text = frozenset[int]

MANY = 1000
"""More than any text here has: similarity is exact."""


def sketches(texts: Sequence[Text], most: int = MANY) -> Sketches:
    values = [sorted(text)[:most] for text in texts]
    offsets = np.cumsum([0, *map(len, values)])
    return Sketches(offsets, np.array([value for text in values for value in text], dtype=np.uint64), most)


def bucketed(entries: Sequence[tuple[int, int, Text]], threshold: float = 0.8) -> dict[int, int]:
    """`repeats` of (key, row, text)."""
    keys, rows, texts = zip(*entries, strict=True)
    wholes = [text_hash(np.array(sorted(text), dtype=np.uint64)) for text in texts]
    pairs = repeats(
        np.array(keys, dtype=np.uint64), np.array(rows), np.array(wholes, dtype=np.uint64), sketches(texts), threshold
    )
    return dict(pairs.tolist())


def jaccard(left: Text, right: Text) -> float:
    return len(left & right) / len(left | right)


def numbers(first: int, last: int) -> Text:
    return frozenset(range(first, last + 1))


texts_of_any_kind = st.lists(st.frozensets(st.integers(0, 30), min_size=1, max_size=20), min_size=2, max_size=12)


@pytest.mark.parametrize("batch", [1, 7, 1 << 18])
@given(texts=texts_of_any_kind)
def test_similarity_is_exact_for_whole_sketches(batch: int, texts: list[Text]) -> None:
    left, right = np.triu_indices(len(texts))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compare, "_BATCH_VALUES", batch)
        found = sketches(texts).similarity(left, right)
    assert found.tolist() == [jaccard(texts[i], texts[j]) for i, j in zip(left, right, strict=True)]


@given(texts=texts_of_any_kind, most=st.integers(1, 8))
def test_similarity_of_cut_sketches_is_that_of_the_smallest_values_of_both(texts: list[Text], most: int) -> None:
    left, right = np.triu_indices(len(texts))
    expected = []
    for one, other in ((texts[i], texts[j]) for i, j in zip(left, right, strict=True)):
        smallest = sorted(one | other)
        if max(len(one), len(other)) >= most:
            smallest = smallest[:most]
        expected.append(sum(value in one and value in other for value in smallest) / len(smallest))
    assert sketches(texts, most).similarity(left, right).tolist() == expected


@pytest.mark.parametrize("similarity", [0.6, 0.8, 0.95])
def test_the_estimate_of_long_texts_is_near(similarity: float) -> None:
    random = np.random.default_rng(3)
    values = random.integers(0, 2**63, 20_000).tolist()
    shared = round(len(values) * similarity)
    rest = (len(values) - shared) // 2
    pair = [frozenset(values[: shared + rest]), frozenset(values[:shared] + values[shared + rest :])]
    estimate = sketches(pair, 1024).similarity(np.array([0]), np.array([1]))[0]
    assert abs(estimate - similarity) < 4 * (similarity * (1 - similarity) / 1024) ** 0.5


BASE = numbers(1, 10)

BUCKETS: dict[str, tuple[list[tuple[int, int, Text]], dict[int, int]]] = {
    "alone": ([(1, 0, BASE)], {}),
    "the same text": ([(1, 0, BASE), (1, 5, BASE), (1, 7, BASE)], {5: 0, 7: 0}),
    "similarity at the threshold": ([(1, 0, BASE), (1, 1, numbers(1, 8))], {1: 0}),
    "similarity below it": ([(1, 0, BASE), (1, 1, numbers(1, 7))], {}),
    "other buckets": ([(1, 0, BASE), (2, 1, BASE)], {}),
    "order of the rows, not of the entries": ([(1, 9, BASE), (1, 3, BASE), (1, 4, numbers(1, 8))], {9: 3, 4: 3}),
    "the earliest that is similar": (
        [(1, 0, numbers(21, 30)), (1, 1, numbers(1, 9)), (1, 2, numbers(1, 11)), (1, 3, BASE)],
        {2: 1, 3: 1},
    ),
    "the earliest of all buckets": (
        [(2, 0, numbers(1, 11)), (1, 1, numbers(1, 9)), (1, 2, BASE), (2, 2, BASE)],
        {2: 0},
    ),
    "a chain goes on from a row that repeats": (
        [(1, 0, numbers(1, 10)), (1, 1, numbers(2, 11)), (1, 2, numbers(3, 12)), (1, 3, numbers(4, 13))],
        {1: 0, 2: 1, 3: 2},
    ),
    "the same text, first seen behind a similar one": (
        [(1, 0, numbers(1, 9)), (1, 1, BASE), (1, 2, BASE)],
        {1: 0, 2: 0},
    ),
    "a row twice in one bucket": ([(1, 4, BASE), (1, 4, BASE)], {}),
}


@each_row("name", BUCKETS)
def test_repeats(name: str) -> None:
    entries, expected = BUCKETS[name]
    assert bucketed(entries) == expected
    assert bucketed(entries[::-1]) == expected


def test_a_bucket_is_compared_with_its_earliest_distinct_texts_only(monkeypatch: pytest.MonkeyPatch) -> None:
    far = [(1, row, numbers(100 * row, 100 * row + 9)) for row in range(1, 4)]
    entries = [(1, 0, BASE), *far, (1, 10, numbers(1, 8)), (1, 11, numbers(301, 309))]
    assert bucketed(entries) == {10: 0, 11: 3}
    monkeypatch.setattr(compare, "EARLIEST", 3)
    assert bucketed(entries) == {10: 0}
    assert bucketed([*entries, *((1, row, BASE) for row in range(20, 50))])[49] == 0


def test_the_same_text_many_times_costs_no_comparisons(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[int] = []
    similarity = Sketches.similarity

    def counting(self: Sketches, left: compare.Integers, right: compare.Integers) -> object:
        compared.append(len(left))
        return similarity(self, left, right)

    monkeypatch.setattr(Sketches, "similarity", counting)
    assert len(bucketed([(1, row, BASE if row % 2 else numbers(2, 11)) for row in range(5000)])) == 4999
    assert sum(compared) == 1


def test_earliest_keeps_one_pair_of_each_row() -> None:
    assert earliest(to_pairs([(5, 3), (4, 2), (5, 1), (4, 2)])).tolist() == [[4, 2], [5, 1]]
    assert earliest(to_pairs([])).shape == (0, 2)
