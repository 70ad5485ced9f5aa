"""validate --deep finds timelines that contradict themselves; turns that are left out are heard nowhere."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from manifests.corpus import Corpus
from manifests.export._timeline import layout_problem, spots
from manifests.schema import Dialogue, Event, Timeline, Turn
from manifests.stream import CorpusStream
from manifests.validate import validate
from parley.testing import make_corpus
from parley.testing.timelines import make_timed

Change = Callable[[Dialogue], Dialogue]


def timed(**changes: object) -> Change:
    """Change fields of the timeline."""

    def change(row: Dialogue) -> Dialogue:
        assert row.timeline is not None
        return replace(row, timeline=replace(row.timeline, **changes))  # type: ignore[arg-type]

    return change


def turned(number: int, **changes: object) -> Change:
    """Change fields of a turn."""

    def change(row: Dialogue) -> Dialogue:
        turns: list[Turn] = list(row.turns)
        turns[number] = replace(turns[number], **changes)  # type: ignore[arg-type]
        return replace(row, turns=tuple(turns))

    return change


def evented(place: int, event: Event) -> Change:
    """Put another event in the place of one."""

    def change(row: Dialogue) -> Dialogue:
        assert row.timeline is not None
        events = list(row.timeline.events)
        events[place] = event
        return timed(events=tuple(events))(row)

    return change


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda row: row, None),
        (timed(num_samples=0), "timeline: 0 samples at 16000 Hz"),
        (timed(num_samples=5500), "turn 1: its clip does not lie inside the timeline"),
        (turned(3, start_sample=1000), "turn 3: the user speaks over turn 0, which is their own"),
        (turned(3, start_sample=4100), "event 2 (backchannel): it is not where the clip of turn 3 is"),
        (turned(1, start_sample=None), "turn 1: it takes the floor, and has no place in the timeline"),
        (turned(3, take=None), "turn 3: a place in the timeline, and no clip"),
        (turned(2, kind="turn"), "turn 2: it takes the floor, and has no place in the timeline"),
        (timed(events=()), "turn 3: 0 events say when it is spoken"),
        (evented(0, Event("turn", "user", 3000, 4600, 0)), "timeline: its events are not in order"),
        (
            evented(3, Event("silence", "user", 5000, 5700)),
            "event 3 (silence): samples 5000 to 5700 do not lie inside",
        ),
        (evented(3, Event("stop", "user", 5000, 5100, 2)), "event 3 (stop): turn 2 has no place in the timeline"),
    ],
)
def test_what_contradicts_itself_is_named(tmp_path: Path, change: Change, problem: str | None) -> None:
    place = make_corpus(tmp_path / "corpus", [change(make_timed())])
    found = [one.message for one in validate(place, deep=True).problems]
    assert (any(message.startswith(problem) for message in found)) if problem else not found
    assert validate(place).ok


def test_a_turn_that_is_left_out_is_in_no_stream_and_no_track(tmp_path: Path) -> None:
    row = turned(2, take=make_timed().turns[3].take)(make_timed())
    assert [spot.turn for spot in spots(row, 0)] == [0, 1, 3] and layout_problem(row) is None
    corpus = Corpus(make_corpus(tmp_path / "corpus", [row]))
    (read,) = CorpusStream(corpus, columns=["turns.kind"])
    assert [turn.text for turn in read.turns] == ["what is number 0", "it is number 0", "right"]
    assert [turn["kind"] for turn in read.columns["turns"]] == ["turn", "turn", "backchannel"]
    assert [turn.start_sample for turn in read.turns] == [0, 2400, 4000]
    assert [len(turn.samples) for turn in read.turns] == [1600, 3200, 800]


def test_a_row_without_a_timeline_leaves_nothing_out(tmp_path: Path) -> None:
    row = replace(make_timed(), timeline=None, turns=tuple(replace(t, start_sample=None) for t in make_timed().turns))
    assert not [turn for turn in row.turns if row.leaves_out(turn)]
    (read,) = CorpusStream(Corpus(make_corpus(tmp_path / "corpus", [row])))
    assert len(read.turns) == 4


def test_a_timeline_is_read_as_it_was_written(tmp_path: Path) -> None:
    (read,) = Corpus(make_corpus(tmp_path / "corpus", [make_timed()]))
    assert isinstance(read.timeline, Timeline) and read == make_timed()
