"""The CosyVoice exporter: its four lists, and all that its tools drop and say nothing."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from manifests.errors import UserError
from manifests.export._speech_tokens import S3_V2, SNAC_24KHZ
from manifests.schema import Dialogue
from parley.testing.corpora import make_audio, with_take
from parley.testing.exports import export_rows
from tests.speech_tokens import made_tokens, tokenized
from tests.tracks import at_rate, changed, clip, file_samples, spoken


def lists(directory: Path) -> dict[str, dict[str, list[str]]]:
    """The four files as the program reads them: a key, and what follows it, split on blanks."""
    return {
        name: {line.split()[0]: line.split()[1:] for line in (directory / name).read_text().splitlines()}
        for name in ("wav.scp", "text", "utt2spk", "spk2utt")
    }


def refused(directory: Path, row: Dialogue, **settings: Any) -> list[str]:
    result, out = export_rows("cosyvoice-train", [spoken(9), row], directory, **settings)
    assert len(lists(out / "train")["text"]) == 4 * result.written
    return list(result.refused)


def test_every_turn_is_an_utterance_in_all_lists(tmp_path: Path) -> None:
    rows = [spoken(0), spoken(1, "zh")]
    result, out = export_rows("cosyvoice-train", rows, tmp_path)
    assert (result.written, dict(result.refused)) == (2, {})
    found = lists(out / "train")
    ids = [f"{row.dialogue_id}-{turn}" for row in rows for turn in range(4)]
    assert list(found["wav.scp"]) == list(found["text"]) == list(found["utt2spk"]) == ids
    assert found["spk2utt"] == {"voice-agent": ids[1::2], "voice-user": ids[::2]}
    for row in rows:
        for number, turn in enumerate(row.turns):
            utterance = f"{row.dialogue_id}-{number}"
            assert " ".join(found["text"][utterance]) == turn.text
            assert found["utt2spk"][utterance] == [turn.take.voice_id if turn.take else None]
            (path,) = found["wav.scp"][utterance]
            samples, rate = file_samples((out / path).read_bytes())
            assert rate == 16_000 and np.array_equal(samples, clip(row, number, 16_000))


def test_one_role_and_a_prefix(tmp_path: Path) -> None:
    _, out = export_rows("cosyvoice-train", [spoken(0)], tmp_path, roles="agent", prefix="/data/")
    found = lists(out / "train")
    assert list(found["spk2utt"]) == ["voice-agent"] and len(found["text"]) == 2
    assert all(path.startswith("/data/train/wav/train-00000/") for (path,) in found["wav.scp"].values())


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda turn: with_take(turn, audio=None), "a turn has no audio"),
        (lambda turn: with_take(turn, audio=make_audio(0, 1_599)), "a clip is shorter than 0.1 s"),
        (lambda turn: with_take(turn, audio=make_audio(0, 480_001)), "a clip is longer than 30 s"),
        (lambda turn: with_take(turn, voice_id="a b"), "a voice's id has a blank, or is empty"),
        (lambda turn: with_take(turn, voice_id=""), "a voice's id has a blank, or is empty"),
        (lambda turn: replace(turn, text=" \n"), "a turn has no text"),
    ],
)
def test_what_is_dropped_is_refused(tmp_path: Path, change: Any, reason: str) -> None:
    assert refused(tmp_path, changed(spoken(0), 1, change)) == [reason]


@pytest.mark.parametrize("samples", [1_600, 480_000])
def test_the_limits_themselves_are_taken(tmp_path: Path, samples: int) -> None:
    edge = changed(spoken(0), 1, lambda turn: with_take(turn, audio=make_audio(0, samples)))
    assert refused(tmp_path, edge) == []


def test_longer_clips_up_to_what_training_takes(tmp_path: Path) -> None:
    long = changed(spoken(0), 1, lambda turn: with_take(turn, audio=make_audio(0, 16_000 * 40)))
    assert refused(tmp_path, long, max_s=102.4) == []


def test_low_rates_and_unsafe_ids_are_refused(tmp_path: Path) -> None:
    assert refused(tmp_path / "rate", at_rate(spoken(0), 1, 8_000)) == ["a clip's sample rate is below 16000 Hz"]
    blank = replace(spoken(0), dialogue_id="a b")
    assert refused(tmp_path / "blank", blank) == ["its id is no safe name for a file"]
    alone = replace(spoken(0), turns=spoken(0).turns[:1])
    result, _ = export_rows("cosyvoice-train", [spoken(1), alone], tmp_path / "role", roles="agent")
    assert dict(result.refused) == {"it has no turn of this role": 1}


@pytest.mark.parametrize(
    ("characters", "reason"),
    [(200, None), (201, "a text has no token, or more than 200"), (150, "a text has too few or too many tokens")],
)
def test_tokens_are_counted_where_a_tokenizer_is_named(tmp_path: Path, characters: int, reason: str | None) -> None:
    length = 16_000 if characters == 150 else 48_000  # 1 s takes 100 tokens
    row = changed(spoken(0), 1, lambda turn: replace(turn, text="a" * characters))
    row = changed(row, 1, lambda turn: with_take(turn, audio=make_audio(0, length)))
    found = refused(tmp_path, row, tokenizer="characters")
    assert [each.startswith(reason or "") for each in found] == [True] * bool(reason)


def test_a_note_says_that_tokens_were_not_counted(tmp_path: Path) -> None:
    result, _ = export_rows("cosyvoice-train", [spoken(0)], tmp_path / "not")
    assert list(result.notes) == [
        "text tokens were not counted: training drops a text of more than 200 and says nothing"
    ]
    result, _ = export_rows("cosyvoice-train", [spoken(0)], tmp_path / "counted", tokenizer="characters")
    assert not result.notes


def test_a_line_break_in_a_text_makes_no_line(tmp_path: Path) -> None:
    _, out = export_rows(
        "cosyvoice-train", [changed(spoken(0), 1, lambda turn: replace(turn, text="one\ntwo\u2028three"))], tmp_path
    )
    assert lists(out / "train")["text"][f"{spoken(0).dialogue_id}-1"] == ["one", "two", "three"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"prefix": "my data/"}, "prefix must have no blank"), ({"max_s": 103.0}, "max_s must be above 0.1 and at most")],
)
def test_wrong_settings_are_named(tmp_path: Path, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        export_rows("cosyvoice-train", [spoken(0)], tmp_path, **settings)


def test_speech_tokens_are_written_where_they_are_asked_for(tmp_path: Path) -> None:
    rows = [
        tokenized(spoken(0), made_tokens(S3_V2, (5, 5, 6)), "user", "agent"),
        tokenized(spoken(1), made_tokens(S3_V2, (7,)), "agent"),
        tokenized(spoken(2), made_tokens(SNAC_24KHZ, (1,), (1, 2), (1, 2, 3, 4), tokenizer="s3-v2"), "user", "agent"),
    ]
    result, out = export_rows("cosyvoice-train", rows, tmp_path, speech_tokens="s3-v2")
    found = json.loads((out / "train" / "utt2speech_token.json").read_text())
    assert found == {f"{rows[0].dialogue_id}-{turn}": [5, 5, 6] for turn in range(4)}
    assert dict(result.refused) == {"no speech tokens of s3-v2": 1, "its speech tokens are in several books": 1}
