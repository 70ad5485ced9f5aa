"""Similarities: the geometry in closed form, and each short cut against the plain way."""

import math

import numpy as np
import pytest

from tests.tables import each_row
from voicebank.leak import (
    Blends,
    Histogram,
    nearest,
    nearest_earlier,
    nearest_other,
    pair_similarities,
    quantiles,
    similarity_to_parent,
    widest_parents,
)
from voicebank.speaker_table import blend_vectors
from voicebank.voice import Vector


def units(seed: int, count: int, width: int = 24) -> Vector:
    values = np.random.default_rng(seed).normal(size=(count, width))
    return np.asarray(values / np.linalg.norm(values, axis=1, keepdims=True), np.float32)


@pytest.mark.parametrize(
    "weight, cosine, expected",
    [
        (0.5, 0.0, math.sqrt(0.5)),
        (0.5, 1.0, 1.0),
        (0.5, 0.82, math.sqrt(0.91)),
        (0.7, 0.0, 0.7 / math.sqrt(0.58)),
        (0.3, 0.0, 0.3 / math.sqrt(0.58)),
    ],
)
def test_geometry(weight: float, cosine: float, expected: float) -> None:
    assert similarity_to_parent(weight, cosine) == pytest.approx(expected)
    a, b = np.array([1.0, 0.0]), np.array([cosine, math.sqrt(1 - cosine**2)])
    mixed = weight * a + (1 - weight) * b
    assert mixed @ a / np.linalg.norm(mixed) == pytest.approx(expected)


@each_row("weight", [0.5, 0.6, 0.7])
@each_row("limit", [0.91, 0.95, 0.97])
def test_widest_parents_is_where_the_limit_is_reached(weight: float, limit: float) -> None:
    cosine = widest_parents(weight, limit)
    assert cosine is not None and similarity_to_parent(weight, cosine) == pytest.approx(limit)
    assert similarity_to_parent(weight, cosine - 0.01) < limit < similarity_to_parent(weight, cosine + 0.01)


@pytest.mark.parametrize("weight, limit", [(0.7, 0.9), (0.6, 0.74), (0.9, 0.97)])
def test_no_parents_are_far_enough_apart_for_a_heavy_weight(weight: float, limit: float) -> None:
    assert widest_parents(weight, limit) is None
    assert min(similarity_to_parent(weight, cosine) for cosine in np.linspace(-0.99, 1, 500)) >= limit


@each_row("count", [1, 5, 1023, 1024, 1025, 2300])
def test_nearest_rows_are_those_of_the_whole_product(count: int) -> None:
    vectors, others = units(1, count), units(2, 1500)
    products = vectors @ others.T
    values, where = nearest(vectors, others)
    assert np.allclose(values, products.max(axis=1), atol=1e-6) and (where == products.argmax(axis=1)).all()
    among = vectors @ vectors.T
    np.fill_diagonal(among, -np.inf)
    assert np.allclose(nearest_other(vectors), among.max(axis=1), atol=1e-6)
    among[np.triu_indices(count)] = -np.inf
    values, where = nearest_earlier(vectors)
    assert np.allclose(values, among.max(axis=1), atol=1e-6)
    assert where[0] == -1 and (where[1:] == among.argmax(axis=1)[1:]).all()


@each_row("planted", [1, 700, 1023, 1024, 1500, 2299])
def test_a_planted_copy_is_found_wherever_it_is(planted: int) -> None:
    vectors = units(1, 2300)
    vectors[planted] = vectors[planted // 2]
    values, where = nearest_earlier(vectors)
    assert values.argmax() == planted and values[planted] == pytest.approx(1, abs=1e-6)
    assert where[planted] == planted // 2


@pytest.mark.parametrize("parents", [2, 3])
def test_blends_compare_as_their_vectors_do(parents: int) -> None:
    real, generator = units(3, 50), np.random.default_rng(4)
    rows = np.stack([generator.permutation(50)[:parents] for _ in range(2500)])
    weights = generator.dirichlet(np.ones(parents), 2500)
    vectors, lengths = blend_vectors(real, rows, weights)
    blends = Blends(2500, parents)
    for begin in range(0, 2500, 900):
        part = slice(begin, begin + 900)
        blends.add(rows[part], weights[part], lengths[part])
    probes = units(5, 30)
    assert len(blends) == 2500
    assert np.allclose(blends.nearest(real @ probes.T), (vectors @ probes.T).max(axis=0), atol=1e-6)


def test_before_the_first_blend_nothing_is_near() -> None:
    assert (Blends(5, 2).nearest(np.ones((3, 4), np.float32)) == -np.inf).all()


def test_pairs_of_a_sample() -> None:
    vectors = units(6, 40)
    assert np.allclose(np.sort(pair_similarities(vectors)), np.sort((vectors @ vectors.T)[np.triu_indices(40, 1)]))
    assert len(pair_similarities(vectors, at_most=10)) == 45


def test_histogram_quantiles_are_right_to_a_bin() -> None:
    values = np.random.default_rng(7).uniform(-1, 1, 5000)
    histogram = Histogram.empty()
    for part in np.split(values, 10):
        histogram.add(part)
    for share in (0.05, 0.5, 0.95):
        assert histogram.quantile(share) == pytest.approx(np.quantile(values, share), abs=0.003)
    assert math.isnan(Histogram.empty().quantile(0.5))


def test_quantiles_leave_out_what_is_no_number() -> None:
    found = quantiles([-np.inf, 0.1, 0.2, 0.3])
    assert found is not None and (found["min"], found["q50"], found["max"]) == (0.1, 0.2, 0.3)
    assert quantiles([-np.inf]) is None
