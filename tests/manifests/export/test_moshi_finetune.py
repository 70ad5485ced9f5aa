"""The moshi-finetune exporter: every way in which the trainer's loader loses text and says nothing is refused or
mended."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from manifests.export.contract import Export
from manifests.schema import Dialogue, Timeline, Track, Turn, Word, WordTimes
from manifests.words import words_of
from parley.testing.corpora import make_audio, with_take
from parley.testing.exports import export_rows
from tests.tracks import changed, check_tracks, spoken

RATE = 16_000


def timed(turn: Turn, language: str = "en") -> Turn:
    """The turn with its words one after the other, 0.2 s each, from 0.05 s on."""
    words = [
        Word(word.text, 800 + 3200 * number, 4000 + 3200 * number)
        for number, word in enumerate(words_of(turn.text or "", language))
    ]
    return with_take(turn, word_times=WordTimes("test 1", "word", tuple(words)))


def row(number: int = 0, language: str = "en") -> Dialogue:
    """A dialogue of four turns, long enough for their words, with times of the agent's."""
    made = spoken(number, language, num_samples=32_000)
    return replace(made, turns=tuple(timed(t, language) if t.role == "agent" else t for t in made.turns))


def exported(directory: Path, *rows: Dialogue, **settings: Any) -> tuple[Export, list[dict[str, Any]]]:
    """What the export did, and of each line the file's channels, its rate and its words too."""
    result, out = export_rows("moshi-finetune", rows, directory, **settings)
    made = []
    for line in (out / "train" / "data.jsonl").read_text().splitlines():
        entry = json.loads(line)
        wav = out / "train" / entry["path"]
        entry["samples"], entry["rate"] = soundfile.read(wav, dtype="float32")
        made.append(entry | json.loads(wav.with_suffix(".json").read_text()))
    return result, made


def test_the_agent_comes_first_and_each_file_is_as_long_as_its_line_says(tmp_path: Path) -> None:
    rows = [row(0), row(1, "zh")]
    result, made = exported(tmp_path, *rows, sample_rate=RATE, gap_ms=500)
    assert (result.written, dict(result.refused)) == (2, {})
    for dialogue, entry in zip(rows, made, strict=True):
        assert set(entry) >= {"path", "duration", "alignments"} and entry["samples"].shape[1] == 2
        assert len(entry["samples"]) / entry["rate"] == entry["duration"]
        starts = np.cumsum([0, *(turn.audio.num_samples + RATE // 2 for turn in dialogue.turns[:-1] if turn.audio)])
        facts = [
            {
                "role": t.role,
                "text": t.text,
                "start_sample": int(start),
                "num_samples": t.audio and t.audio.num_samples,
            }
            for t, start in zip(dialogue.turns, starts, strict=True)
        ]
        agent, user = entry["samples"].T
        check_tracks(dialogue, facts, {"agent": agent, "user": user}, RATE)


def test_words_are_those_of_the_agent_where_they_are_heard(tmp_path: Path) -> None:
    dialogue = row()
    _, (entry,) = exported(tmp_path, dialogue)
    second, fourth = dialogue.turns[1], dialogue.turns[3]
    assert [text for text, *_ in entry["alignments"]] == f"{second.text} {fourth.text}".split()
    assert {label for *_, label in entry["alignments"]} == {"SPEAKER_MAIN"}
    first = [turn.audio.num_samples for turn in dialogue.turns if turn.audio]
    begin = (first[0] / RATE) + 0.2  # behind the user's turn and the gap
    assert entry["alignments"][0][1] == pytest.approx([begin + 0.05, begin + 0.25], abs=1e-4)
    begin = sum(first[:3]) / RATE + 3 * 0.2
    assert entry["alignments"][5][1] == pytest.approx([begin + 0.05, begin + 0.25], abs=1e-4)
    starts = [start for _, (start, _), _ in entry["alignments"]]
    assert starts == sorted(starts)


def test_words_of_one_frame_are_joined_and_counted(tmp_path: Path) -> None:
    def quick(turn: Turn) -> Turn:
        words = (Word("it", 1_000, 1_500), Word("is", 1_500, 4_000), Word("so", 4_000, 9_000))
        return with_take(turn, word_times=WordTimes("test 1", "word", words))

    start = row().turns[0].audio.num_samples / RATE + 0.2
    assert int((start + 1_000 / RATE) * 12.5) == int((start + 1_500 / RATE) * 12.5), "the same frame"
    result, (entry,) = exported(tmp_path, changed(row(), 1, quick))
    assert [text for text, *_ in entry["alignments"]][:2] == ["it is", "so"]
    assert list(result.notes) == ["1 words start in the same frame of 80 ms as the word before, and were joined to it"]


def _without(turn: Turn) -> Turn:
    return with_take(turn, word_times=None)


def _doubted(turn: Turn) -> Turn:
    assert turn.take and turn.take.word_times
    return with_take(turn, word_times=replace(turn.take.word_times, problem="it cannot be"))


def _one_missing(turn: Turn) -> Turn:
    assert turn.take and turn.take.word_times
    words = turn.take.word_times.words
    return with_take(turn, word_times=replace(turn.take.word_times, words=(*words[1:], Word("so", None, None))))


def _no_length(turn: Turn) -> Turn:
    assert turn.take and turn.take.word_times
    words = turn.take.word_times.words
    return with_take(turn, word_times=replace(turn.take.word_times, words=(Word("so", 5, 5), *words[1:])))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_without, "a turn of the agent has no word times"),
        (_doubted, "a turn of the agent has no times for some words, or none to be trusted"),
        (_one_missing, "a turn of the agent has no times for some words, or none to be trusted"),
        (_no_length, "a word of the agent ends where it starts"),
        (lambda turn: replace(turn, role="user"), None),
    ],
)
def test_what_the_loader_would_lose_is_refused(
    tmp_path: Path, change: Callable[[Turn], Turn], reason: str | None
) -> None:
    result, made = exported(tmp_path, row(9), changed(row(), 3, change))
    assert dict(result.refused) == ({reason: 1} if reason else {}) and len(made) == 2 - len(result.refused)


def test_what_is_longer_than_the_trainers_chunk_is_refused(tmp_path: Path) -> None:
    seconds = sum(turn.audio.num_samples for turn in row().turns if turn.audio) / RATE + 3 * 0.2
    short = replace(row(1), turns=row(1).turns[:2])
    result, made = exported(tmp_path / "longer", row(), short, duration_sec=seconds - 0.01)
    assert dict(result.refused) == {"it is longer than the trainer's duration_sec": 1} and len(made) == 1
    result, _ = exported(tmp_path / "fits", row(), duration_sec=seconds + 0.001)
    assert dict(result.refused) == {}


def test_tracks_that_were_mixed_are_taken_and_turns_without_a_place_left_out(tmp_path: Path) -> None:
    """Also a turn of the agent's without times, which is not heard."""
    plain = row()
    turns = [replace(turn, start_sample=40_000 * number) for number, turn in enumerate(plain.turns)]
    turns.append(replace(_without(plain.turns[1]), kind="backchannel", start_sample=None))
    tracks = [Track(kind, False, make_audio(number, 170_000)) for number, kind in enumerate(("user", "agent"))]
    timeline = Timeline("turn_based", RATE, 170_000, tracks=tuple(tracks))  # type: ignore[arg-type]
    dialogue = replace(plain, turns=tuple(turns), timeline=timeline)
    result, (entry,) = exported(tmp_path, dialogue, sample_rate=RATE)
    assert dict(result.refused) == {} and entry["duration"] == 170_000 / RATE
    for samples, track in zip(entry["samples"].T, reversed(tracks), strict=True):
        mixed = np.frombuffer(track.audio.bytes[-2 * len(samples) :], "<i2") / 32768
        assert np.abs(samples - mixed).max() <= 0.5 / 32768
    assert entry["alignments"][0][1] == pytest.approx([2.5 + 0.05, 2.5 + 0.25])
