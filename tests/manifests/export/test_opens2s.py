"""OpenS2S and Kimi-Audio: messages as their loaders assert them."""

import json
from pathlib import Path
from typing import Any

import pytest

from manifests.corpus import Corpus
from manifests.errors import UserError
from manifests.export._speech_tokens import GLM4_VOICE
from parley.testing.corpora import make_corpus
from parley.testing.exports import export_rows, export_to
from parley.testing.talks import BREAD, PATH, make_talk, make_talks
from tests.speech_tokens import made_tokens, tokenized

KEYS = {"text", "audio", "speech_units", "spk_emb"}


def read(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def test_every_item_has_all_four_keys(tmp_path: Path) -> None:
    _, out = export_rows("opens2s", make_talks(), tmp_path)
    rows = read(out / "train" / "messages.jsonl")
    assert all(set(row) == {"messages"} for row in rows)
    messages = [message for row in rows for message in row["messages"]]
    assert [message["role"] for message in messages] == ["user", "assistant"] * 3
    for message in messages:
        (item,) = message["content"]
        assert set(item) == KEYS
        assert bool(item["audio"]) == (message["role"] == "user")
        assert not item["speech_units"]
    assert [message["content"][0]["text"] for message in messages] == ["", BREAD[1], "", BREAD[3], "", PATH[1]]
    assert all((out / message["content"][0]["audio"]).is_file() for message in messages[::2])


def test_splits_have_directories_since_its_readme_reads_all_files_of_one(tmp_path: Path) -> None:
    corpus = Corpus(make_corpus(tmp_path / "corpus", make_talks()))
    _, out = export_to("opens2s", {"train": corpus[:1], "validation": corpus[1:]}, tmp_path / "out")
    assert [len(read(file)) for file in sorted(out.glob("*/*.jsonl"))] == [1, 1]
    assert not list(out.glob("*.jsonl"))


def test_a_clip_that_it_drops_is_refused(tmp_path: Path) -> None:
    result, _ = export_rows("opens2s", [make_talk(0, *PATH, seconds=0.49), make_talk(1, *PATH)], tmp_path)
    assert (result.written, dict(result.refused)) == (1, {"a user's clip is shorter than 0.5 s": 1})


def test_a_text_with_marks_is_refused(tmp_path: Path) -> None:
    result, _ = export_rows("opens2s", [make_talk(0, "hello", "a <|im_tts_end|> b")], tmp_path)
    assert dict(result.refused) == {"a text contains <|": 1}


def test_a_path_with_colons_would_be_a_range(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="colons"):
        export_rows("opens2s", make_talks(), tmp_path, root="/data/a:1:2")


def test_units_are_text_and_never_made_up(tmp_path: Path) -> None:
    result, _ = export_rows("opens2s", make_talks(), tmp_path / "without", target="speech")
    assert dict(result.refused) == {"no speech tokens of glm-4-voice": 2}
    talks = [tokenized(talk, made_tokens(GLM4_VOICE, (1, 16_383))) for talk in make_talks()]
    _, out = export_rows("opens2s", talks, tmp_path / "with", target="speech")
    rows = read(out / "train" / "messages.jsonl")
    items = [message["content"][0] for row in rows for message in row["messages"][1::2]]
    assert [item["speech_units"] for item in items] == ["<|audio_1|><|audio_16383|>"] * 3
    assert all(item["text"] for item in items), "it asserts a text beside units"


def test_kimi_audio_gets_clips_in_and_texts_out(tmp_path: Path) -> None:
    _, out = export_rows("kimi-audio", make_talks(), tmp_path)
    bread, path = read(out / "train.jsonl")
    assert (out / "train.jsonl").read_bytes().isascii(), "its script opens it in the machine's encoding"
    assert [row["task_type"] for row in (bread, path)] == ["understanding"] * 2
    assert [(message["role"], message["message_type"]) for message in bread["conversation"]] == [
        ("user", "audio"),
        ("assistant", "text"),
    ] * 2
    assert path["conversation"][1]["content"] == PATH[1]
    assert (out / path["conversation"][0]["content"]).is_file()


def test_kimi_audio_learns_a_text_only_as_a_message_of_its_own(tmp_path: Path) -> None:
    result, out = export_rows("kimi-audio", make_talks(), tmp_path, task="speech2speech")
    bread, _ = read(out / "train.jsonl")
    kinds = [(message["role"], message["message_type"]) for message in bread["conversation"]]
    assert kinds == [("user", "audio"), ("assistant", "text"), ("assistant", "audio")] * 2
    clips = [message["content"] for message in bread["conversation"] if message["message_type"] == "audio"]
    assert [clip[-5] for clip in clips] == list("0123")
    assert any("tokenize_message" in note for note in result.notes)
