"""VocalNet, LLaMA-Omni and LLaMA-Omni 2: an array in ASCII, and as many turns as their code reads."""

import json
from pathlib import Path
from typing import Any

import pytest

from manifests.errors import UserError
from manifests.export._speech_tokens import HUBERT_KM1000, S3_V2
from parley.testing.exports import export_rows
from parley.testing.talks import BREAD, PATH, make_talk, make_talks
from tests.speech_tokens import made_tokens, tokenized


def read(out: Path) -> list[dict[str, Any]]:
    """Read as a machine does whose encoding is ASCII."""
    return list(json.loads((out / "train.json").read_text(encoding="ascii")))


def test_vocalnet_gets_speech_and_two_messages(tmp_path: Path) -> None:
    result, out = export_rows("vocalnet", make_talks(), tmp_path)
    (row,) = read(out)
    assert dict(result.refused) == {"it has more than one exchange": 1}
    assert row["conversations"] == [{"from": "human", "value": "<speech>"}, {"from": "gpt", "value": PATH[1]}]
    assert (out / row["speech"]).is_file()
    assert set(row) == {"id", "speech", "conversations"}, "its first stage has no units"


@pytest.mark.parametrize("name", ["vocalnet", "llama-omni"])
def test_the_first_exchange_can_be_taken(name: str, tmp_path: Path) -> None:
    result, out = export_rows(name, make_talks(), tmp_path, first_exchange=True)
    rows = read(out)
    assert not result.refused
    assert [row["conversations"][1]["value"] for row in rows] == [BREAD[1], PATH[1]]
    assert [row["speech"][-5] for row in rows] == ["0", "0"]


def test_vocalnet_never_gets_units_that_are_not_there(tmp_path: Path) -> None:
    result, _ = export_rows("vocalnet", make_talks(), tmp_path / "without", target="speech", first_exchange=True)
    assert dict(result.refused) == {"no speech tokens of s3-v2": 2}
    talks = [tokenized(talk, made_tokens(S3_V2, (5, 5, 7))) for talk in make_talks()]
    _, out = export_rows("vocalnet", talks, tmp_path / "with", target="speech", first_exchange=True)
    assert [row["units"] for row in read(out)] == [[5, 5, 7], [5, 5, 7]]


def test_llama_omni_gets_the_mark_then_the_prompt(tmp_path: Path) -> None:
    _, out = export_rows("llama-omni", [make_talk(0, *PATH)], tmp_path / "own", prompt="请回答。")
    (row,) = read(out)
    assert row["conversations"] == [
        {"from": "human", "value": "<speech>\n请回答。"},
        {"from": "gpt", "value": PATH[1]},
    ]
    _, out = export_rows("llama-omni", [make_talk(0, *PATH)], tmp_path / "none", prompt="")
    assert read(out)[0]["conversations"][0]["value"] == "<speech>"
    with pytest.raises(UserError, match="prompt contains <speech>"):
        export_rows("llama-omni", [make_talk(0, *PATH)], tmp_path / "twice", prompt="<speech> answer")


def test_llama_omni2_gets_all_turns_with_clips(tmp_path: Path) -> None:
    result, out = export_rows("llama-omni2", make_talks(), tmp_path)
    bread, path = read(out)
    assert not result.refused
    assert [(turn["from"], turn["text"]) for turn in bread["conversation"]] == [
        (("human", "gpt")[place % 2], text) for place, text in enumerate(BREAD)
    ]
    clips = [turn["speech"] for row in (bread, path) for turn in row["conversation"]]
    assert len(set(clips)) == 6
    assert all((out / clip).is_file() for clip in clips)
    assert not any("unit" in turn for turn in bread["conversation"])


def test_llama_omni2_can_be_asked_for_the_last_answer(tmp_path: Path) -> None:
    _, out = export_rows("llama-omni2", make_talks(), tmp_path, last_answer=False)
    for row, texts in zip(read(out), (BREAD, PATH), strict=True):
        assert [turn["text"] for turn in row["conversation"]] == list(texts[:-1])
        assert len(row["conversation"]) % 2 == 1, "its inference asserts an odd number"


def test_llama_omni2_gets_units_where_they_are_asked_for(tmp_path: Path) -> None:
    bread, path = (tokenized(talk, made_tokens(S3_V2, (1, 2))) for talk in make_talks())
    talks = [bread, tokenized(path, made_tokens(S3_V2, (3, 4)), "user", "agent"), make_talk(2, *PATH)]
    result, out = export_rows("llama-omni2", talks, tmp_path / "speech", target="speech")
    turns = [turn for row in read(out) for turn in row["conversation"]]
    assert [turn.get("unit") for turn in turns] == [None, [1, 2], None, [1, 2], [3, 4], [3, 4]]
    assert (dict(result.refused), list(result.notes)) == ({"no speech tokens of s3-v2": 1}, [])
    _, out = export_rows("llama-omni2", talks, tmp_path / "text")
    assert not any("unit" in turn for row in read(out) for turn in row["conversation"])


def test_llama_omni_gets_units_with_repetitions_merged(tmp_path: Path) -> None:
    talks = [tokenized(make_talk(0, *PATH), made_tokens(HUBERT_KM1000, (7, 7, 7, 9, 7, 7))), make_talk(1, *PATH)]
    result, out = export_rows("llama-omni", talks, tmp_path, target="speech")
    assert [row["unit"] for row in read(out)] == [[7, 9, 7]]
    assert dict(result.refused) == {"no speech tokens of hubert-l11-km1000": 1}


@pytest.mark.parametrize("name", ["vocalnet", "llama-omni", "llama-omni2"])
def test_what_they_would_spoil_is_refused(name: str, tmp_path: Path) -> None:
    talks = [make_talk(0, "hello", "say <speech> now"), make_talk(1, *PATH, seconds=30.01), make_talk(2, *PATH)]
    result, _ = export_rows(name, talks, tmp_path)
    assert (result.written, dict(result.refused)) == (
        1,
        {"a text contains <speech>": 1, "a user's clip is longer than 30 s": 1},
    )
