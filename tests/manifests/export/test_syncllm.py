"""The SyncLLM exporter: chunks of both channels, turn by turn with silence, and sentences as text or units."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from manifests.errors import UserError
from manifests.export.contract import Export
from manifests.forms.syncllm import interpolated, turns_of
from manifests.schema import Dialogue
from parley.testing.duplex import make_duplex, with_tokens, with_word_times
from parley.testing.exports import export_rows
from parley.testing.talks import make_talk

HOP = 640
"""Samples of a frame of 40 ms."""


def exported(directory: Path, *rows: Dialogue, **settings: Any) -> tuple[Export, list[dict[str, Any]]]:
    result, out = export_rows("syncllm", rows, directory, **{"tokenizer": "hubert", **settings})
    file = out / "train.jsonl"
    return result, [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def talk(number: int = 0, *texts: str) -> Dialogue:
    """An exchange with units and word times; a turn has 0.4 s, so 10 units, in five pairs."""
    said = texts or ("Is it? Or not?", "Yes. It is.")
    return with_word_times(with_tokens(make_talk(number, *said, seconds=0.4), "hubert", hop_length=HOP))


def test_chunks_of_two_channels(tmp_path: Path) -> None:
    row = make_duplex(0, ("user", "hi", 0.0, 0.4), ("agent", "yes", 0.4, 0.2), tokenizer="hubert", hop_length=HOP)
    _, [found] = exported(tmp_path, row, chunk_ms=200)
    agent, user = interpolated(found["text"], found["chunk_units"], found["num_units"])
    assert agent == tuple(range(2000, 2015)) and user == tuple(range(15))
    assert found["text"].startswith("[S0][2000]") and (found["chunk_units"], found["unit_ms"]) == (5, 40.0)
    _, [turned] = exported(tmp_path / "turned", row, chunk_ms=240, speaker_0="user")
    assert turned["text"].startswith("[S0][0]") and turned["chunk_units"] == 6


def test_turn_by_turn_the_other_speaker_is_silent_for_as_long(tmp_path: Path) -> None:
    _, [found] = exported(tmp_path, talk(), silence_unit=7)
    agent, user = interpolated(found["text"], 4, found["num_units"])
    assert found["text"].startswith("[S0][7][S1][0][1][S0][S1][2][3]")
    assert agent[:8] == (7,) * 8 and user[12:] == (7,) * 8, "wrong only in the chunk in which the turn ends"
    refused, _ = exported(tmp_path / "not", talk())
    assert dict(refused.refused) == {"it has no timeline": 1}


def test_sentences_are_text_or_units(tmp_path: Path) -> None:
    rows = [talk(number) for number in range(12)]
    _, found = exported(tmp_path, *rows, form="sentences")
    kinds = set[tuple[bool, ...]]()
    for row in found:
        (asker, asked), (answerer, answered) = turns_of(row["text"])
        assert (asker, answerer) == (1, 0)
        for parts, heard in ((asked, range(0, 5)), (answered, range(100, 105))):
            for part in parts:
                assert part.text is None or part.text.strip() in {"Is it?", "Or not?", "Is it? Or not?"} | {
                    "Yes.",
                    "It is.",
                    "Yes. It is.",
                }
                assert set(part.units) <= set(heard) and list(part.units) == sorted(set(part.units))
        kinds.add(tuple(part.text is None for part in asked))
    assert len(kinds) > 2, "drawn by dialogue"
    _, again = exported(tmp_path / "again", *rows[3:], form="sentences")
    assert again == found[3:], "a draw does not depend on the rows before it"
    _, other = exported(tmp_path / "other", *rows, form="sentences", seed=1)
    assert other != found


def test_all_or_no_sentence_is_speech(tmp_path: Path) -> None:
    _, [spoken] = exported(tmp_path, talk(), form="sentences", speech_share=1.0, speech_share_sd=0.0)
    assert spoken["text"] == "[S1][0][1][2][3][4][S0][100][101][102][103][104]" and not re.search(
        "[a-z]", spoken["text"]
    )
    _, [written] = exported(tmp_path / "written", talk(), form="sentences", speech_share=0.0, speech_share_sd=0.0)
    assert written["text"] == "[S1]Is it? Or not?[S0]Yes. It is."


def test_what_would_be_lost_is_refused(tmp_path: Path) -> None:
    untimed = with_tokens(make_talk(1, "Is it?", "Yes.", seconds=0.4), "hubert", hop_length=HOP)
    bare = with_word_times(make_talk(2, "Is it?", "Yes."))
    marked = talk(3, "Is [S0] it?", "Yes.")
    cut = replace(talk(4), turns=(talk(4).turns[0], replace(talk(4).turns[1], unsaid=" and more")))
    result, _ = exported(tmp_path, talk(), untimed, bare, marked, cut, form="sentences")
    assert (result.written, dict(result.refused)) == (
        1,
        {
            "a text contains [": 1,
            "a turn has no complete word times": 1,
            "an answer is cut off by an interruption": 1,
            "no speech tokens": 1,
        },
    )


def test_a_chunk_is_a_whole_number_of_frames(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="a chunk of 150 ms is no whole number of frames: hubert has one in 40 ms"):
        exported(tmp_path, talk(), chunk_ms=150)
