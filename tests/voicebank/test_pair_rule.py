"""The pair rule, counted by hand and against every pair written out."""

import numpy as np
import pytest

from tests.tables import each_row
from voicebank import pair_rule as pairs
from voicebank.pair_rule import all_pairs, is_one_person, min_pairs, rule_problem, similar_pairs
from voicebank.voice import Vector


def at(*degrees: float) -> Vector:
    """Unit vectors in the plane."""
    angles = np.radians(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


@each_row(
    ("vectors", "threshold", "similar"),
    [
        pytest.param(at(0, 10, 20), 0.9, 3, id="all alike"),
        pytest.param(at(0, 10, 90), 0.9, 1, id="one pair"),
        pytest.param(at(0, 10, 90, 100), 0.9, 2, id="two people: within each of them"),
        pytest.param(at(0, 90, 180), 0.9, 0, id="none"),
        pytest.param(at(0, 180), -0.9999, 0, id="opposite"),
        pytest.param(at(0), 0.9, 0, id="one clip has no pair"),
    ],
)
def test_similar_pairs(vectors: Vector, threshold: float, similar: int) -> None:
    assert similar_pairs(vectors, threshold) == similar


def test_above_means_above() -> None:
    """A pair that is at the threshold to the bit is not alike: the paper says > 0.97."""
    half = np.array([[1, 0], [0.5, np.sqrt(0.75)]])
    assert similar_pairs(half, 0.5) == 0
    assert similar_pairs(half, np.nextafter(0.5, 0)) == 1


@pytest.mark.parametrize("block", [1, 2, 3, 7, 50, 4096])
def test_blocks_count_every_pair_once(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pairs, "_BLOCK", block)
    random = np.random.default_rng(7)
    vectors = random.normal(size=(50, 3))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    expected = sum(float(vectors[i] @ vectors[j]) > 0.3 for i in range(50) for j in range(i))
    assert similar_pairs(vectors, 0.3) == expected


@each_row(
    ("rule", "n", "needed"),
    [
        ("floor(n/2)", 10, 5),
        ("floor(n/2)", 11, 5),
        ("floor(n/2)", 2, 1),
        ("12", 10, 12),
        ("0", 10, 0),
        ("0.6*pairs", 10, 27),
        ("0.61*pairs", 10, 28),
        ("0.1*pairs", 10, 5),  # 4.5, rounded up
        ("0.7*pairs", 5, 7),  # exactly 7: no dust of binary fractions
        ("1*pairs", 10, 45),
    ],
)
def test_min_pairs(rule: str, n: int, needed: int) -> None:
    assert rule_problem(rule) is None
    assert min_pairs(rule, n) == needed


@each_row("rule", ["", "floor(2n)", "n", "-3", "1.5", "1.2*pairs", "half", "٣", "0.5 * pairs", "5\n"])
def test_a_rule_that_is_none(rule: str) -> None:
    assert rule_problem(rule)
    with pytest.raises(ValueError, match="pairs"):
        min_pairs(rule, 10)


@each_row(
    ("similar", "n", "rule", "one"),
    [
        (5, 10, "floor(n/2)", True),
        (4, 10, "floor(n/2)", False),
        (20, 10, "0.6*pairs", False),  # two people, five clips each
        (45, 10, "0.6*pairs", True),
        (0, 1, "floor(n/2)", False),
        (0, 0, "0", False),
    ],
)
def test_is_one_person(similar: int, n: int, rule: str, one: bool) -> None:
    assert is_one_person(similar, n, rule) is one


def test_all_pairs() -> None:
    assert [all_pairs(n) for n in (0, 1, 2, 10)] == [0, 0, 1, 45]
