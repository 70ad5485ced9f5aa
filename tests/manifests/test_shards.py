"""Shards: whole or absent, the same bytes for the same rows, and no damage goes unseen."""

import hashlib
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from manifests import shards
from manifests.errors import CorpusError, UserError
from manifests.shards import ShardInfo, open_shard, read_shard, read_tables, write_shard
from manifests.storage import Place, open_place
from parley.testing.corpora import make_failed, make_kept


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return open_place(tmp_path / "unit.parquet")


@pytest.fixture
def small_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shards, "ROW_GROUP_ROWS", 3)


def _all(place: Place, **options) -> list:
    return [dialogue for group in read_shard(place, **options) for dialogue in group]


@pytest.mark.parametrize("count", [0, 1, 7])
def test_rows_come_back_in_order(place, small_groups, count):
    rows = [make_kept(i) for i in range(count)]
    info = write_shard(place, iter(rows))
    assert _all(place) == rows
    data = place.read_bytes()
    assert info == ShardInfo("unit.parquet", count, len(data), hashlib.sha256(data).hexdigest())


def test_the_same_rows_give_the_same_bytes(tmp_path):
    rows = [make_kept(i) for i in range(5)]
    infos = [write_shard(open_place(tmp_path / name), rows, path="x") for name in ("a", "b")]
    assert infos[0] == infos[1]
    assert write_shard(open_place(tmp_path / "c"), rows[::-1], path="x").sha256 != infos[0].sha256


def test_row_groups_are_bounded_by_rows_and_by_bytes(place, small_groups, monkeypatch):
    write_shard(place, [make_kept(i) for i in range(7)])
    assert [len(group) for group in read_shard(place)] == [3, 3, 1]
    monkeypatch.setattr(shards, "ROW_GROUP_BYTES", 8_000)
    write_shard(place, [make_kept(i, num_samples=1_500) for i in range(3)])
    assert [len(group) for group in read_shard(place)] == [2, 1]


def test_without_audio_only_the_bytes_are_missing(place):
    write_shard(place, [make_kept(1), make_failed(2)])
    light, failed = _all(place, audio=False)
    full = _all(place)
    assert light.turns[1].audio.bytes == b"" and full[0].turns[1].audio.bytes != b""
    assert light.turns[1].audio.num_samples == full[0].turns[1].audio.num_samples
    assert light.turns[1].hypothesis == full[0].turns[1].hypothesis and failed == full[1]


def test_chosen_columns(place):
    write_shard(place, [make_kept(1)])
    (table,) = read_tables(place, ["dialogue_id", "turns.take.audio.num_samples"])
    assert table.to_pylist() == [
        {"dialogue_id": "made-00000001", "turns": [{"take": {"audio": {"num_samples": 800}}}] * 2}
    ]


@pytest.mark.parametrize("names", [["turns.txt"], ["turn"], [], ["wer", "turns.take.audio."]])
def test_unknown_columns_are_named(place, names):
    with pytest.raises(UserError, match=r"no such column: .*the columns are dialogue_id, .*turns\.take\.audio\.codec"):
        read_tables(place, names)


@pytest.mark.parametrize("version", ["1", "99"])
def test_a_shard_of_another_version_says_so(place, monkeypatch, version):
    monkeypatch.setattr("manifests.shards._METADATA", {"parley_schema_version": version})
    write_shard(place, [make_kept(1)])
    with pytest.raises(CorpusError, match=rf": a shard of schema version {version}, but .* reads schema version 3: "):
        _all(place)


def test_clips_are_stored_as_they_are(place):
    write_shard(place, [make_kept(1)])
    metadata = pq.ParquetFile(place.path).metadata.row_group(0)
    codecs = {metadata.column(i).path_in_schema: metadata.column(i).compression for i in range(metadata.num_columns)}
    turn = "turns.list.element"
    clips = {name for name in codecs if name.endswith(".bytes")}
    assert {f"{turn}.take.audio.bytes", "timeline.tracks.list.element.audio.bytes"} < clips
    assert {codecs[name] for name in clips} == {"UNCOMPRESSED"}
    assert codecs[f"{turn}.text"] == codecs[f"{turn}.take.hearing.hypothesis"] == "ZSTD"


@pytest.mark.filterwarnings("error::pytest.PytestUnraisableExceptionWarning")
def test_an_error_leaves_no_file(place, tmp_path):
    with pytest.raises(RuntimeError), open_shard(place) as writer:
        writer.write(make_kept())
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def _cut(data: bytes) -> bytes:
    return data[:-100]


def _flip_in_audio(data: bytes) -> bytes:
    where = data.index(b"RIFF") + 600
    return data[:where] + bytes([data[where] ^ 1]) + data[where + 1 :]


@pytest.mark.parametrize("damage", [_cut, _flip_in_audio, lambda data: b"", lambda data: b"PAR1 is not enough"])
def test_damage_is_one_line_that_names_the_shard(place, damage):
    write_shard(place, [make_kept(1)])
    place.write_bytes(damage(place.read_bytes()))
    with pytest.raises(CorpusError, match=r"^\S*unit\.parquet: the shard is damaged: [^\n]*$"):
        _all(place)


def test_missing_and_foreign_files(place):
    with pytest.raises(CorpusError, match=r"unit\.parquet: the shard is missing$"):
        _all(place)
    pq.write_table(pa.table({"text": ["hello"]}), place.path)
    with pytest.raises(CorpusError, match=r"unit\.parquet: not a table of corpus rows"):
        _all(place)
