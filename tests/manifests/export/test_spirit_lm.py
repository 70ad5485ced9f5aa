"""The Spirit LM exporter: spans at the borders of words, the raw streams beside them, and what it refuses."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from manifests.errors import UserError
from manifests.export.contract import Export
from manifests.forms.spirit_lm import parts_of, streams_of
from manifests.forms.units import merged
from manifests.schema import Dialogue
from parley.testing.corpora import with_take
from parley.testing.duplex import make_duplex, make_tokens, with_tokens, with_word_times
from parley.testing.exports import export_rows
from parley.testing.talks import PATH, make_talk

TEXT = "one two three four five six seven eight nine ten"
UNITS = {"hop_length": 640}


def exported(directory: Path, *rows: Dialogue, **settings: Any) -> tuple[Export, list[dict[str, Any]]]:
    chosen = {"text_words": "1-3", "speech_words": "2-4", **settings}
    result, out = export_rows("spirit-lm", rows, directory, **{"tokenizer": "hubert", **chosen})
    file = out / "train.jsonl"
    return result, [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def talk(number: int = 0, text: str = TEXT, language: str = "en") -> Dialogue:
    """Turns of 2 s, so 50 units, whose words are equally long."""
    made = make_talk(number, text, text, seconds=2.0, language=language)
    return with_word_times(with_tokens(made, "hubert", hop_length=640))


def test_spans_of_text_and_speech_are_the_turn(tmp_path: Path) -> None:
    _, rows = exported(tmp_path, *(talk(number) for number in range(4)))
    kinds = set()
    words = TEXT.split()
    for row in rows:
        place, first = 0, 100 * row["turn"]
        raw = [int(unit) for unit in row["hubert"].split()]
        assert raw == [first + frame // 2 for frame in range(50)], "repeats stay in the raw stream"
        for kind, content in parts_of(row["text"]):
            if kind == "text":
                assert content.split() == words[place : place + len(content.split())]
                count = len(content.split())
                assert 1 <= count <= 3
            else:
                units = streams_of(content)["hubert"]
                start = 5 * place
                count = next(n for n in (1, 2, 3, 4) if merged(raw[start : start + 5 * n])[0] == units)
            place += count
            kinds.add(kind)
        assert place == len(words) and kinds == {"text", "speech"}
        assert row["words"][0] == ["one", 0.0, 0.2] and row["transcript"] == TEXT
    _, again = exported(tmp_path / "again", talk(2), talk(3))
    assert again == rows[4:], "a draw depends on the dialogue alone"
    _, other = exported(tmp_path / "other", talk(2), talk(3), seed=5)
    assert [row["text"] for row in other] != [row["text"] for row in again]


def test_one_kind_alone(tmp_path: Path) -> None:
    row = with_tokens(make_talk(0, "yes", "no", seconds=0.2), "hubert", hop_length=640)
    _, spoken = exported(tmp_path / "s", row, form="speech", roles="agent", markers="released")
    assert [each["text"] for each in spoken] == ["[Speech][Hu100][Hu101][Hu102]"]
    result, written = exported(tmp_path / "t", make_talk(0, "yes", "no"), form="text")
    assert [each["text"] for each in written] == ["[TEXT]yes", "[TEXT]no"] and result.written == 1
    assert "hubert" not in written[0]


def test_text_without_spaces_stays_so(tmp_path: Path) -> None:
    _, rows = exported(tmp_path, *(talk(number, PATH[1], "zh") for number in range(4)))
    text = "".join(content for kind, content in parts_of(rows[0]["text"], is_spaced=False) if kind == "text")
    assert " " not in text and set(text) <= set(PATH[1])


def test_pitch_and_style_stand_in_the_stream(tmp_path: Path) -> None:
    def voiced(number: int, style: tuple[int, ...] = (7, 8)) -> Dialogue:
        made = talk(number)
        pitch = make_tokens("pitch", [frame // 5 for frame in range(25)], hop_length=1280)
        more = (pitch, make_tokens("style", style, hop_length=16_000)) if style else (pitch,)
        turns = [with_take(turn, tokens=(*turn.take.tokens, *more)) for turn in made.turns if turn.take]
        return replace(made, turns=tuple(turns))

    named = {"pitch": "pitch", "style": "style", "form": "speech", "hubert_rate": 25.0}
    result, rows = exported(tmp_path, voiced(0), voiced(1, ()), **named)
    assert dict(result.refused) == {"no speech tokens": 1}
    assert rows[0]["text"].startswith("[SPEECH][St7][Pi0][Hu0][Hu1][Hu2][Hu3][Hu4][Pi1][Hu5]")
    assert "[Pi2][Hu10][Hu11][Hu12][St8][Hu13]" in rows[0]["text"], "style comes each second"
    assert (rows[0]["style"], len(rows[0]["pitch"].split())) == ("7 8", 25)
    threes = {**named, "form": "interleaved", "text_words": "3", "speech_words": "3"}
    _, spans = exported(tmp_path / "spans", *(voiced(number) for number in range(4)), **threes)
    begun = set()
    for row in spans:
        parts = parts_of(row["text"])
        begun.add(parts[0][0])
        for number, (kind, content) in enumerate(parts):
            style = 7 if 0.2 * 3 * number < 1 else 8
            assert kind == "text" or content.startswith(f"[St{style}]"), "each span begins with the style it lies in"
    assert begun == {"text", "speech"}
    with pytest.raises(UserError, match="pitch and style belong together"):
        exported(tmp_path / "half", voiced(0), pitch="pitch")


def test_what_would_be_lost_is_refused(tmp_path: Path) -> None:
    untimed = with_tokens(make_talk(1, "a", "b"), "hubert", hop_length=640)
    marked = talk(2, "say [TEXT] now")
    bare = with_word_times(make_talk(3, "a", "b"))
    result, _ = exported(tmp_path, talk(0), untimed, marked, bare)
    assert dict(result.refused) == {
        "a text contains [": 1,
        "a turn has no complete word times": 1,
        "no speech tokens": 1,
    }
    with pytest.raises(UserError, match="text_words is 3-1: take a range"):
        exported(tmp_path / "range", talk(0), text_words="3-1")


def test_a_turn_that_nobody_hears_has_no_row(tmp_path: Path) -> None:
    made = make_duplex(
        0, ("user", "one two", 0.0, 1.0), ("agent", "hm", 0.4, 0.2, "backchannel"), ("agent", "ok", 1.0, 0.4)
    )
    made = with_word_times(with_tokens(made, "hubert", hop_length=640))
    out = replace(made, turns=(made.turns[0], replace(made.turns[1], start_sample=None, take=None), made.turns[2]))
    assert [row["turn"] for row in exported(tmp_path, out)[1]] == [0, 2]
    assert [row["turn"] for row in exported(tmp_path / "all", made)[1]] == [0, 1, 2]
