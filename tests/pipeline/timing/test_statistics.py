"""The statistics of a talk are those that its definitions give by hand."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from manifests.errors import InputError, UserError
from manifests.schema import Dialogue, Draw, Event, Timeline
from parley.testing import make_corpus, make_kept
from pipeline.show.timing import format_timing
from pipeline.timing.reading import read_talks
from pipeline.timing.statistics import TimingStatistics
from tests.pipeline.timing.recordings import TALK, rttm, supervisions


def figures(*paths: Path, agent: str | None = None) -> dict[str, Any]:
    found = TimingStatistics()
    for talk in read_talks([str(path) for path in paths], agent):
        found.add(talk)
    return found.figures()


@pytest.mark.parametrize("write", [rttm, supervisions])
def test_the_figures_of_a_recording(tmp_path: Path, write: Any) -> None:
    found = figures(write(tmp_path / f"{write.__name__}.{write.__name__}", TALK), agent="ann")
    offsets = found["offsets"]
    assert offsets["user to agent"]["number"] == 2 and offsets["agent to user"]["number"] == 1
    assert offsets["all"]["median_s"] == pytest.approx(0.3)
    assert offsets["agent to user"]["median_s"] == pytest.approx(-0.8)
    assert offsets["all"]["share_below_0"] == pytest.approx(1 / 3, abs=1e-4)
    assert offsets["all"]["gap"]["median_s"] == pytest.approx((0.3 + 2.0) / 2)
    counts = offsets["all"]["histogram"]["counts"]
    # -0.8 s, 0.3 s and 2 s: rounding of the times may put each in the bin before.
    assert sum(counts) == 3 and sum(counts[11:13]) == 1 and sum(counts[22:24]) == 1 and sum(counts[39:41]) == 1
    assert found["pause"]["number"] == 1 and found["pause"]["median_s"] == pytest.approx(0.5)
    assert found["overlap"]["number"] == 2 and found["overlap"]["median_s"] == pytest.approx(0.6)
    assert found["overlap"]["share_of_time"] == pytest.approx(1.2 / 13, abs=1e-4)
    # Nobody speaks from 2 to 2.3 s, from 6 to 6.5 s and from 10 to 12 s.
    assert found["silence_share"] == pytest.approx(2.8 / 13, abs=1e-4)
    assert found["backchannels"]["number"] == found["backchannels"]["user"] == 1
    # 3.7 s of Ann and the pause that joined, 1.5 s, 1 s; 2 s, 0.4 s and 2.8 s of Bob.
    assert found["speech_seconds"] == pytest.approx(3.7 + 1.5 + 1 + 2 + 0.4 + 2.8)
    assert found["backchannels"]["per_hour_of_speech"] == pytest.approx(3600 / 11.4, abs=1e-3)
    assert found["interruptions"] == {"number": 1, "stop_latency": found["interruptions"]["stop_latency"]}
    assert found["interruptions"]["stop_latency"]["median_s"] == pytest.approx(0.8)


def test_the_name_of_the_agent_decides_the_directions(tmp_path: Path) -> None:
    found = figures(rttm(tmp_path / "call.rttm", TALK), agent="bob")
    assert found["offsets"]["agent to user"]["number"] == 2 and found["backchannels"]["agent"] == 1
    assert figures(rttm(tmp_path / "call.rttm", TALK), agent="eve")["undirected"] == 1


def test_three_words_are_no_backchannel_and_without_a_name_there_is_no_direction(tmp_path: Path) -> None:
    found = figures(supervisions(tmp_path / "s.jsonl", TALK, "one two three"))
    assert found["backchannels"]["number"] == 0 and found["offsets"].keys() == {"all"}
    assert "nothing says who is the agent" in format_timing(found)


def with_timeline(row: Dialogue) -> Dialogue:
    """The user says 1 s; the agent 0.5 s later 2 s, with a pause of half a second; the user says "right" into it, and
    interrupts in the last 0.2 s."""
    events = (
        Event("turn", "user", 0, 1000, 0),
        Event("turn", "agent", 1500, 3500, 1),
        Event("pause", "agent", 2000, 2500, 1),
        Event("backchannel", "user", 1900, 2200, 2),
        Event("turn", "user", 3300, 4000, 3),
        Event("barge_in", "user", 3300, 3500, 3, "turn 1"),
        Event("stop", "agent", 3300, 3500, 1, "turn 3"),
        Event("background", "user", 0, 4000, 4),
    )
    return replace(row, timeline=Timeline("human", 1000, 4000, events, (Draw("backchannel_lag_s", 0.1, 2),)))


def test_a_corpus_says_itself_what_is_a_backchannel_and_an_interruption(tmp_path: Path) -> None:
    place = make_corpus(tmp_path / "corpus", [with_timeline(make_kept(0)), make_kept(1)])
    found = figures(Path(place.path))
    assert (found["talks"], found["undirected"], found["unlabeled"]) == (1, 0, 0)
    assert found["offsets"]["user to agent"]["median_s"] == 0.5
    assert found["offsets"]["agent to user"]["median_s"] == -0.2
    assert found["pause"]["median_s"] == 0.5
    assert found["overlap"]["number"] == 2 and found["overlap"]["share_of_time"] == pytest.approx(0.3 / 4)
    assert found["silence_share"] == pytest.approx((0.5 + 0.3) / 4)
    assert found["backchannels"]["lag"]["median_s"] == 0.1
    assert found["interruptions"]["stop_latency"]["median_s"] == 0.2


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.rttm", "SPEAKER call 1 0.0\n", "a.rttm line 1 is not a line of RTTM: it has 4 fields"),
        ("a.rttm", "SPEAKER call 1 x 1 <NA> <NA> ann <NA> <NA>\n", "a.rttm line 1 is not a line of RTTM: could not"),
        ("a.rttm", "SPEAKER call 1 5 -1 <NA> <NA> ann <NA> <NA>\n", "start 5 and duration -1 are no stretch of time"),
        ("a.jsonl", '{"start": 0}\n', "a.jsonl line 1 is not a supervision of Lhotse as JSON: it has no 'channel'"),
        ("a.jsonl", "oh\n", "a.jsonl line 1 is not a supervision of Lhotse as JSON"),
        (
            "a.jsonl",
            f'{{"recording_id": "r", "speaker": "a", "start": 1{"0" * 400}, "duration": 1}}\n',
            "a.jsonl line 1 is not a supervision of Lhotse as JSON: int too large",
        ),
        ("a.jsonl", "[1]\n", "it is no object"),
    ],
)
def test_a_line_that_is_not_right_is_named(tmp_path: Path, name: str, text: str, message: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        figures(path)


def test_a_recording_of_three_is_left_out_and_nothing_left_is_an_error(tmp_path: Path) -> None:
    told: list[str] = []
    path = rttm(tmp_path / "three.rttm", [*TALK, ("eve", 20, 21)])
    good = rttm(tmp_path / "two.rttm", TALK)
    assert len(list(read_talks([str(path), str(good)], tell=told.append))) == 1
    assert told == [f"{path}: 1 of 1 recordings left out, which do not have two speakers"]
    with pytest.raises(UserError, match="no talk of two speakers in"):
        list(read_talks([str(path)], tell=told.append))
    with pytest.raises(UserError, match="a corpus needs timelines"):
        list(read_talks([make_corpus(tmp_path / "corpus", [make_kept(0)]).path]))
