"""Rows with tracks: their files, what the manifest counts of them, and what a deep validation finds."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from manifests.clips import part_path
from manifests.corpus import Corpus
from manifests.errors import LawBroken
from manifests.manifest import load_manifest
from manifests.parts import audio_parts
from manifests.schema import Dialogue, Track
from manifests.storage import open_place
from manifests.validate import validate
from parley.testing.corpora import make_corpus, make_kept
from tests.mixed import LENGTH, RATE, make_mixed, noise, with_track


def problems(where: Path, dialogue: Dialogue, clips: bool = False) -> list[str]:
    report = validate(make_corpus(where, [dialogue], clips=clips), deep=True)
    return [problem.message for problem in report.problems]


@pytest.mark.parametrize("codec", ["wav", "flac"])
def test_tracks_are_files_like_clips(tmp_path: Path, codec: str) -> None:
    place = make_corpus(tmp_path, [make_mixed(codec=codec), make_kept(1)], clips=True)
    assert validate(place, deep=True).problems == ()
    (mixed, _) = Corpus(place)
    names = [Path(audio.path or "").name.removeprefix(mixed.dialogue_id) for _, audio in audio_parts(mixed)]
    clean = f"_track-user-clean.{codec}"
    assert names == [f"_0_user.{codec}", f"_1_agent.{codec}", f"_track-user.{codec}", f"_track-agent.{codec}", clean]
    for _, audio in audio_parts(mixed):
        assert (tmp_path / str(audio.path)).read_bytes() == audio.bytes
    counts = load_manifest(place).counts
    assert (counts.tracks, counts.timelines) == ({"kept": 3}, {"kept": {"en": {str(RATE): LENGTH}}})
    assert load_manifest(place).clips is not None and load_manifest(place).clips.files == 7  # type: ignore[union-attr]


def test_a_track_file_that_is_missing_or_changed_is_found(tmp_path: Path) -> None:
    make_corpus(tmp_path, [make_mixed()], clips=True)
    path = next(tmp_path.rglob("*track-agent.flac"))
    good = path.read_bytes()
    path.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    assert "track agent: the file" in validate(open_place(tmp_path), deep=True).problems[0].message
    path.unlink()
    assert any("is missing" in problem.message for problem in validate(open_place(tmp_path)).problems)


def test_no_track_leads_out_of_the_corpus() -> None:
    dialogue = replace(make_mixed(), dialogue_id="../x")
    for key, audio in audio_parts(dialogue):
        with pytest.raises(LawBroken, match="no safe name"):
            part_path(dialogue, key, audio)
    with pytest.raises(LawBroken, match="no safe name"):
        part_path(make_mixed(), "user/../../x", noise(10))


def other_track(change: Callable[[Track], Track], place: int = 0) -> Dialogue:
    dialogue = make_mixed()
    assert dialogue.timeline is not None
    return with_track(dialogue, place, change(dialogue.timeline.tracks[place]))


BROKEN = {
    "a shorter track": (
        other_track(lambda track: replace(track, audio=noise(1_999))),
        "timeline: the track (user) has 1999 samples at 16000 Hz",
    ),
    "another rate": (
        other_track(lambda track: replace(track, audio=noise(1_000, 8_000))),
        "track user: 8000 Hz, but the timeline has 16000 Hz",
    ),
    "bytes that are no sound": (
        other_track(lambda track: replace(track, audio=replace(track.audio, bytes=b"fLaC?"))),
        "track user: a flac clip cannot be decoded",
    ),
    "other sound than the turn's": (
        other_track(lambda track: replace(track, audio=noise(2_000))),
        "turn 0: the clip is not the stretch of the track user where it starts",
    ),
    "an unmarked track": (
        other_track(lambda track: replace(track, watermark=None), 2),
        "track user-clean: kept, without watermark",
    ),
    "two tracks of a kind": (
        other_track(lambda track: replace(track, is_clean=False), 2),
        "timeline: two tracks (user)",
    ),
    "a channel without a track": (other_track(lambda track: replace(track, kind="mono")), "timeline: no track (user)"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_wrong_with_a_track_is_found(tmp_path: Path, name: str) -> None:
    dialogue, message = BROKEN[name]
    assert any(found.startswith(message) for found in problems(tmp_path, dialogue))


def test_only_turns_that_take_no_floor_may_be_left_out(tmp_path: Path) -> None:
    dialogue = make_mixed()
    floor = replace(dialogue, turns=(*dialogue.turns[:2], replace(dialogue.turns[2], kind="turn")))
    assert "turn 2: kept, without audio, hypothesis, score, watermark" in problems(tmp_path / "a", floor)
    moved = replace(dialogue, turns=(dialogue.turns[0], replace(dialogue.turns[1], start_sample=699)))
    assert problems(tmp_path / "b", moved) == [
        "turn 1: the clip is not the stretch of the track agent where it starts",
        "event 1 (turn): it is not where the clip of turn 1 is",
    ]
