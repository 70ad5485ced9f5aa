"""The Hugging Face exporter: what `datasets` needs of a Parquet file so that it does not drop the features."""

import io
import json
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import soundfile

from manifests.export.contract import Export
from manifests.schema import Dialogue
from parley.testing.corpora import make_audio, make_kept, with_take
from parley.testing.exports import export_rows


def exported(directory: Path, *rows: Dialogue) -> tuple[Export, list[Path]]:
    result, out = export_rows("hf", rows, directory)
    return result, sorted(out.rglob("*.parquet"))


def test_the_audio_column_is_exactly_what_datasets_takes(tmp_path: Path) -> None:
    result, (file,) = exported(tmp_path, *(make_kept(number) for number in range(3)))
    assert (result.written, dict(result.refused)) == (3, {})
    assert str(file.relative_to(tmp_path / "out")) == "data/train-00000.parquet"
    schema = pq.read_schema(file)
    assert schema.field("audio").type == pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    assert all(schema.field(name).nullable for name in schema.names)
    assert all(field.nullable for field in schema.field("audio").type)
    features = json.loads(schema.metadata[b"huggingface"])["info"]["features"]
    assert list(features) == schema.names
    assert features["audio"] == {"sampling_rate": make_audio().sample_rate, "decode": False, "_type": "Audio"}


def test_every_turn_is_a_row_with_a_path_of_its_own(tmp_path: Path) -> None:
    rows = [make_kept(number) for number in range(2)]
    _, (file,) = exported(tmp_path, *rows)
    table = pq.read_table(file).to_pylist()
    assert [(row["dialogue_id"], row["turn"], row["role"], row["text"]) for row in table] == [
        (row.dialogue_id, number, turn.role, turn.text) for row in rows for number, turn in enumerate(row.turns)
    ]
    assert len({row["audio"]["path"] for row in table}) == len(table)
    for row in table:
        samples, rate = soundfile.read(io.BytesIO(row["audio"]["bytes"]))
        assert (len(samples), rate) == (row["num_samples"], row["sampling_rate"])


def test_what_would_be_wrong_is_refused_and_counted(tmp_path: Path) -> None:
    good, mute, odd = (make_kept(number) for number in range(3))
    mute = replace(mute, turns=(mute.turns[0], with_take(mute.turns[1], audio=None)))
    other = replace(make_audio(), sample_rate=make_audio().sample_rate * 2)
    odd = replace(odd, turns=(with_take(odd.turns[0], audio=other), odd.turns[1]))
    result, (file,) = exported(tmp_path, good, mute, odd)
    assert result.written == 1
    assert result.refused == {"a turn has no audio": 1, "its sample rate is not that of the corpus": 1}
    assert set(pq.read_table(file).column("dialogue_id").to_pylist()) == {good.dialogue_id}


def test_the_same_corpus_gives_the_same_bytes(tmp_path: Path) -> None:
    rows = [make_kept(number) for number in range(3)]
    _, (first,) = exported(tmp_path / "first", *rows)
    _, (second,) = exported(tmp_path / "second", *rows)
    assert first.read_bytes() == second.read_bytes()


def test_turns_are_in_row_groups_of_whole_dialogues(tmp_path: Path) -> None:
    _, (file,) = exported(tmp_path, *(make_kept(number) for number in range(40)))
    groups = pq.ParquetFile(file).metadata
    assert [groups.row_group(number).num_rows for number in range(groups.num_row_groups)] == [64, 16]
