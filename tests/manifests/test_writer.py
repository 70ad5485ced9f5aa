"""Writing a corpus: bounded shards, honest counts, and no one else's directory."""

import pickle
import tracemalloc
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import fs as pafs

from manifests import shards
from manifests.corpus import Corpus
from manifests.errors import LawBroken, ResumeRefused
from manifests.manifest import load_manifest
from manifests.shards import read_shard
from manifests.stats import stats
from manifests.storage import Place, open_place
from manifests.validate import validate
from manifests.writer import CorpusWriter
from parley.testing.corpora import make_corpus, make_corpus_at, make_failed, make_kept, make_rejected, make_rows


def _pack(where: Path, rows, **limits):
    with CorpusWriter(open_place(where), **limits) as writer:
        for dialogue in rows:
            writer.write(dialogue)
    return writer.packed


def _files(where: Path) -> dict[str, bytes]:
    return {str(path.relative_to(where)): path.read_bytes() for path in where.rglob("*") if path.is_file()}


def test_each_status_has_its_shards_and_keeps_its_order(tmp_path):
    rows = [make_kept(0), make_rejected(1), make_kept(2), make_failed(3), make_kept(4)]
    packed = _pack(tmp_path, rows, max_rows=2)
    paths = {status: [shard.path for shard in shards] for status, shards in packed.shards.items()}
    assert paths == {
        "kept": ["shards/kept-00000.parquet", "shards/kept-00001.parquet"],
        "rejected": ["shards/rejected-00000.parquet"],
        "failed": ["shards/failed-00000.parquet"],
    }
    assert sorted(_files(tmp_path)) == sorted(path for names in paths.values() for path in names)
    kept = [row for path in paths["kept"] for group in read_shard(open_place(tmp_path / path)) for row in group]
    assert kept == [rows[0], rows[2], rows[4]]


def test_shards_are_bounded_by_bytes(tmp_path):
    shards = _pack(tmp_path, [make_kept(i, num_samples=16_000) for i in range(5)], max_bytes=150_000).shards
    assert [shard.rows for shard in shards["kept"]] == [3, 2]


def test_the_same_rows_give_the_same_files(tmp_path):
    assert _pack(tmp_path / "a", make_rows()) == _pack(tmp_path / "b", iter(make_rows()))
    assert _files(tmp_path / "a") == _files(tmp_path / "b")


def test_an_empty_corpus(tmp_path):
    packed = _pack(tmp_path, [])
    assert packed.shards == {} and packed.counts.input_rows == 0 and _files(tmp_path) == {}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"status": "live"}, "the status is live"),
        ({"reason": "code"}, "kept, with the reason code"),
        ({"status": "rejected"}, "rejected, with the reason None, which is not in the list"),
        ({"status": "failed", "reason": "bad luck"}, "failed, with the reason bad luck, which is not in the list"),
        ({"status": "failed", "reason": "code"}, "failed, but code is a reason for rejected"),
    ],
)
def test_rows_without_a_proper_end_are_our_bug(tmp_path, changes, message):
    with pytest.raises(LawBroken, match=f"made-00000000 cannot be packed: {message}$"):
        _pack(tmp_path, [replace(make_kept(), **changes)])


def test_an_error_leaves_no_open_shard(tmp_path):
    with pytest.raises(RuntimeError), CorpusWriter(open_place(tmp_path), max_rows=2) as writer:
        for dialogue in [make_kept(0), make_kept(1), make_kept(2), make_failed(3)]:
            writer.write(dialogue)
        raise RuntimeError
    assert list(_files(tmp_path)) == ["shards/kept-00000.parquet"]
    assert [shard.rows for shard in writer.packed.shards["kept"]] == [2]


def test_what_a_killed_writer_left_is_cleared(tmp_path):
    _pack(tmp_path, make_rows(), max_rows=1)
    (tmp_path / "shards" / ".tmp-1234-kept-00009.parquet").write_bytes(b"half")
    (tmp_path / "metadata.json").write_text("[]")
    packed = _pack(tmp_path, [make_kept()])
    assert sorted(_files(tmp_path)) == ["metadata.json", "shards/kept-00000.parquet"]
    assert packed.counts.input_rows == 1


@pytest.mark.parametrize(
    "foreign", ["thesis.tex", "metadata.json", "shards/notes.txt", "shards/kept-0.parquet", "units/0.parquet"]
)
def test_a_directory_with_something_else_is_refused(tmp_path, foreign):
    (tmp_path / foreign).parent.mkdir(exist_ok=True)
    (tmp_path / foreign).write_text("mine")
    before = _files(tmp_path)
    shown = foreign if foreign.startswith("shards") else foreign.split("/")[0]
    with pytest.raises(ResumeRefused, match=rf"is not empty: it holds {shown}; choose another directory$"):
        CorpusWriter(open_place(tmp_path))
    assert _files(tmp_path) == before


def test_what_is_named_may_stand_beside(tmp_path):
    (tmp_path / "units").mkdir()
    assert _pack(tmp_path, make_rows(), beside={"units"}).counts.input_rows == 11


def test_a_finished_corpus_is_refused(tmp_path):
    place = make_corpus(tmp_path, make_rows())
    with pytest.raises(ResumeRefused, match="already holds a finished corpus"):
        CorpusWriter(place)
    assert load_manifest(place).counts.input_rows == 11


def test_memory_is_flat(tmp_path, monkeypatch):
    monkeypatch.setattr(shards, "ROW_GROUP_BYTES", 2**18)
    before, arrow_peak = pa.total_allocated_bytes(), 0
    tracemalloc.start()
    with CorpusWriter(open_place(tmp_path)) as writer:
        for number in range(150):
            writer.write(make_kept(number, num_samples=16_000))
            arrow_peak = max(arrow_peak, pa.total_allocated_bytes() - before)
    python_peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert writer.packed.shards["kept"][0].bytes > 9_000_000
    assert max(python_peak, arrow_peak) < 2_000_000


def test_a_filesystem_that_is_not_local(tmp_path):
    """An object store in all but name: no path of the machine, no fsync, no rename."""
    store = Place(pafs.SubTreeFileSystem(str(tmp_path), pafs.LocalFileSystem()), "bucket/corpus")
    assert not store.is_local
    make_corpus_at(store, make_rows(), clips=True)
    assert validate(store, deep=True).problems == ()
    corpus = pickle.loads(pickle.dumps(Corpus(store)))
    assert corpus[-1] == list(corpus)[-1]
    assert stats(store)["rows"]["input"] == 11
