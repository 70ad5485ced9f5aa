"""hf-nested: tracks of mixed dialogues as columns of their own, exactly typed, and plain dialogues as before."""

import json
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from parley.testing.corpora import make_kept
from parley.testing.exports import export_rows
from tests.mixed import STARTS, make_mixed

AUDIO = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
TRACKS = ["user_track", "agent_track", "user_clean_track"]


def test_tracks_are_columns_where_there_are_some(tmp_path: Path) -> None:
    mixed = make_mixed(0)
    mixed = replace(mixed, turns=mixed.turns[:2])
    result, out = export_rows("hf-nested", [mixed, make_kept(1)], tmp_path)
    (file,) = out.rglob("*.parquet")
    assert result.written == 2
    schema = pq.read_schema(file)
    assert schema.names[-3:] == TRACKS and {schema.field(name).type for name in TRACKS} == {AUDIO}
    features = json.loads(schema.metadata[b"huggingface"])["info"]["features"]
    assert list(features) == schema.names
    assert features["agent_track"] == {"sampling_rate": 16_000, "decode": False, "_type": "Audio"}
    first, second = pq.read_table(file).to_pylist()
    assert mixed.timeline is not None
    assert [first[name]["bytes"] for name in TRACKS] == [track.audio.bytes for track in mixed.timeline.tracks]
    assert first["user_clean_track"]["path"] == f"{mixed.dialogue_id}-user-clean.flac"
    assert [turn["start_sample"] for turn in first["turns"]] == list(STARTS)
    assert [second[name] for name in TRACKS] == [None] * 3


def test_plain_dialogues_have_no_such_column(tmp_path: Path) -> None:
    _, out = export_rows("hf-nested", [make_kept(0)], tmp_path)
    (file,) = out.rglob("*.parquet")
    assert pq.read_schema(file).names == ["dialogue_id", "language", "user_voice", "agent_voice", "turns"]
