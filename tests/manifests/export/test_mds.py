"""The MDS exporter: the shards and the index, to the byte as their program writes and reads them."""

import json
import struct
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from manifests.export import mds
from parley.testing.exports import export_rows
from tests.tracks import check_tracks, file_samples, spoken


def read_index(directory: Path) -> dict[str, Any]:
    index: dict[str, Any] = json.loads((directory / "index.json").read_text())
    return index


def read_row(data: bytes, row: int, columns: list[str], sizes: list[int | None]) -> dict[str, bytes]:
    """The format's definition: (number, offsets, columns, rows)."""
    begin, end = struct.unpack_from("<2I", data, 4 * (1 + row))
    part, values = data[begin:end], dict[str, bytes]()
    given = iter(struct.unpack_from(f"<{sizes.count(None)}I", part))
    place = 4 * sizes.count(None)
    for column, size in zip(columns, sizes, strict=True):
        length = next(given) if size is None else size
        values[column], place = part[place : place + length], place + length
    assert place == len(part)
    return values


def test_a_row_is_a_dialogue_with_two_tracks(tmp_path: Path) -> None:
    rows = [spoken(0), spoken(1, "zh")]
    result, out = export_rows("mds", rows, tmp_path)
    assert (result.written, dict(result.refused)) == (2, {})
    index = read_index(out / "train")
    (shard,) = index["shards"]
    data = (out / "train" / shard["raw_data"]["basename"]).read_bytes()
    assert index["version"] == 2 and shard["samples"] == 2 == struct.unpack_from("<I", data)[0]
    assert shard["raw_data"]["bytes"] == len(data) == struct.unpack_from("<I", data, 12)[0]
    assert shard["column_names"] == sorted(shard["column_names"]), "a reader takes the columns in this order"
    for number, row in enumerate(rows):
        values = read_row(data, number, shard["column_names"], shard["column_sizes"])
        tracks = {role: file_samples(values[role])[0] for role in ("user", "agent")}
        assert values["dialogue_id"].decode() == row.dialogue_id
        assert struct.unpack("<2q", values["sample_rate"] + values["num_samples"]) == (16_000, len(tracks["user"]))
        check_tracks(row, json.loads(values["turns"]), tracks, 16_000)


def test_large_pieces_make_several_shards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mds, "_SHARD_BYTES", 150_000)
    _, out = export_rows("mds", [spoken(number) for number in range(4)], tmp_path, codec="wav")
    index = read_index(out / "train")
    names = [shard["raw_data"]["basename"] for shard in index["shards"]]
    assert len(names) > 1 and names == sorted(names) and sum(shard["samples"] for shard in index["shards"]) == 4
    assert sorted(path.name for path in (out / "train").iterdir()) == sorted(["index.json", *names])


def test_what_32_bits_cannot_count_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    long = replace(spoken(1, num_samples=32_000))
    monkeypatch.setattr(mds, "_MAX_TRACK_BYTES", 4 * 80_000)
    result, out = export_rows("mds", [spoken(0), long], tmp_path)
    assert (result.written, dict(result.refused)) == (1, {"its tracks are too long for a shard": 1})
    assert read_index(out / "train")["shards"][0]["samples"] == 1


def test_the_bytes_depend_on_the_corpus_alone(tmp_path: Path) -> None:
    _, first = export_rows("mds", [spoken(0)], tmp_path / "first")
    _, second = export_rows("mds", [spoken(0)], tmp_path / "second")
    files = sorted(path.name for path in (first / "train").iterdir())
    assert files == ["index.json", "shard.00000-000.mds"]
    assert all((first / "train" / name).read_bytes() == (second / "train" / name).read_bytes() for name in files)
