"""Exporters of units turn by turn: InstructS2S's array, Ke-Omni's rows with durations, GLM-4-Voice's sequences."""

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from manifests.errors import UserError
from manifests.forms.glm4_voice import separated
from manifests.forms.units import expanded
from parley.testing.duplex import with_tokens, with_word_times
from parley.testing.exports import export_rows
from parley.testing.talks import BREAD, PATH, make_talk
from tests.text_tokenizer import make_text_tokenizer

RAW = (0, 0, 1, 1, 2)


def test_units_raw_and_merged(tmp_path: Path) -> None:
    talk = with_tokens(make_talk(0, *BREAD, seconds=0.1), "s3-v2")
    _, out = export_rows("instructs2s", [talk], tmp_path)
    [row] = json.loads((out / "train.json").read_text())
    assert [(turn["from"], turn["text"]) for turn in row["conversation"]] == list(
        zip(["human", "gpt"] * 2, BREAD, strict=True)
    )
    for number, turn in enumerate(row["conversation"]):
        assert turn["unit"] == [unit + 100 * number for unit in RAW] and "unit_counts" not in turn
        assert (out / turn["speech"]).is_file()
    _, out = export_rows("instructs2s", [talk], tmp_path / "merged", unit="merged", units_of="agent")
    [row] = json.loads((out / "train.json").read_text())
    asked, said = row["conversation"][:2]
    assert "unit" not in asked and said["unit"] == [100, 101, 102]
    assert expanded(said["unit"], said["unit_counts"]) == tuple(unit + 100 for unit in RAW)


def test_units_are_asked_of_those_who_have_them(tmp_path: Path) -> None:
    talks = [with_tokens(make_talk(0, *BREAD, seconds=0.1), "s3-v2"), make_talk(1, *BREAD)]
    result, _ = export_rows("instructs2s", talks, tmp_path)
    assert (result.written, dict(result.refused)) == (1, {"no speech tokens": 1})
    with pytest.raises(UserError, match="it has those of s3-v2"):
        export_rows("instructs2s", talks, tmp_path / "other", tokenizer="hubert")


def test_durations_of_text_tokens_are_all_frames(tmp_path: Path) -> None:
    talks = [with_word_times(with_tokens(make_talk(0, *BREAD), "hubert")), with_tokens(make_talk(1, *BREAD), "hubert")]
    tokenizer = str(make_text_tokenizer(tmp_path / "bytes"))
    result, out = export_rows("ke-omni", talks, tmp_path, text_tokenizer=tokenizer)
    assert dict(result.refused) == {"a turn has no complete word times": 1} and not result.notes
    rows = pq.read_table(out / "data").to_pylist()
    assert [(row["round"], row["agent_text"]) for row in rows] == [(1, BREAD[1]), (2, BREAD[3])]
    for row in rows:
        assert len(row["agent_units"]) == 25 == sum(row["text_token_durations"]), "never merged"
        assert len(row["text_tokens"]) == len(row["text_token_durations"]) == len(row["agent_text"])
        frames = expanded(range(len(row["text_tokens"])), row["text_token_durations"])
        second_word = row["agent_text"].index(" ")
        assert frames.index(second_word) == int(25 / len(row["agent_text"].split()) + 0.5), (
            "words share the clip evenly"
        )
        assert row["agent_audio"]["bytes"][:4] == b"RIFF"


def test_units_without_durations(tmp_path: Path) -> None:
    talk = with_tokens(make_talk(1, *PATH, language="zh"), "hubert")
    result, out = export_rows("ke-omni", [talk], tmp_path)
    assert any("no text_token_durations" in note for note in result.notes)
    [row] = pq.read_table(out / "data").to_pylist()
    assert row["text_token_durations"] is None and len(row["agent_units"]) == 25
    timed = with_word_times(talk)
    _, out = export_rows("ke-omni", [timed], tmp_path / "timed", text_tokenizer="characters")
    [row] = pq.read_table(out / "data").to_pylist()
    assert row["text_tokens"] == list(PATH[1]) and sum(row["text_token_durations"]) == 25


def test_glm_4_voice_takes_turns_of_text_and_audio(tmp_path: Path) -> None:
    talk = with_tokens(make_talk(0, "is it", "it is what it is", seconds=1.0), "glm-4-voice")
    settings = {"text_tokenizer": "characters", "text_run": 4, "audio_run": 8}
    result, out = export_rows("glm-4-voice", [talk], tmp_path, **settings)
    [row] = [json.loads(line) for line in (out / "train.jsonl").read_text().splitlines()]
    asked, said = row["turns"]
    assert asked["tokens"][0] == "<|begin_of_audio|>" and asked["tokens"][-1] == "<|end_of_audio|>"
    assert separated(asked["tokens"])[1] == tuple(frame // 2 for frame in range(50))
    text, codes = separated(said["tokens"])
    assert "".join(text) == "it is what it is" and codes == tuple(100 + frame // 2 for frame in range(50))
    assert said["tokens"][4:12] == [f"<|audio_{100 + frame // 2}|>" for frame in range(8)]
    assert said["tokens"][12:16] == list("s wh") and any("not those of a model" in note for note in result.notes)
    with pytest.raises(UserError, match="needs the setting text_tokenizer"):
        export_rows("glm-4-voice", [talk], tmp_path / "none")
