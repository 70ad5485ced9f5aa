"""VoiceAssistant-400K's columns: the exact struct of an Audio column, the SNAC text, and null for no tokens."""

import io
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import soundfile

from manifests.corpus import Corpus
from manifests.errors import UserError
from manifests.export._speech_tokens import SNAC_24KHZ
from manifests.forms.snac import snac_text
from parley.testing.corpora import make_corpus
from parley.testing.exports import export_rows, export_to
from parley.testing.talks import BREAD, PATH, make_talk, make_talks
from pipeline import export
from tests.speech_tokens import made_tokens, tokenized

COLUMNS = ["split_name", "index", "round", "question", "question_audio", "answer", "answer_snac"]


def test_each_exchange_is_a_row(tmp_path: Path) -> None:
    _, out = export_rows("voiceassistant", make_talks(), tmp_path)
    table = pq.read_table(out / "data" / "train-00000.parquet")
    assert table.column_names == COLUMNS
    rows = table.to_pylist()
    assert [(row["round"], row["answer"]) for row in rows] == [("1", BREAD[1]), ("2", BREAD[3]), ("1", PATH[1])]
    assert rows[0]["index"] == rows[1]["index"] != rows[2]["index"]
    assert rows[1]["question"] == f"USER: {BREAD[0]} ASSISTANT: {BREAD[1]} <USER>: {BREAD[2]}"
    assert len({row["question_audio"]["path"] for row in rows}) == 3
    for row in rows:
        info = soundfile.info(io.BytesIO(row["question_audio"]["bytes"]))
        assert (info.samplerate, info.frames) == (22_050, 11_025)


def test_questions_can_do_without_history(tmp_path: Path) -> None:
    _, out = export_rows("voiceassistant", [make_talk(0, "USER: hello", "hello")], tmp_path, history=False)
    assert pq.read_table(out / "data").column("question").to_pylist() == ["USER: hello"]


def test_the_audio_column_is_exactly_what_datasets_takes(tmp_path: Path) -> None:
    _, out = export_rows("voiceassistant", make_talks(), tmp_path, sample_rate=16_000)
    schema = pq.read_schema(out / "data" / "train-00000.parquet")
    assert schema.field("question_audio").type == pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    features = json.loads(schema.metadata[b"huggingface"])["info"]["features"]
    assert list(features) == COLUMNS
    assert features["question_audio"] == {"sampling_rate": 16_000, "decode": False, "_type": "Audio"}


def test_arrays_hold_the_samples(tmp_path: Path) -> None:
    _, out = export_rows("voiceassistant", make_talks(), tmp_path, audio="array", sample_rate=16_000)
    table = pq.read_table(out / "data" / "train-00000.parquet")
    first = table.column("question_audio").to_pylist()[0]
    assert list(first) == ["path", "array", "sampling_rate"]
    assert (len(first["array"]), first["sampling_rate"]) == (8_000, 16_000)
    assert np.abs(first["array"]).max() > 0.05
    assert not table.schema.metadata or b"huggingface" not in table.schema.metadata


def test_no_tokens_are_null_and_never_an_empty_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "PIECE_ROWS", 1)
    corpus = Corpus(make_corpus(tmp_path / "corpus", make_talks()))
    result, out = export_to("voiceassistant", {"train": corpus}, tmp_path / "out")
    files = sorted(out.glob("data/*.parquet"))
    assert len(files) == 2
    for file in files:
        table = pq.read_table(file)
        assert table.schema.field("answer_snac").type == pa.string(), "every file has the full schema"
        assert set(table.column("answer_snac").to_pylist()) == {None}, "an empty text trains silence"
    assert any("text alone" in note for note in result.notes)


def test_speech_is_refused_without_speech_tokens(tmp_path: Path) -> None:
    result, _ = export_rows("voiceassistant", make_talks(), tmp_path, target="speech")
    assert (result.written, dict(result.refused)) == (0, {"no speech tokens of snac-24khz": 2})


def test_the_text_of_snac_speech_tokens(tmp_path: Path) -> None:
    codes = ((11, 12), (21, 22, 23, 24), (31, 32, 33, 34, 35, 36, 37, 38))
    text = "# 11 21 31 32 22 33 34 # 12 23 35 36 24 37 38 #"
    assert snac_text(codes) == text
    talks = [tokenized(talk, made_tokens(SNAC_24KHZ, *codes)) for talk in make_talks()]
    crooked = tokenized(make_talk(2, *PATH), made_tokens(SNAC_24KHZ, *codes[:2], codes[2][:7]))
    result, out = export_rows("voiceassistant", [*talks, crooked], tmp_path, target="speech")
    assert set(pq.read_table(out / "data").column("answer_snac").to_pylist()) == {text}
    assert list(result.refused) == [
        "the speech tokens of snac-24khz have another size or rate than those of snac-24khz that it reads"
    ]


def test_what_it_would_spoil_is_refused(tmp_path: Path) -> None:
    talks = [make_talk(0, "hello USER: you", "yes"), make_talk(1, *PATH, seconds=30.01), make_talk(2, *PATH)]
    result, _ = export_rows("voiceassistant", talks, tmp_path)
    assert (result.written, dict(result.refused)) == (
        1,
        {"a text contains USER:": 1, "a user's clip is longer than 30 s": 1},
    )
    with pytest.raises(UserError, match="sample_rate is 0"):
        export_rows("voiceassistant", talks, tmp_path / "rate", sample_rate=0)
