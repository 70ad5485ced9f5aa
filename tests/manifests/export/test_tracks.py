"""Dialogues on one clock: where turns lie, at every rate, and what cannot be laid out."""

from dataclasses import replace
from fractions import Fraction

import pytest

from manifests.errors import UserError
from manifests.export._timeline import sample_at, spots
from manifests.export._tracks import TrackSettings, tracks, tracks_length, tracks_problem
from manifests.schema import Dialogue, Turn
from parley.testing.corpora import with_take
from parley.testing.exports import export_rows
from tests.tracks import at_rate, changed, check_tracks, spoken, starts


def lengths(dialogue: Dialogue) -> list[int]:
    return [turn.audio.num_samples for turn in dialogue.turns if turn.audio]


@pytest.mark.parametrize("gap_ms", [0, 200, 640])
def test_turns_follow_each_other_after_the_gap(gap_ms: int) -> None:
    dialogue = spoken(0)
    made = tracks(dialogue, TrackSettings(gap_ms))
    assert [turn["start_sample"] for turn in made.turns] == list(starts(lengths(dialogue), gap_ms * 16))
    assert made.num_samples == sum(lengths(dialogue)) + 3 * gap_ms * 16
    check_tracks(dialogue, made.turns, {"user": made.user, "agent": made.agent}, 16_000)


@pytest.mark.parametrize("rate", [8_000, 22_050, 44_100])
def test_other_rates_are_exact(rate: int) -> None:
    dialogue = spoken(1)
    made = tracks(dialogue, TrackSettings(100, rate))
    assert made.rate == rate and made.num_samples == tracks_length(dialogue, TrackSettings(100, rate))
    exact = [Fraction(start, 16_000) for start in starts(lengths(dialogue), 1600)]
    assert [turn["start_sample"] for turn in made.turns] == [int(start * rate + Fraction(1, 2)) for start in exact]
    check_tracks(dialogue, made.turns, {"user": made.user, "agent": made.agent}, rate)


def test_starts_that_the_corpus_knows_are_taken() -> None:
    dialogue = spoken(2)
    given = [0, 12_000, 40_000, 50_000]  # the agent begins while the user speaks
    for number, start in enumerate(given):
        dialogue = changed(dialogue, number, lambda turn, start=start: replace(turn, start_sample=start))  # type: ignore[misc]
    assert tracks_problem(dialogue, 0) is None
    made = tracks(dialogue, TrackSettings(gap_ms=500))
    assert [turn["start_sample"] for turn in made.turns] == given
    check_tracks(dialogue, made.turns, {"user": made.user, "agent": made.agent}, 16_000)


def test_what_cannot_be_laid_out_has_a_reason() -> None:
    def start(turn: Turn, sample: int) -> Turn:
        return replace(turn, start_sample=sample)

    good = spoken(3)
    assert tracks_problem(good, 0) is None
    some = changed(good, 0, lambda turn: start(turn, 0))
    assert tracks_problem(some, 0) == "only some of its turns have a start"
    over = good
    for number, sample in enumerate((0, 20_000, 15_000, 60_000)):
        over = changed(over, number, lambda turn, sample=sample: start(turn, sample))  # type: ignore[misc]
    assert tracks_problem(over, 0) == "two turns of one speaker overlap"
    early = changed(over, 0, lambda turn: start(turn, -1))
    assert tracks_problem(early, 0) == "a turn starts before the dialogue"
    mute = changed(good, 1, lambda turn: with_take(turn, audio=None))
    assert tracks_problem(mute, 0) == "a turn has no audio"
    mixed = at_rate(good, 1, 8_000)
    assert tracks_problem(mixed, 0) == "its clips have several sample rates: set one"
    assert tracks_problem(mixed, 16_000) is None
    assert tracks_problem(replace(good, dialogue_id="../up"), 0) == "its id is no safe name for a file"
    assert tracks_problem(replace(good, turns=()), 0) == "it has no turn"


def test_clips_of_several_rates_lie_on_one_clock() -> None:
    mixed = at_rate(spoken(4), 1, 8_000)
    places = spots(mixed, 0)
    assert places[2].start == Fraction(16_000, 16_000) + Fraction(16_111, 8_000)
    assert sample_at(places[2].start, 22_050) == round(places[2].start * 22_050)


@pytest.mark.parametrize(("setting", "value"), [("gap_ms", -1), ("gap_ms", 60_001), ("sample_rate", 3_999)])
def test_settings_out_of_range_are_named(setting: str, value: int, tmp_path: object) -> None:
    with pytest.raises(UserError, match=r"exporter webdataset: .*must be"):
        export_rows("webdataset", [spoken(0)], tmp_path, **{setting: value})  # type: ignore[arg-type]
