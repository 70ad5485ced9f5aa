"""The Lhotse Shar exporter: what a reader of the folder needs, and the indexes as an option."""

import json
import tarfile
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from manifests.schema import Dialogue
from parley.testing.corpora import with_take
from parley.testing.exports import export_rows
from pipeline import export
from tests.shar import cuts_of, facts, pairs
from tests.tracks import changed, check_tracks, file_samples, spoken


def check_cut(row: Dialogue, cut: dict[str, Any], fields: dict[str, tuple[str, bytes, dict[str, Any]]]) -> None:
    tracks = {}
    for role, field in (("user", "recording"), ("agent", "target_audio")):
        name, data, manifest = fields[field]
        samples, rate = file_samples(data)
        assert name == f"{row.dialogue_id}.flac" and (len(samples), rate) == (manifest["num_samples"], 16_000)
        assert manifest == (cut["custom"] | cut)[field]
        assert manifest["sources"] == [{"type": "shar", "channels": [0], "source": ""}]
        assert cut["duration"] == manifest["duration"] == len(samples) / 16_000
        tracks[role] = samples
    assert {each["recording_id"] for each in cut["supervisions"]} == {cut["recording"]["id"]}
    assert cut["custom"]["dialogue_id"] == row.dialogue_id
    check_tracks(row, facts(cut, 16_000), tracks, 16_000)


def test_a_cut_is_a_dialogue_and_every_field_has_it_in_order(tmp_path: Path) -> None:
    rows = [spoken(0), spoken(1, "zh"), spoken(2)]
    result, out = export_rows("lhotse-shar", rows, tmp_path)
    assert (result.written, dict(result.refused)) == (3, {})
    names = {"cuts.000000.jsonl.gz", "recording.000000.tar", "target_audio.000000.tar"}
    assert {path.name for path in (out / "train").iterdir()} == names, "each file is a shard to a reader of the folder"
    cuts = cuts_of(out / "train" / "cuts.000000.jsonl.gz")
    fields = {field: pairs(out / "train" / f"{field}.000000.tar") for field in ("recording", "target_audio")}
    for number, (row, cut) in enumerate(zip(rows, cuts, strict=True)):
        check_cut(row, cut, {field: found[number] for field, found in fields.items()})
        assert [each["custom"]["voice_id"] for each in cut["supervisions"]] == ["voice-user", "voice-agent"] * 2


def test_a_piece_of_nothing_makes_no_shard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "PIECE_ROWS", 1)
    mute = changed(spoken(1), 1, lambda turn: with_take(turn, audio=None))
    result, out = export_rows("lhotse-shar", [spoken(0), mute, spoken(2)], tmp_path)
    assert (result.written, dict(result.refused)) == (2, {"a turn has no audio": 1})
    shards = {field: sorted((out / "train").glob(f"{field}.*")) for field in ("cuts", "recording", "target_audio")}
    assert {len(found) for found in shards.values()} == {2}
    assert {path.name.split(".")[1] for found in shards.values() for path in found} == {"000000", "000002"}


def test_what_a_killed_process_left_is_no_field(tmp_path: Path) -> None:
    (tmp_path / "out" / "train").mkdir(parents=True)
    (tmp_path / "out" / "work" / "pieces").mkdir(parents=True)
    (tmp_path / "out" / "train" / ".tmp-0123-cuts.000000.jsonl.gz").write_bytes(b"half")
    _, whole = export_rows("lhotse-shar", [spoken(0)], tmp_path / "whole")
    identity = json.loads((whole / "export.json").read_text())["of"]
    (tmp_path / "out" / "work" / "job.json").write_text(json.dumps(identity))
    export_rows("lhotse-shar", [spoken(0)], tmp_path)
    assert len(list((tmp_path / "out" / "train").iterdir())) == 3


def test_indexes_are_an_option_and_say_where_samples_begin(tmp_path: Path) -> None:
    result, out = export_rows("lhotse-shar", [spoken(0), spoken(1)], tmp_path, indexed=True)
    assert list(result.notes) == ["with indexes, Lhotse 1.33 reads lists of files, not the folder"]
    cuts, tars = out / "train" / "cuts.000000.jsonl", sorted((out / "train").glob("*.tar"))
    assert len(list((out / "train").iterdir())) == 6
    for file in (cuts, *tars):
        offsets = np.frombuffer(Path(f"{file}.idx").read_bytes(), "<u8").tolist()
        assert len(offsets) == 3 and offsets[-1] == file.stat().st_size
        if file == cuts:
            data = file.read_bytes()
            assert [json.loads(data[a:b])["id"] for a, b in pairwise(offsets)] == [
                each["id"] for each in cuts_of(cuts)
            ]
        else:
            with tarfile.open(file) as tar:
                assert offsets[:-1] == [member.offset for member in tar][::2]


def test_the_bytes_depend_on_the_corpus_alone(tmp_path: Path) -> None:
    _, first = export_rows("lhotse-shar", [spoken(0)], tmp_path / "first")
    _, second = export_rows("lhotse-shar", [spoken(0)], tmp_path / "second")
    for path in (first / "train").iterdir():
        assert path.read_bytes() == (second / "train" / path.name).read_bytes(), path.name
