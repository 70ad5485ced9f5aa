"""Streaming a corpus: every row once, in an order that the seed decides, and on from any place."""

import json
import pickle
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from manifests import shards, torch_data
from manifests.batches import BatchBudget
from manifests.corpus import Corpus, decode
from manifests.errors import CorpusError, UserError
from manifests.resampling import resample
from manifests.stream import CorpusStream
from parley.testing.corpora import make_corpus, make_kept, make_rows, with_take
from tests.tables import each_row

KEPT = 41
ROWS = [make_kept(i, num_samples=200 + 37 * (i * 7 % KEPT)) for i in range(KEPT)]
IDS = [row.dialogue_id for row in ROWS]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """41 kept rows of different lengths in shards of 9, in row groups of 4, 4 and 1."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shards, "ROW_GROUP_ROWS", 4)
        return Corpus(make_corpus(tmp_path_factory.mktemp("stream"), ROWS + make_rows(0), max_rows=9))


@contextmanager
def as_worker(number, count):
    """Make this process worker `number` of `count` of a DataLoader."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch_data, "this_worker", lambda: (number, count))
        yield


def stream(corpus, **options):
    return CorpusStream(corpus, **{"decode": False, "buffer": 6, "shards": 2, **options})


def ids(rows):
    return [row.dialogue_id for row in rows]


def of_workers(make, workers):
    """The rows that each worker gives."""
    found = []
    for number in range(workers):
        with as_worker(number, workers):
            found.append(ids(make()))
    return found


def test_in_order(corpus):
    assert ids(stream(corpus, shuffle=False)) == IDS
    assert ids(stream(corpus[5:23], shuffle=False)) == IDS[5:23]


def test_a_row_has_the_texts_and_the_decoded_clips(corpus):
    (found,) = CorpusStream(corpus[7:8], columns=["cer", "turns.take.hearing.hypothesis"])
    row = ROWS[7]
    assert (found.dialogue_id, found.language) == (row.dialogue_id, "en")
    for turn, expected in zip(found.turns, row.turns, strict=True):
        assert (turn.role, turn.text, turn.voice_id) == (expected.role, expected.text, expected.take.voice_id)
        assert (turn.sample_rate, turn.num_samples) == (16_000, expected.audio.num_samples)
        assert turn.samples.dtype == np.float32 and np.array_equal(turn.samples, decode(expected.audio)[0])
    heard = [{"take": {"hearing": {"hypothesis": turn.hypothesis}}} for turn in row.turns]
    assert found.columns == {"cer": None, "turns": heard}


def test_clips_may_stay_encoded(corpus):
    (found,) = stream(corpus[7:8])
    assert [turn.encoded for turn in found.turns] == [turn.audio for turn in ROWS[7].turns]
    assert [len(turn.samples) for turn in found.turns] == [0, 0]


@each_row("rate", [8_000, 16_000, 22_050, 44_100])
def test_clips_are_resampled(corpus, rate):
    (found,) = CorpusStream(corpus[7:8], sample_rate=rate)
    for turn, expected in zip(found.turns, ROWS[7].turns, strict=True):
        assert np.array_equal(turn.samples, resample(decode(expected.audio)[0], 16_000, rate))
        assert (turn.sample_rate, turn.num_samples) == (rate, len(turn.samples))


@pytest.mark.parametrize(("rate", "sample_bytes"), [(None, 2), (24_000, 4)])
def test_a_row_leaves_a_worker_as_it_is_and_16_bit_samples_in_half_the_bytes(corpus, rate, sample_bytes):
    (found,) = CorpusStream(corpus[7:8], sample_rate=rate)
    pickled = pickle.dumps(found)
    samples = sum(len(turn.samples) for turn in found.turns)
    assert 0 < len(pickled) - sample_bytes * samples < 1000
    for there, here in zip(pickle.loads(pickled).turns, found.turns, strict=True):
        assert (there.role, there.text, there.voice_id) == (here.role, here.text, here.voice_id)
        assert (there.sample_rate, there.num_samples, there.start_sample) == (rate or 16_000, len(here.samples), None)
        assert there.samples.dtype == np.float32 and there.samples.tobytes() == here.samples.tobytes()
        assert there.samples.flags.writeable
    (left,) = stream(corpus[7:8])
    assert [turn.encoded for turn in pickle.loads(pickle.dumps(left)).turns] == [turn.encoded for turn in left.turns]


def test_places_in_the_dialogue_are_counted_at_the_rate_of_the_stream(tmp_path):
    turns = [replace(turn, start_sample=1600 * number) for number, turn in enumerate(ROWS[0].turns)]
    corpus = Corpus(make_corpus(tmp_path, [replace(ROWS[0], turns=tuple(turns))]))
    for rate, expected in ((None, [0, 1600]), (8_000, [0, 800])):
        (found,) = CorpusStream(corpus, sample_rate=rate)
        assert [turn.start_sample for turn in found.turns] == expected


def test_rows_without_clips_are_streamed_too(tmp_path):
    make_corpus(tmp_path, make_rows())
    found = list(CorpusStream(Corpus(tmp_path, status="failed")))
    assert [[(turn.num_samples, turn.voice_id) for turn in row.turns] for row in found] == [[(0, None)]] * 2


@settings(max_examples=25)
@given(
    first=st.integers(0, KEPT),
    rows=st.integers(0, KEPT),
    world_size=st.integers(1, 5),
    workers=st.integers(1, 4),
    shuffle=st.booleans(),
    ends=st.sampled_from(["keep", "drop", "pad"]),
    epoch=st.integers(0, 3),
)
def test_ranks_and_workers_share_the_rows(corpus, first, rows, world_size, workers, shuffle, ends, epoch):
    view = corpus[first : first + rows]
    expected = IDS[first : first + rows]
    ranks = []
    for rank in range(world_size):
        one = stream(view, rank=rank, world_size=world_size, shuffle=shuffle, ends=ends)
        one.set_epoch(epoch)
        shares = of_workers(lambda: pickle.loads(pickle.dumps(one)), workers)  # noqa: B023
        assert max(map(len, shares)) - min(map(len, shares)) <= 1
        ranks.append([row for share in shares for row in share])
        assert len(ranks[-1]) == one.rows
    given_out = [row for share in ranks for row in share]
    if ends == "keep":
        assert sorted(given_out) == expected
        assert max(map(len, ranks)) - min(map(len, ranks)) <= 1
    elif ends == "drop":
        assert len(set(given_out)) == len(given_out) and set(given_out) <= set(expected)
        assert {len(share) for share in ranks} == {len(expected) // world_size}
    else:
        assert set(given_out) == set(expected)
        assert {len(share) for share in ranks} == {-(-len(expected) // world_size)}


def test_the_seed_and_the_epoch_decide_the_order(corpus):
    one = stream(corpus, seed=3)
    first, second = ids(one), ids(one)
    assert one.epoch == 2
    assert sorted(first) == sorted(second) == IDS and first != second != IDS
    again = stream(corpus, seed=3)
    again.set_epoch(1)
    assert ids(again) == second
    assert ids(stream(corpus, seed=3)) == first != ids(stream(corpus, seed=4))


def test_the_rows_of_one_buffer_and_the_row_groups_of_one_shard_have_another_order_in_each_epoch(corpus):
    for view, options in ((corpus[:4], {}), (corpus[:9], {"buffer": 1})):
        one = stream(view, **options)
        assert len({tuple(ids(one)) for _ in range(8)}) > 2


def test_another_epoch_begins_at_its_beginning_whatever_state_was_loaded(corpus):
    one, other = stream(corpus), stream(corpus)
    next(iter(one))
    other.load_state_dict(one.state_dict())
    other.set_epoch(0)
    assert other.state_dict() == one.state_dict()
    other.set_epoch(1)
    one.set_epoch(1)
    assert ids(other) == ids(one) and len(ids(one)) == KEPT


def test_an_epoch_that_was_left_begins_anew(corpus):
    one = stream(corpus)
    assert next(iter(one)).dialogue_id == ids(stream(corpus))[0]
    assert (ids(one), one.epoch) == (ids(stream(corpus)), 1)


def test_rows_are_mixed_beyond_their_shard_and_their_row_group(corpus):
    """With all shards open and room for all rows, neighbors of the corpus are far apart as often as chance has it."""
    order = np.argsort(np.argsort(ids(stream(corpus, buffer=100, shards=10))))
    assert 8 < np.abs(np.diff(order)).mean() < 20  # of 41 numbers in random order: 14 on average


BATCHES = [None, BatchBudget(4000), BatchBudget(10**6, rows=3)]


@settings(max_examples=25)
@given(
    stop=st.integers(0, KEPT),
    shuffle=st.booleans(),
    batch=st.sampled_from(BATCHES),
    buffer=st.integers(1, 50),
    worker=st.integers(0, 1),
    epoch=st.integers(0, 2),
)
def test_it_goes_on_where_a_state_says(corpus, stop, shuffle, batch, buffer, worker, epoch):
    def make():
        return stream(corpus, shuffle=shuffle, batch=batch, buffer=buffer)

    def rows(items):
        return [ids(item) if batch else item.dialogue_id for item in items]

    with as_worker(worker, 2):
        whole, stopped, continued = make(), make(), make()
        whole.set_epoch(epoch)
        stopped.set_epoch(epoch)
        expected = rows(whole)
        iterator = iter(stopped)
        begun = rows(next(iterator) for _ in range(min(stop, len(expected))))
        continued.load_state_dict(json.loads(json.dumps(stopped.state_dict())))
        assert begun + rows(continued) == expected
        assert continued.epoch == epoch + 1
        assert rows(continued) == rows(whole)


@settings(max_examples=25)
@given(stop=st.integers(0, KEPT), workers=st.integers(1, 4))
def test_a_loop_goes_on_where_it_was_whatever_its_workers_had_read_ahead(corpus, stop, workers):
    expected = _in_turn(stream(corpus), workers)
    one = stream(corpus)
    for row in _in_turn(one, workers)[:stop]:
        one.consumed(row)
    continued = stream(corpus)
    continued.load_state_dict(one.state_dict())
    if stop == KEPT:
        assert (continued.epoch, continued.state_dict()["rows"]) == (1, [])
    else:
        assert ids(_in_turn(continued, workers)) == ids(expected)[stop:]


def _in_turn(one, workers):
    """What a DataLoader makes of it: copies in workers, which are asked in turn until they have nothing left."""
    iterators, rows = [], []
    for number in range(workers):
        with as_worker(number, workers):
            iterators.append(iter(pickle.loads(pickle.dumps(one))))
    while iterators:
        for iterator in list(iterators):
            if (row := next(iterator, None)) is None:
                iterators.remove(iterator)
            else:
                rows.append(row)
    return rows


def test_a_state_of_another_number_of_workers_is_refused(corpus):
    with as_worker(1, 2):
        one = stream(corpus)
        next(iter(one))
    other = stream(corpus)
    other.load_state_dict(one.state_dict())
    with as_worker(0, 3), pytest.raises(UserError, match="began with 2 workers and cannot go on with 3 workers"):
        iter(other)
    other.set_epoch(1)
    with as_worker(0, 3):
        assert len(list(other)) == 13


@each_row(
    ("options", "words"),
    [
        ({"seed": 1}, "seed 0, here 1"),
        ({"shuffle": False}, "shuffle True, here False"),
        ({"buffer": 7}, "buffer 6, here 7"),
        ({"shards": 3}, "shards 2, here 3"),
        ({"rank": 0, "world_size": 2}, "world_size 1, here 2"),
        ({"ends": "pad"}, "ends 'keep', here 'pad'"),
        ({"batch": BatchBudget(9)}, r"batch None, here \[9, None\]"),
    ],
)
def test_a_state_of_another_stream_is_refused(corpus, options, words):
    with pytest.raises(UserError, match=f"another stream: {words}$"):
        stream(corpus, **options).load_state_dict(stream(corpus).state_dict())


def test_a_state_of_other_rows_is_refused(corpus):
    with pytest.raises(UserError, match="another stream: corpus '"):
        stream(corpus[1:]).load_state_dict(stream(corpus).state_dict())


@each_row(
    ("options", "words"),
    [
        ({"rank": 2, "world_size": 2}, "rank 2 of 2"),
        ({"rank": -1, "world_size": 2}, "rank -1 of 2"),
        ({"ends": "cut"}, "keep, drop, pad, not 'cut'"),
        ({"seed": -1}, "seed is 0 or more, not -1"),
        ({"buffer": 0}, "buffer is 1 or more, not 0"),
        ({"shards": 0}, "shards is 1 or more"),
        ({"sample_rate": -8}, "sample_rate is 1 or more, not -8"),
        ({"sample_rate": 8000, "decode": False}, "clips that stay encoded keep their sample rate"),
        ({"columns": ["turns.txt"]}, "no such column: turns.txt"),
    ],
)
def test_what_makes_no_stream_is_refused(corpus, options, words):
    with pytest.raises(UserError, match=words):
        CorpusStream(corpus, **options)


def test_rows_of_elsewhere_cannot_be_consumed(corpus):
    one, other = stream(corpus), stream(corpus)
    rows = list(other)
    assert other.epoch == 1
    with pytest.raises(UserError, match="of epoch 0, but the stream is in epoch 1"):
        other.consumed(rows[0])
    one.consumed(rows[:5])
    assert one.state_dict()["rows"] == [5]
    one.consumed(rows[-1].position)
    assert (one.epoch, one.state_dict()["rows"]) == (1, [])


def test_a_clip_that_cannot_be_decoded_is_named_with_its_dialogue(tmp_path):
    turn = ROWS[0].turns[0]
    broken = with_take(turn, audio=replace(turn.audio, bytes=b"noise"))
    make_corpus(tmp_path, [replace(ROWS[0], turns=(broken,))])
    with pytest.raises(CorpusError, match="dialogue made-00000000: a wav clip cannot be decoded"):
        list(CorpusStream(Corpus(tmp_path)))


def test_a_damaged_shard_is_named(tmp_path):
    place = make_corpus(tmp_path, ROWS[:4])
    file = tmp_path / "shards" / "kept-00000.parquet"
    data = bytearray(file.read_bytes())
    data[data.index(b"RIFF") + 100] ^= 1
    file.write_bytes(data)
    with pytest.raises(CorpusError, match=r"kept-00000\.parquet: the shard is damaged"):
        list(CorpusStream(Corpus(place)))


def test_it_needs_no_torch(corpus):
    code = (
        "import sys\nsys.modules['torch'] = None\nfrom parley import Corpus, CorpusStream\n"
        "print(sum(len(turn.samples) for row in CorpusStream(Corpus(sys.argv[1])) for turn in row.turns))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(corpus.place)], capture_output=True, text=True, check=True)
    assert int(done.stdout) == 2 * sum(row.turns[0].audio.num_samples for row in ROWS)


def test_it_has_no_length(corpus):
    with pytest.raises(TypeError, match=r"import torch\.utils\.data before the stream is made"):
        len(stream(corpus))
    assert stream(corpus, rank=0, world_size=2).rows == 20
