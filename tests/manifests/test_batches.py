"""Batches of similar length under a budget."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifests import shards
from manifests.batches import BatchBudget
from manifests.corpus import Corpus
from manifests.errors import UserError
from manifests.stream import CorpusStream
from parley.testing.corpora import make_corpus, make_kept
from tests.tables import each_row

LENGTHS = [int(length) for length in np.random.default_rng(0).integers(100, 4000, 60)]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shards, "ROW_GROUP_ROWS", 8)
        rows = (make_kept(number, length) for number, length in enumerate(LENGTHS))
        return Corpus(make_corpus(tmp_path_factory.mktemp("batches"), rows, max_rows=30))


@given(
    lengths=st.lists(st.integers(0, 100)),
    size=st.integers(1, 300),
    rows=st.one_of(st.none(), st.integers(1, 5)),
)
def test_every_row_is_in_one_batch_and_every_batch_keeps_to_the_budget(lengths, size, rows):
    batches = BatchBudget(size, rows).cut(lengths)
    assert sorted(row for batch in batches for row in batch) == list(range(len(lengths)))
    for batch in batches:
        longest = max(lengths[row] for row in batch)
        assert len(batch) == 1 or len(batch) * longest <= size
        assert rows is None or len(batch) <= rows


def padded_share(batches):
    """Which part of the padded batches is padding."""
    used = sum(row.num_samples for batch in batches for row in batch)
    return 1 - used / sum(len(batch) * max(row.num_samples for row in batch) for batch in batches)


def test_batches_of_a_stream_waste_little_and_come_in_random_order(corpus):
    batches = list(CorpusStream(corpus, buffer=60, batch=BatchBudget(size=30_000)))
    assert sorted(row.dialogue_id for batch in batches for row in batch) == [row.dialogue_id for row in corpus]
    for batch in batches:
        assert len(batch) * max(row.num_samples for row in batch) <= 30_000
        assert all(turn.samples.size == turn.num_samples for row in batch for turn in row.turns)
    assert padded_share(batches) < 0.15 < padded_share(list(CorpusStream(corpus, batch=BatchBudget(10**9, rows=60))))
    firsts = [batch[0].num_samples for batch in batches]
    assert firsts not in (sorted(firsts), sorted(firsts, reverse=True))


def tokens(row):
    return sum(turn.num_samples // 320 + len(turn.text.split()) for turn in row.turns)


def test_a_length_of_ones_own_counts_what_the_stream_gives(corpus):
    """At half the rate a row has half the samples, before it is decoded as after."""
    budget = BatchBudget(size=60, length=tokens)
    batches = list(CorpusStream(corpus, buffer=60, sample_rate=8_000, batch=budget))
    assert {len(batch) * max(map(tokens, batch)) <= 60 for batch in batches} == {True}
    assert max(map(len, batches)) > 3


@each_row("options", [{"size": 0}, {"size": 5, "rows": 0}])
def test_a_budget_without_room_is_refused(options):
    with pytest.raises(UserError, match="a batch has room for something"):
        BatchBudget(**options)
