"""Dialogues on one clock: where turns lie, at every rate, and what cannot be laid out."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from manifests.audio import decode
from manifests.errors import UserError
from manifests.export._timeline import sample_at, spots
from manifests.export._tracks import TrackSettings, tracks, tracks_length, tracks_problem
from manifests.schema import Dialogue, Turn
from parley.testing.corpora import with_take
from parley.testing.duplex import make_duplex
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


def test_a_mixed_dialogue_has_its_tracks_as_they_are_delivered() -> None:
    talk = make_duplex(
        0,
        ("user", "hello", 0.0, 0.4),
        ("user", "right", 0.7, 0.1, "backchannel"),
        ("agent", "yes", 0.5, 0.5),
        seconds=1.5,
    )
    assert tracks_problem(talk, 0) is None
    made = tracks(talk, TrackSettings())
    assert made.num_samples == 24_000 and talk.timeline is not None
    for role, samples in (("user", made.user), ("agent", made.agent)):
        mixed = talk.timeline.track(role)  # type: ignore[arg-type]
        assert mixed is not None and np.array_equal(samples, decode(mixed.audio)[0])
    facts = [(turn["kind"], turn["start_sample"]) for turn in made.turns]
    assert facts == [("turn", 0), ("turn", 8_000), ("backchannel", 11_200)]
    assert len(tracks(talk, TrackSettings(sample_rate=8_000)).agent) == 12_000


def test_a_turn_that_was_left_out_of_the_timeline_is_not_written() -> None:
    talk = make_duplex(
        0, ("user", "hello", 0.0, 0.4), ("agent", "yes", 0.5, 0.5), ("user", "right", 0.7, 0.1, "aside")
    )
    out = changed(talk, 2, lambda turn: replace(turn, start_sample=None, take=None))
    assert tracks_problem(out, 0) is None
    assert [turn["turn"] for turn in tracks(out, TrackSettings()).turns] == [0, 1]
    loose = replace(out, timeline=None)
    assert tracks_problem(loose, 0) == "a turn has no audio"
    aside = changed(spoken(0), 2, lambda turn: replace(turn, kind="aside"))
    assert tracks_problem(aside, 0) == "a turn that takes no floor has no start"


def test_tracks_that_do_not_fit_together_are_refused() -> None:
    talk = make_duplex(0, ("user", "hello", 0.0, 0.4), ("agent", "yes", 0.5, 0.5))
    assert talk.timeline is not None
    user, agent = talk.timeline.tracks
    short = replace(agent, audio=replace(agent.audio, num_samples=agent.audio.num_samples - 1))
    for found, reason in (((user, short), "differ in length"), ((user,), "of one speaker only")):
        row = replace(talk, timeline=replace(talk.timeline, tracks=found))
        assert reason in str(tracks_problem(row, 0))
