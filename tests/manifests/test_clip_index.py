"""The index of a shard: clips at the bytes that it names, rows without it, and damage that does not go unseen."""

import os
import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from manifests import light_shards, shards
from manifests.arrow import to_table
from manifests.clip_index import MAGIC
from manifests.corpus import Corpus
from manifests.errors import CorpusError, UserError
from manifests.light import light_row, without_places
from manifests.light_shards import open_index
from manifests.shards import write_shard
from manifests.spoken_corpus import SpokenCorpus
from manifests.storage import open_place
from manifests.stream import CorpusStream
from manifests.validate import validate
from parley.testing.corpora import make_corpus, make_failed, make_kept, with_take

ROWS = [make_kept(number, num_samples=700 + 10 * number) for number in range(20)]


@pytest.fixture(autouse=True)
def small_groups(monkeypatch):
    monkeypatch.setattr(shards, "ROW_GROUP_ROWS", 3)


@pytest.fixture
def corpus(tmp_path) -> Corpus:
    return Corpus(make_corpus(tmp_path / "corpus", ROWS, max_rows=8))


def _clips(row):
    return [turn.take.audio.bytes if turn.take and turn.take.audio else b"" for turn in row.turns]


def test_clips_lie_where_it_says(tmp_path):
    """Clips of attempts and of tracks lie in the file too, empty ones and missing ones nowhere."""
    first, second = ROWS[0].turns
    retried = replace(first, attempts=(replace(second.take, number=7),))
    silent = with_take(second, audio=replace(second.audio, bytes=b""))
    rows = [
        *ROWS[:4],
        replace(ROWS[4], turns=(retried, second)),
        replace(ROWS[5], turns=(first, silent)),
        make_failed(6),
    ]
    write_shard(open_place(tmp_path / "shard"), rows)
    index = open_index(open_place(tmp_path / "shard"))
    assert index is not None and index.group_rows == [3, 3, 1]
    light = [row for group, count in enumerate(index.group_rows) for row in index.light_rows(group, range(count))]
    assert [without_places(row) for row in light] == [light_row(row) for row in rows]
    assert list(index.light_rows(0, np.array([0, 2]))) == [light[0], light[2]]
    data = (tmp_path / "shard").read_bytes()
    for mine, row in zip(light, rows, strict=True):
        assert index.clips(mine) == _clips(row)
        places = [turn.clip for turn in mine.turns if turn.clip and turn.clip.size]
        assert [data[clip.offset : clip.offset + clip.size] for clip in places] == [
            clip for clip in _clips(row) if clip
        ]
    assert pq.read_table(tmp_path / "shard")["dialogue_id"].to_pylist() == [row.dialogue_id for row in rows]


def test_rows_without_clips_have_none(tmp_path):
    write_shard(open_place(tmp_path / "texts"), [make_failed(1)])
    assert open_index(open_place(tmp_path / "texts")) is None
    assert MAGIC not in (tmp_path / "texts").read_bytes()


def test_rows_are_the_same_with_it_and_without(corpus, monkeypatch):
    def read():
        return [(row.dialogue_id, _spoken(row)) for row in CorpusStream(corpus, buffer=7, sample_rate=24_000)]

    indexed = read()
    monkeypatch.delattr(os, "pread")  # as on Windows: pyarrow reads
    assert read() == indexed
    monkeypatch.setattr(light_shards, "open_index", lambda place: None)
    assert read() == indexed
    assert len(indexed) == 20


def _spoken(row):
    return [(turn.role, turn.text, turn.voice_id, turn.num_samples, turn.samples.tobytes()) for turn in row.turns]


def test_rows_by_number(corpus):
    rows = SpokenCorpus(corpus)
    numbers = random.Random(3).sample(range(20), 20)
    streamed = [_spoken(row) for row in CorpusStream(corpus, shuffle=False)]
    assert len(rows) == 20
    assert [_spoken(rows[number]) for number in numbers] == [streamed[number] for number in numbers]
    assert rows[-1].dialogue_id == ROWS[-1].dialogue_id
    chosen = SpokenCorpus(corpus.rows([2, 9, 17]), decode=False)
    assert [row.turns[1].encoded for row in chosen] == [ROWS[number].turns[1].audio for number in (2, 9, 17)]
    for beyond in (3, -4):
        with pytest.raises(IndexError, match=f"row {beyond} of 3"):
            chosen[beyond]
    with pytest.raises(UserError, match="decoded"):
        SpokenCorpus(corpus, decode=False, sample_rate=8_000)


def test_a_row_costs_a_read_of_its_clips_alone(corpus, monkeypatch):
    rows = SpokenCorpus(corpus, decode=False)
    rows[0]
    (shard, _), read = next(iter(rows._open.values())), []

    class Counting:
        def read_at(self, size, start):
            read.append(size)
            return file.read_at(size, start)

    file = shard._file
    monkeypatch.setattr(shard, "_file", Counting())
    for number in (5, 1, 7):
        rows[number]
    assert read == [len(clip) for number in (5, 1, 7) for clip in _clips(ROWS[number])]


def test_workers_read_rows_by_number(corpus):
    data = pytest.importorskip("torch.utils.data")
    rows = SpokenCorpus(corpus, decode=False)
    rows[0]
    loader = data.DataLoader(rows, batch_size=None, shuffle=True, num_workers=2)
    assert sorted(row.dialogue_id for row in loader) == [row.dialogue_id for row in ROWS]


@pytest.mark.parametrize("where", ["clip", "index"])
def test_damage_names_the_shard(corpus, where):
    file = Path(str(corpus.place), "shards", "kept-00000.parquet")
    data = bytearray(file.read_bytes())
    data[data.index(b"RIFF") + 100 if where == "clip" else data.index(MAGIC) - 40] ^= 1
    file.write_bytes(data)
    with pytest.raises(CorpusError, match=r"kept-00000\.parquet: the shard is damaged: (a clip|its index) is not"):
        SpokenCorpus(corpus)[0]


def test_an_index_that_is_not_of_its_rows_is_a_problem(tmp_path, monkeypatch):
    """Someone has written other texts into the columns: whoever reads by the index would not get them."""
    light = shards.IndexBuilder.add
    other = [replace(row, turns=(replace(row.turns[0], text="something else"), *row.turns[1:])) for row in ROWS]
    monkeypatch.setattr(
        shards.IndexBuilder, "add", lambda self, table, *given: light(self, to_table(other[: len(table)]), *given)
    )
    place = make_corpus(tmp_path, ROWS[:2])
    assert validate(place).ok
    problems = validate(place, deep=True).problems
    assert {(problem.row, problem.message) for problem in problems} == {
        (row, "the index of the shard has another row here") for row in (0, 1)
    }
