"""`reference_embeddings.parquet`: what is written is read, and another file is refused with a sentence."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from manifests.errors import CorpusError
from manifests.storage import open_place
from voicebank.reference_embeddings import (
    REFERENCE_EMBEDDINGS_FILE,
    Origin,
    read_origin,
    read_reference_embeddings,
    write_reference_embeddings,
)

ORIGIN = Origin("resemblyzer", "0.1.4", "abc", {"flite": "2.2"})
VECTORS = {"v1": np.array([0.6, 0.8], np.float32), "v0": np.array([1, 0], np.float32)}


def test_what_is_written_is_read(tmp_path: Path) -> None:
    place = open_place(tmp_path)
    assert read_origin(place) is None
    write_reference_embeddings(place, ORIGIN, VECTORS)
    found = read_reference_embeddings(place)
    assert read_origin(place) == ORIGIN
    assert list(found) == ["v1", "v0"] and all(np.array_equal(found[name], VECTORS[name]) for name in VECTORS)
    before = (tmp_path / REFERENCE_EMBEDDINGS_FILE).read_bytes()
    write_reference_embeddings(place, ORIGIN, VECTORS)
    assert (tmp_path / REFERENCE_EMBEDDINGS_FILE).read_bytes() == before


@pytest.mark.parametrize(
    "vector", [[2, 0], [np.nan, 0], [1, 0, 0]], ids=["not of length 1", "nan", "of another width"]
)
def test_no_bad_vector_is_written(vector: list[float], tmp_path: Path) -> None:
    with pytest.raises(ValueError):
        write_reference_embeddings(open_place(tmp_path), ORIGIN, VECTORS | {"v2": np.array(vector, np.float32)})
    assert not (tmp_path / REFERENCE_EMBEDDINGS_FILE).exists()


def _no_origin(path: Path) -> None:
    pq.write_table(pa.table({"voice_id": ["v1"]}), path)


def _no_vectors(path: Path) -> None:
    write_reference_embeddings(open_place(path.parent), ORIGIN, VECTORS)
    table = pq.read_table(path)
    pq.write_table(table.select(["voice_id"]), path)


def _cut(path: Path) -> None:
    write_reference_embeddings(open_place(path.parent), ORIGIN, VECTORS)
    path.write_bytes(path.read_bytes()[:-20])


def _long_vector(path: Path) -> None:
    write_reference_embeddings(open_place(path.parent), ORIGIN, VECTORS)
    table = pq.read_table(path)
    twice = pa.FixedSizeListArray.from_arrays(pa.array([2.0, 0, 2, 0], pa.float32()), 2)
    pq.write_table(table.set_column(1, "reference_embedding", twice), path)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (_no_origin, "does not say where its reference embeddings come from"),
        (_no_vectors, "reference_embedding is missing"),
        (_cut, "damaged, or not a Parquet file"),
        (_long_vector, "of length 2, not 1"),
    ],
)
def test_another_file_is_refused(spoil: object, message: str, tmp_path: Path) -> None:
    spoil(tmp_path / REFERENCE_EMBEDDINGS_FILE)  # type: ignore[operator]
    with pytest.raises(CorpusError, match=message) as error:
        read_origin(open_place(tmp_path))
        read_reference_embeddings(open_place(tmp_path))
    assert str(tmp_path.parent) not in str(error.value)
