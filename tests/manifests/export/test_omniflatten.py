"""The OmniFlatten exporter: chunks of two channels, silent tokens, the mask, and what it refuses."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from manifests.errors import UserError
from manifests.export.contract import Export
from manifests.forms.omniflatten import (
    SILENT_SPEECH,
    SILENT_TEXT,
    SPECIAL,
    Chunks,
    rounds_of,
    sample_parts,
    speech_code,
    streams_of,
    texts_of,
)
from manifests.schema import Dialogue
from parley.testing.corpora import with_take
from parley.testing.duplex import make_duplex, make_tokens, with_tokens
from parley.testing.exports import export_rows
from parley.testing.talks import make_talk

BY_WORD = {"text_tokenizer": "characters", "characters_per_token": 2.0}


def exported(directory: Path, *rows: Dialogue, **settings: Any) -> tuple[Export, list[dict[str, Any]]]:
    result, out = export_rows("omniflatten", rows, directory, **(BY_WORD | settings))
    return result, pq.read_table(out / "data").to_pylist() if result.written else []


def duplex(number: int = 0, answer: str = "aabbc") -> Dialogue:
    """The user speaks for 0.4 s, the agent then for 0.5 s; both channels end in silence at 1.1 s."""
    return make_duplex(number, ("user", "hello", 0.0, 0.4), ("agent", answer, 0.4, 0.5), seconds=1.1)


def test_three_streams(tmp_path: Path) -> None:
    result, [row] = exported(tmp_path, duplex())
    assert result.written == 1
    streams = streams_of(row["tokens"], Chunks(10, 2))
    assert [speech_code(token) for token in streams.user[:55]] == list(range(55)), "real tokens where nobody speaks"
    assert streams.user[55:] == (SILENT_SPEECH,) * 5, "the end of the last chunk"
    silent = [token == SILENT_SPEECH for token in streams.agent]
    assert silent == [True] * 20 + [False] * 25 + [True] * 15
    assert [speech_code(token) for token in streams.agent[20:45]] == list(range(2020, 2045))
    assert streams.text == (*[SILENT_TEXT] * 4, "aa", "bb", "c", *[SILENT_TEXT] * 5)
    assert row["is_learned"] == ([False] * 10 + [True] * 12) * 6


def test_the_silence_at_the_edges_of_a_clip_is_silent(tmp_path: Path) -> None:
    talk = duplex()
    assert talk.timeline is not None
    events = [replace(event, start_sample=event.start_sample + 1600) for event in talk.timeline.events]
    _, [row] = exported(tmp_path, replace(talk, timeline=replace(talk.timeline, events=tuple(events))))
    streams = streams_of(row["tokens"], Chunks(10, 2))
    assert [token == SILENT_SPEECH for token in streams.agent] == [True] * 25 + [False] * 20 + [True] * 15


def test_two_streams_need_no_text_tokenizer(tmp_path: Path) -> None:
    result, [row] = exported(tmp_path, duplex(), form="2-stream", text_tokenizer="")
    assert len(row["tokens"]) == 120 and not result.notes
    streams = streams_of(row["tokens"], Chunks(10, 0))
    assert streams.agent.count(SILENT_SPEECH) == 35


def test_what_is_heard_of_the_agent_is_not_silent_while_the_user_speaks(tmp_path: Path) -> None:
    talk = make_duplex(
        0, ("user", "hello there", 0.0, 1.0), ("agent", "hm", 0.4, 0.2, "backchannel"), ("agent", "yes", 1.0, 0.4)
    )
    _, [row] = exported(tmp_path, talk)
    streams = streams_of(row["tokens"], Chunks(10, 2))
    spoken = [number for number, token in enumerate(streams.agent) if token != SILENT_SPEECH]
    assert spoken == [*range(20, 30), *range(50, 70)]
    assert texts_of(streams.text) == [("hm",), ("ye", "s")]


def test_a_turn_that_was_left_out_is_silence(tmp_path: Path) -> None:
    talk = make_duplex(
        0, ("user", "hello there", 0.0, 1.0), ("agent", "hm", 0.4, 0.2, "backchannel"), ("agent", "yes", 1.0, 0.4)
    )
    turns = [replace(turn, start_sample=None, take=None) if turn.kind != "turn" else turn for turn in talk.turns]
    _, [row] = exported(tmp_path, replace(talk, turns=tuple(turns)))
    streams = streams_of(row["tokens"], Chunks(10, 2))
    assert [number for number, token in enumerate(streams.agent) if token != SILENT_SPEECH] == [*range(50, 70)]


def test_four_streams_come_from_the_turns(tmp_path: Path) -> None:
    talk = with_tokens(make_talk(0, "is it rye", "yes", "how so", "it is", seconds=0.1), "s3-v1")
    _, [row] = exported(tmp_path, talk, form="4-stream")
    first, second = rounds_of(row["tokens"])
    assert [speech_code(token) for token in first.user_speech] == [0, 0, 1, 1, 2]
    assert [speech_code(token) for token in second.agent_speech] == [300, 300, 301, 301, 302]
    assert (first.user_text, first.agent_text) == (("is", " i", "t ", "ry", "e"), ("ye", "s"))
    assert sum(row["is_learned"]) == 2 * (4 + 5) + len(first.agent_text) + len(second.agent_text)


def test_one_of_several_books_is_taken(tmp_path: Path) -> None:
    talk = make_talk(0, "is it", "yes", seconds=0.1)
    books = make_tokens("mimi", range(5), range(100, 105))
    talk = replace(talk, turns=tuple(with_take(turn, tokens=(books,)) for turn in talk.turns))
    _, [row] = exported(tmp_path, talk, form="4-stream", tokenizer="mimi:1")
    assert [speech_code(token) for token in rounds_of(row["tokens"])[0].agent_speech] == list(range(100, 105))


@pytest.mark.parametrize(("which", "mark"), [("asr", "<|ASR|>"), ("tts", "<|TTS|>")])
def test_the_samples_of_the_alignment_stage_are_turns(tmp_path: Path, which: str, mark: str) -> None:
    talk = with_tokens(make_talk(0, "is it rye", "yes", seconds=0.1), "s3-v1")
    _, rows = exported(tmp_path, talk, form=which, max_tokens=1024)
    assert [row["turn"] for row in rows] == [0, 1]
    speech, text = sample_parts(rows[1]["tokens"])
    assert rows[1]["tokens"][0] == mark and text == ("ye", "s")
    assert [speech_code(token) for token in speech] == [100, 100, 101, 101, 102]


def test_the_added_tokens_hold_every_token_that_is_no_text(tmp_path: Path) -> None:
    _, out = export_rows("omniflatten", [duplex()], tmp_path, **BY_WORD)
    added = json.loads((out / "added_tokens.json").read_text())
    assert added[: len(SPECIAL)] == list(SPECIAL) and len(added) == len(set(added)) == len(SPECIAL) + 4096


def test_what_would_be_lost_is_refused(tmp_path: Path) -> None:
    no_channel = with_tokens(make_talk(1, "a", "b", seconds=0.1), "s3-v1")
    other = duplex(2)
    assert other.timeline is not None
    tracks = [replace(track, tokens=(replace(track.tokens[0], revision="2"),)) for track in other.timeline.tracks]
    other = replace(other, timeline=replace(other.timeline, tracks=tuple(tracks)))
    short = duplex(3)
    assert short.timeline is not None
    user, agent = short.timeline.tracks
    agent = replace(agent, tokens=(make_tokens("s3-v1", range(54)),))
    short = replace(short, timeline=replace(short.timeline, tracks=(user, agent)))
    bare = duplex(4)
    assert bare.timeline is not None
    bare = replace(bare, timeline=replace(bare.timeline, tracks=()))
    rows = [duplex(0), no_channel, other, short, bare, duplex(5, "x" * 30), duplex(6, "say <|SOS|>")]
    result, _ = exported(tmp_path, *rows)
    assert (result.written, dict(result.refused)) == (
        1,
        {
            "a text contains <|": 1,
            "a text has more tokens than there are chunks before the next one": 1,
            "it has no timeline": 1,
            "its channels have different numbers of frames": 1,
            "its speech tokens are those of another revision or shape of the tokenizer": 1,
            "no speech tokens of a whole channel": 1,
        },
    )
    long, _ = exported(tmp_path / "long", duplex(), max_tokens=100)
    assert dict(long.refused) == {"a row has more than 100 tokens": 1}


def test_a_corpus_without_its_tokens_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="speech tokens of s3-v1, and the corpus has none: it has none at all"):
        exported(tmp_path / "none", make_talk(0, "a", "b"))
    talk = with_tokens(make_talk(0, "a", "b", seconds=0.1), "snac-24khz")
    with pytest.raises(UserError, match="it has those of snac-24khz"):
        exported(tmp_path / "other", talk)
    books = make_tokens("s3-v1", [1], [1, 2])
    odd = replace(talk, turns=tuple(with_take(turn, tokens=(books,)) for turn in talk.turns))
    with pytest.raises(UserError, match="gives 2 books with different frames, not 1 as asked for: name one of its"):
        exported(tmp_path / "books", odd)
    with pytest.raises(UserError, match="gives 2 books with different frames, not 1 as asked for: take another"):
        exported(tmp_path / "book", odd, tokenizer="s3-v1:1")
    with pytest.raises(UserError, match="take NAME, or NAME:BOOK"):
        exported(tmp_path / "name", odd, tokenizer="s3-v1:first")
    with pytest.raises(UserError, match="needs the setting text_tokenizer"):
        exported(tmp_path / "text", talk, text_tokenizer="")
