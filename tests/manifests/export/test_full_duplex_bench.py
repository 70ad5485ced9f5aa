"""Samples in Full-Duplex-Bench's layout: what is cut out, where what happens, and what is silent in the clean pair."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from manifests.audio import decode
from manifests.schema import Cue, Dialogue, Event
from parley.testing.corpora import RATE
from parley.testing.duplex import make_duplex, with_word_times
from parley.testing.exports import export_rows
from parley.testing.talks import make_talk
from tests.tracks import changed, file_samples


def talk(number: int = 0) -> Dialogue:
    """A question with a pause, its answer, over which the user murmurs, then an interruption."""
    made = make_duplex(
        number,
        ("user", "is it rye", 0.5, 1.0),
        ("agent", "it is rye and", 1.7, 1.5),
        ("user", "right", 2.0, 0.2, "backchannel"),
        ("user", "and wheat", 3.0, 0.5),
        seconds=4.0,
    )
    made = changed(made, 3, lambda turn: replace(turn, cue=Cue(1, 2)))
    pause = Event("pause", "user", round(0.8 * RATE), round(1.1 * RATE), 0)
    assert made.timeline is not None
    return replace(made, timeline=replace(made.timeline, events=(pause, *made.timeline.events)))


def folders(out: Path) -> set[str]:
    return {str(file.parent.relative_to(out / "train")) for file in out.rglob("input.wav")}


def read(out: Path, name: str) -> Any:
    return json.loads((out / "train" / name).read_text())


def test_every_task_has_its_folder_and_times(tmp_path: Path) -> None:
    result, out = export_rows("full-duplex-bench", [talk()], tmp_path, tail_s=1.0)
    assert result.written == 1
    assert folders(out) == {
        "v1.0/smooth_turn_taking/made-00000000-0",
        "v1.0/pause_handling/made-00000000-0",
        "v1.0/user_interruption/made-00000000-3",
        "v1.5/user_backchannel/made-00000000-2",
        "v1.5/user_interruption/made-00000000-3",
    }
    assert read(out, "v1.0/smooth_turn_taking/made-00000000-0/turn_taking.json") == [
        {"text": "[TURN-TAKING]", "timestamp": [1.0, 1.2]}
    ]
    assert read(out, "v1.0/pause_handling/made-00000000-0/pause.json") == [
        {"text": "[PAUSE]", "timestamp": [0.3, 0.6]}
    ]
    assert read(out, "v1.0/user_interruption/made-00000000-3/interrupt.json") == [
        {"context": "is it rye", "interrupt": "and wheat", "timestamp": [2.5, 3.0]}
    ]
    assert read(out, "v1.5/user_backchannel/made-00000000-2/metadata.json") == {
        "context_text": "is it rye",
        "current_turn_text": "right",
        "timestamps": [1.5, 1.7],
    }
    assert any("v1.5/user_backchannel 1" in note for note in result.notes)
    assert not list(out.rglob("transcription.json")), "the corpus has no word times"


def test_the_input_is_the_users_channel_and_the_clean_one_lacks_what_overlaps(tmp_path: Path) -> None:
    made = talk()
    assert made.timeline is not None
    channel = made.timeline.track("user")
    assert channel is not None
    samples = decode(channel.audio)[0]
    _, out = export_rows("full-duplex-bench", [made], tmp_path, tail_s=1.0)
    heard, rate = file_samples((out / "train/v1.5/user_backchannel/made-00000000-2/input.wav").read_bytes())
    clean, _ = file_samples((out / "train/v1.5/user_backchannel/made-00000000-2/clean_input.wav").read_bytes())
    assert rate == RATE and len(heard) == len(clean) == round(2.7 * RATE)
    assert np.array_equal(heard[: round(1.7 * RATE)], samples[round(0.5 * RATE) : round(2.2 * RATE)])
    assert not heard[round(1.7 * RATE) :].any()
    differs = np.flatnonzero(heard != clean)
    assert round(1.5 * RATE) <= differs[0] and differs[-1] < round(1.7 * RATE)
    assert not clean[round(1.5 * RATE) : round(1.7 * RATE)].any() and len(differs) > 0.15 * RATE


def test_an_answer_whose_clip_begins_in_silence_over_the_question_is_one(tmp_path: Path) -> None:
    """Gaps are between speech: with none, the edges of the two clips lie over each other."""
    made = make_duplex(0, ("user", "is it rye", 0.0, 1.0), ("agent", "it is", 0.8, 1.0))
    assert made.timeline is not None
    user, agent = made.timeline.events
    events = (replace(user, end_sample=round(0.9 * RATE)), replace(agent, start_sample=round(0.9 * RATE)))
    made = with_word_times(replace(made, timeline=replace(made.timeline, events=events)))
    _, out = export_rows("full-duplex-bench", [made], tmp_path)
    name = "v1.0/smooth_turn_taking/made-00000000-0"
    assert read(out, f"{name}/turn_taking.json")[0]["timestamp"] == [0.9, 0.9]
    assert read(out, f"{name}/transcription.json")["chunks"][0]["timestamp"] == [0.0, 0.3333]


def test_words_that_have_times_are_written(tmp_path: Path) -> None:
    _, out = export_rows("full-duplex-bench", [with_word_times(talk())], tmp_path, sample_rate=8_000)
    found = read(out, "v1.0/user_interruption/made-00000000-3/transcription.json")
    assert found["text"] == "is it rye and wheat"
    assert [chunk["timestamp"][0] for chunk in found["chunks"]] == [0.0, 0.3333, 0.6666, 2.5, 2.75]


def test_what_is_no_sample_is_refused(tmp_path: Path) -> None:
    mute = make_duplex(1, ("agent", "hello", 0.0, 0.5))
    result, _ = export_rows("full-duplex-bench", [talk(), make_talk(2, "a", "b"), mute], tmp_path)
    assert dict(result.refused) == {"it has no timeline": 1, "nothing in it is a sample of the benchmark": 1}
