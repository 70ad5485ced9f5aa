"""A stream in PyTorch's own loaders: workers that are forked or spawned, states that they save and load."""

import json
import multiprocessing

import pytest

from manifests import shards
from manifests.corpus import Corpus
from manifests.errors import UserError
from manifests.stream import CorpusStream
from parley.testing.corpora import make_corpus, make_kept

torch_data = pytest.importorskip("torch.utils.data")

KEPT = 23


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shards, "ROW_GROUP_ROWS", 3)
        return Corpus(make_corpus(tmp_path_factory.mktemp("torch"), map(make_kept, range(KEPT)), max_rows=7))


def stream(corpus):
    return CorpusStream(corpus, buffer=5, shards=2, sample_rate=8_000)


def loader(one, workers=2, kind=torch_data.DataLoader, method="fork", **options):
    """The context is a worker's own, so that no test depends on what the machine starts processes with."""
    context = multiprocessing.get_context(method) if workers else None
    return kind(one, batch_size=None, num_workers=workers, multiprocessing_context=context, **options)


def ids(rows):
    return [row.dialogue_id for row in rows]


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_workers_share_the_rows_and_decode_them(corpus, method):
    rows = list(loader(stream(corpus), method=method))
    assert sorted(ids(rows)) == ids(corpus)
    assert {turn.samples.shape for row in rows for turn in row.turns} == {(400,)}
    assert {row.position.worker for row in rows} == {0, 1}


def test_persistent_workers_go_from_epoch_to_epoch(corpus):
    lasting = loader(stream(corpus), persistent_workers=True)
    first, second = ids(lasting), ids(lasting)
    assert sorted(first) == sorted(second) and first != second
    one = stream(corpus)
    one.set_epoch(1)
    assert ids(loader(one)) == second


@pytest.mark.parametrize("workers", [0, 2])
def test_a_loop_over_a_plain_loader_goes_on_where_it_was(corpus, workers):
    expected = ids(loader(stream(corpus), workers))
    one = stream(corpus)
    iterator = iter(loader(one, workers))
    begun = []
    for _ in range(9):
        row = next(iterator)
        begun.append(row.dialogue_id)
        one.consumed(row)
    continued = stream(corpus)
    continued.load_state_dict(json.loads(json.dumps(one.state_dict())))
    assert begun + ids(loader(continued, workers)) == expected


def test_another_number_of_workers_is_refused_in_the_worker(corpus):
    one = stream(corpus)
    for row in list(loader(one))[:5]:
        one.consumed(row)
    continued = stream(corpus)
    continued.load_state_dict(one.state_dict())
    with pytest.raises(UserError, match="this epoch began with 2 workers and cannot go on with no worker or one"):
        list(loader(continued, 1))


@pytest.mark.parametrize("stop", [1, 9, 22])
@pytest.mark.parametrize("workers", [0, 2])
def test_a_stateful_loader_goes_on_where_it_was(corpus, workers, stop):
    stateful = pytest.importorskip("torchdata.stateful_dataloader").StatefulDataLoader
    expected = ids(loader(stream(corpus), workers, stateful))
    begun = loader(stream(corpus), workers, stateful)
    iterator = iter(begun)
    found = [next(iterator).dialogue_id for _ in range(stop)]
    continued = loader(stream(corpus), workers, stateful)
    continued.load_state_dict(begun.state_dict())
    assert found + ids(continued) == expected


def test_forked_workers_are_refused_on_an_object_store(corpus, monkeypatch):
    monkeypatch.setattr("manifests.storage.Place.is_local", False)
    with pytest.raises(UserError, match="give the DataLoader multiprocessing_context='spawn'"):
        list(loader(stream(corpus)))


def test_it_takes_its_rank_from_torch_distributed(corpus, tmp_path):
    import torch.distributed as distributed

    distributed.init_process_group("gloo", init_method=f"file://{tmp_path}/meet", rank=0, world_size=1)
    try:
        assert "rank 0 of 1" in repr(stream(corpus))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(distributed, "get_world_size", lambda: 3)
            patch.setattr(distributed, "get_rank", lambda: 2)
            assert "rank 2 of 3" in repr(stream(corpus))
    finally:
        distributed.destroy_process_group()
