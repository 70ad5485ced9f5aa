"""The WebDataset exporter: what its reader would split or merge."""

import json
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from parley.testing.exports import export_rows
from tests.tracks import at_rate, check_tracks, file_samples, spoken


def members(file: Path) -> dict[str, bytes]:
    with tarfile.open(file) as tar:
        return {member.name: tar.extractfile(member).read() for member in tar}  # type: ignore[union-attr]


@pytest.mark.parametrize("codec", ["flac", "wav"])
def test_a_sample_is_two_tracks_and_json_side_by_side(tmp_path: Path, codec: str) -> None:
    rows = [spoken(0), spoken(1, "zh")]
    result, out = export_rows("webdataset", rows, tmp_path, codec=codec)
    assert (result.written, dict(result.refused)) == (2, {})
    found = members(out / "train-00000.tar")
    parts = [f"user.{codec}", f"agent.{codec}", "json"]
    assert list(found) == [f"{row.dialogue_id}.{part}" for row in rows for part in parts]
    for row in rows:
        facts = json.loads(found[f"{row.dialogue_id}.json"])
        tracks = {role: file_samples(found[f"{row.dialogue_id}.{role}.{codec}"])[0] for role in ("user", "agent")}
        assert (facts["dialogue_id"], facts["language"], facts["sample_rate"]) == (
            row.dialogue_id,
            row.language,
            16_000,
        )
        assert facts["num_samples"] == len(tracks["user"])
        check_tracks(row, facts["turns"], tracks, 16_000)


def test_a_key_has_no_dot_and_stays_unlike_others(tmp_path: Path) -> None:
    rows = [replace(spoken(number), dialogue_id=name) for number, name in enumerate(("v1.0-a", "v1_0-a", "v1-0-a"))]
    result, out = export_rows("webdataset", rows, tmp_path)
    found = members(out / "train-00000.tar")
    assert result.written == 3
    assert {name.split(".")[0] for name in found} == {"v1%2E0-a", "v1_0-a", "v1-0-a"}
    assert {name.partition(".")[2] for name in found} == {"user.flac", "agent.flac", "json"}
    assert json.loads(found["v1%2E0-a.json"])["dialogue_id"] == "v1.0-a"


def test_json_holds_objects_with_the_same_keys(tmp_path: Path) -> None:
    _, out = export_rows("webdataset", [spoken(0), spoken(1)], tmp_path)
    facts = [json.loads(data) for name, data in members(out / "train-00000.tar").items() if name.endswith(".json")]
    turns = [turn for each in facts for turn in each["turns"]]
    assert len(turns) == 8 and len({tuple(turn) for turn in turns}) == 1
    assert not any(isinstance(value, list | dict) for turn in turns for value in turn.values())


def test_what_is_refused_is_counted(tmp_path: Path) -> None:
    result, out = export_rows("webdataset", [spoken(0), at_rate(spoken(1), 1, 8_000)], tmp_path)
    assert (result.written, dict(result.refused)) == (1, {"its clips have several sample rates: set one": 1})
    assert len(members(out / "train-00000.tar")) == 3


def test_the_bytes_depend_on_the_corpus_alone(tmp_path: Path) -> None:
    _, first = export_rows("webdataset", [spoken(0)], tmp_path / "first")
    _, second = export_rows("webdataset", [spoken(0)], tmp_path / "second")
    assert (first / "train-00000.tar").read_bytes() == (second / "train-00000.tar").read_bytes()
    with tarfile.open(first / "train-00000.tar") as tar:
        assert {(each.mtime, each.uid, each.gid, each.uname) for each in tar} == {(0, 0, 0, "")}


def test_names_longer_than_a_header_are_kept(tmp_path: Path) -> None:
    name = "n" * 200
    _, out = export_rows("webdataset", [replace(spoken(0), dialogue_id=name)], tmp_path)
    assert list(members(out / "train-00000.tar")) == [f"{name}.user.flac", f"{name}.agent.flac", f"{name}.json"]
