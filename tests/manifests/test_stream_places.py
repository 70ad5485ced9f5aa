"""A stream's memory, and streams of corpora on an object store: an S3 server of the test's own, on this machine."""

import os
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from moto.server import ThreadedMotoServer
from pyarrow import fs as pafs

from manifests import shards
from manifests.corpus import Corpus
from manifests.schema import Dialogue
from manifests.storage import open_place
from manifests.stream import CorpusStream
from parley.testing.corpora import make_corpus, make_corpus_at, make_kept

ROWS: list[Dialogue] = [make_kept(number) for number in range(20)]
IDS = [row.dialogue_id for row in ROWS]


@pytest.fixture(scope="module")
def stored() -> Iterator[str]:
    """The URI of a corpus in a bucket."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        patch.setattr(shards, "ROW_GROUP_ROWS", 3)
        server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        server.start()
        host, port = server.get_host_and_port()
        query = f"endpoint_override={host}%3A{port}&scheme=http&region=us-east-1&allow_bucket_creation=true"
        uri = f"s3://someone:secret@bucket/corpus?{query}"
        make_corpus_at(open_place(uri), ROWS, max_rows=8)
        yield uri
        server.stop()


def test_an_object_store_gives_the_rows_of_a_disk(
    stored: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shards, "ROW_GROUP_ROWS", 3)
    local = Corpus(make_corpus(tmp_path, ROWS, max_rows=8))
    far, near = (CorpusStream(corpus, buffer=7, seed=2) for corpus in (Corpus(stored), local))
    for there, here in zip(far, near, strict=True):
        assert there.dialogue_id == here.dialogue_id
        assert [turn.samples.tobytes() for turn in there.turns] == [turn.samples.tobytes() for turn in here.turns]
    assert far.epoch == near.epoch == 1


def test_the_system_is_told_which_row_group_comes_next(long: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    told = []
    monkeypatch.setattr(os, "posix_fadvise", lambda _, start, length, advice: told.append((start, length, advice)))
    rows = iter(CorpusStream(long, decode=False, shuffle=False))
    for _ in range(60):  # all of the first shard
        next(rows)
    assert len(told) == len(set(told)) == 15  # its row groups but the first, and the first of the next shard
    # A row group is 4 rows of 64 KB, and each begins behind the one before.
    starts = [start for start, length, advice in told[:14] if length > 256_000 and advice == os.POSIX_FADV_WILLNEED]
    assert len(starts) == 14 and min(np.diff(starts)) > 256_000


_SPAWNED = """
import multiprocessing, sys
import torch.utils.data
from parley import Corpus, CorpusStream
if __name__ == "__main__":
    stream = CorpusStream(Corpus(sys.argv[1]), buffer=7)
    loader = torch.utils.data.DataLoader(stream, None, num_workers=2, multiprocessing_context="spawn")
    print(*sorted(row.dialogue_id for row in loader))
"""


@pytest.mark.slow
def test_spawned_workers_read_an_object_store(stored: str, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    script = tmp_path / "spawned.py"
    script.write_text(_SPAWNED)
    done = subprocess.run([sys.executable, str(script), stored], capture_output=True, text=True, timeout=240)
    assert done.stdout.split() == IDS, done.stderr


def _peak(stream: CorpusStream) -> tuple[int, int]:
    """Bytes of clips that were given out, and the most that Python and Arrow held while they were."""
    before, arrow, total = pa.total_allocated_bytes(), 0, 0
    tracemalloc.start()
    for row in stream:
        total += sum(len(turn.encoded.bytes) for turn in row.turns if turn.encoded)
        arrow = max(arrow, pa.total_allocated_bytes() - before)
    python = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return total, arrow + python


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """300 rows of 64 KB in row groups of 4."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shards, "ROW_GROUP_ROWS", 4)
        rows = (make_kept(number, num_samples=16_000) for number in range(300))
        return Corpus(make_corpus(tmp_path_factory.mktemp("long"), rows, max_rows=60))


@pytest.fixture(scope="module")
def far(long: Corpus) -> Iterator[Corpus]:
    """The same on an object store: one of fsspec's, in the memory of this process."""
    place = open_place("memory://far")
    pafs.copy_files(long.place.path, place.path, long.place.filesystem, place.filesystem)
    yield Corpus("memory://far")
    place.delete()


@pytest.mark.parametrize(("options", "rows"), [({"buffer": 16}, 16), ({"shuffle": False}, 1)])
def test_memory_is_bounded_on_an_object_store_too(far: Corpus, options: dict[str, Any], rows: int) -> None:
    assert len(list(CorpusStream(far[:9], decode=False))) == 9
    total, peak = _peak(CorpusStream(far, decode=False, **options))
    assert total > 300 * 64_000
    # The buffer and the row in use; a row group of 4 that is given out, two ahead, and one as it comes and is cut out.
    assert peak < (rows + 1 + 6 * 4) * 68_000 < total / 6


@pytest.mark.parametrize(("options", "rows"), [({"buffer": 16}, 16), ({"shuffle": False}, 1)])
def test_memory_is_that_of_one_buffer(long: Corpus, options: dict[str, int], rows: int) -> None:
    list(CorpusStream(long[:9], decode=False))  # what is made once
    total, peak = _peak(CorpusStream(long, decode=False, **options))
    assert total > 300 * 64_000
    # The buffer and the row in use; a row group of 4, as it is read and as it is copied out of Arrow, and pages.
    assert peak < (rows + 1 + 3 * 4) * 68_000 < total / 9


def test_a_few_rows_of_a_row_group_do_not_keep_all_of_it(long: Corpus) -> None:
    """Of each row group one row is wanted; were clips views, 40 of them would hold all the rows of 40 row groups."""
    parts = long.shard_rows()

    class Sparse(Corpus):
        def shard_rows(self):  # type: ignore[no-untyped-def]
            return [type(part)(part.shard, np.arange(0, len(part.rows), 4)) for part in parts]

        def __len__(self) -> int:
            return 75

    total, peak = _peak(CorpusStream(Sparse(long.place), decode=False, buffer=40))
    assert 75 * 64_000 < total < 75 * 70_000
    assert peak < (40 + 1 + 3 * 4) * 68_000
