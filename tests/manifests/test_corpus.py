"""Reading a corpus as training code does."""

import multiprocessing
import pickle
import tracemalloc
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from manifests import shards
from manifests.corpus import Corpus, decode
from manifests.errors import CorpusError, UserError
from parley.testing.corpora import make_corpus, make_kept, make_rows

KEPT, REJECTED, FAILED = 10, 3, 2
ROWS = make_rows(KEPT, REJECTED, FAILED)


@pytest.fixture(scope="module")
def where(tmp_path_factory):
    """Ten kept rows in shards of 4, 4 and 2, in row groups of at most 3."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shards, "ROW_GROUP_ROWS", 3)
        return make_corpus(tmp_path_factory.mktemp("corpus"), ROWS).path


@pytest.mark.parametrize(
    ("status", "rows"),
    [("kept", ROWS[:KEPT]), ("rejected", ROWS[KEPT : KEPT + REJECTED]), ("failed", ROWS[KEPT + REJECTED :])],
)
def test_all_statuses_read_the_same_way(where, status, rows):
    corpus = Corpus(where, status=status)
    assert len(corpus) == len(rows)
    assert list(corpus) == rows
    assert [corpus[i] for i in range(len(rows))] == rows


@pytest.mark.parametrize("index", [0, 2, 3, 4, 7, 9, -1, -10, np.int64(5)])
def test_random_access(where, index):
    assert Corpus(where)[index] == ROWS[:KEPT][index]


@pytest.mark.parametrize("index", [10, -11])
def test_out_of_range(where, index):
    with pytest.raises(IndexError):
        Corpus(where)[index]


@pytest.mark.parametrize("cut", [slice(2, 5), slice(3), slice(-4, None), slice(5, 2), slice(None), slice(8, 99)])
def test_views(where, cut):
    view = Corpus(where)[cut]
    rows = ROWS[:KEPT][cut]
    assert (len(view), list(view), [view[i] for i in range(len(view))]) == (len(rows), rows, rows)
    assert list(view[1:]) == rows[1:]
    batches = list(view.select(["dialogue_id"]))
    assert [i for batch in batches for i in batch["dialogue_id"].to_pylist()] == [row.dialogue_id for row in rows]


def test_parts_for_workers_cover_the_corpus_once(where):
    corpus = Corpus(where)
    parts = [list(corpus[len(corpus) * i // 3 : len(corpus) * (i + 1) // 3]) for i in range(3)]
    assert [row for part in parts for row in part] == ROWS[:KEPT]


def test_a_view_has_step_one(where):
    with pytest.raises(UserError, match="step 1"):
        Corpus(where)[::2]


def test_columns(where):
    batches = list(Corpus(where).select(["turns.text", "turns.take.audio.num_samples", "dialogue_id"]))
    first = batches[0].to_pylist()[0]
    turns = [{"text": turn.text, "take": {"audio": {"num_samples": 800}}} for turn in ROWS[0].turns]
    assert first == {"dialogue_id": ROWS[0].dialogue_id, "turns": turns}
    assert [batch.num_rows for batch in batches] == [3, 1, 3, 1, 2]


def test_without_audio(where):
    (light, *_) = Corpus(where).dialogues(audio=False)
    assert light.turns[0].audio.bytes == b"" and light.turns[0].text == ROWS[0].turns[0].text


def test_decode(where):
    samples, rate = decode(Corpus(where)[3].turns[0].audio)
    assert (samples.dtype, samples.shape, rate) == (np.float32, (800,), 16_000)


def _ids(corpus, indices, answers):
    answers.put([corpus[i].dialogue_id for i in indices])


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_workers_of_every_kind(where, method):
    corpus = Corpus(where)
    assert corpus[0] == ROWS[0]  # files are open before the workers start
    context = multiprocessing.get_context(method)
    answers = context.Queue()
    workers = [context.Process(target=_ids, args=(corpus, range(KEPT), answers)) for _ in range(2)]
    for worker in workers:
        worker.start()
    got = [answers.get(timeout=60) for _ in workers]
    for worker in workers:
        worker.join()
    assert got == [[row.dialogue_id for row in ROWS[:KEPT]]] * 2
    assert corpus[9] == ROWS[9]


def test_pickles_without_its_open_files(where):
    corpus = Corpus(where)[2:]
    assert corpus[0] == ROWS[2]
    assert list(pickle.loads(pickle.dumps(corpus))) == ROWS[2:KEPT]


def test_memory_is_flat(tmp_path, monkeypatch):
    monkeypatch.setattr(shards, "ROW_GROUP_BYTES", 2**18)
    make_corpus(tmp_path, (make_kept(i, num_samples=16_000) for i in range(150)), max_rows=60)
    corpus = Corpus(tmp_path)
    arrow_before = pa.total_allocated_bytes()
    total, arrow_peak = 0, 0
    tracemalloc.start()
    for dialogue in corpus:
        total += sum(len(turn.audio.bytes) for turn in dialogue.turns)
        arrow_peak = max(arrow_peak, pa.total_allocated_bytes() - arrow_before)
    python_peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert total > 9_000_000
    assert max(python_peak, arrow_peak) < 2_000_000


def test_many_shards_are_not_all_kept_open(where, monkeypatch):
    monkeypatch.setattr("manifests.corpus._OPEN_SHARDS", 1)
    corpus = Corpus(where)
    assert [corpus[i] for i in (0, 9, 1, 5, 0)] == [ROWS[i] for i in (0, 9, 1, 5, 0)]
    assert len(corpus._cache._readers) == 1


def test_wrong_status(where):
    with pytest.raises(UserError, match="no such status: live; there are kept, rejected, failed"):
        Corpus(where, status="live")


def test_a_shard_with_other_rows_is_noticed(tmp_path):
    place = make_corpus(tmp_path, ROWS)
    extra = [replace(row, dialogue_id="x") for row in ROWS[:2]]
    shards.write_shard(place / "shards/kept-00001.parquet", extra)
    corpus = Corpus(tmp_path)
    for read in (lambda: corpus[5], lambda: list(corpus)):
        with pytest.raises(CorpusError, match=r"kept-00001\.parquet: 2 rows, but the manifest says 4$"):
            read()


@pytest.mark.parametrize("rows", [slice(0, 10), slice(3, 5), slice(4, 4), slice(5, 9), slice(9, 10)])
def test_rows_as_a_corpus_of_their_shards_alone(tmp_path, rows):
    corpus = Corpus(make_corpus(tmp_path, make_rows(10, 0, 0), max_rows=2))
    for part in (corpus[rows], corpus.rows(list(range(10))[rows][::2])):
        wanted = list(part)
        alone = pickle.loads(pickle.dumps(part.narrowed()))
        assert list(alone) == wanted and [alone[i] for i in range(len(alone))] == wanted
        assert [row for one in part.parts() for row in one] == wanted
        assert all(len(one.manifest.shards["kept"]) == 1 for one in part.parts())
