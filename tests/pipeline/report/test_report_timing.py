"""The report tells when the speakers speak, of a corpus and of a row; without timelines it says nothing of it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from manifests.audio import decode
from manifests.schema import Event
from manifests.storage import open_place
from parley.testing.timelines import make_timed
from pipeline.report.report import write_report
from pipeline.report.rows import row_data
from pipeline.report.timing import Timing
from tests.mixed import make_mixed, noise, with_track
from tests.pipeline.report.conftest import page_json
from tests.pipeline.report.reported import MARKUP, reported, rows


def test_the_times_of_kept_rows_are_those_of_the_statistics() -> None:
    timing = Timing()
    timing.add(replace(make_timed(), status="rejected"))
    assert timing.figures() is None
    timing.add(make_timed())
    found = timing.figures()
    assert found is not None and found["talks"] == 1
    assert found["offsets"]["user to agent"]["median_s"] == 0.05
    assert found["overlap"]["share_of_time"] == round(0.05 / 0.35, 4)
    assert {"gap", "offset", "backchannels"} <= {one["measure"] for one in found["people"]}


def test_a_row_shows_its_timeline_and_what_was_not_said() -> None:
    row = make_timed()
    assert row.timeline is not None
    turns = (row.turns[0], replace(row.turns[1], unsaid=" and more"), *row.turns[2:])
    found = row_data(replace(row, turns=turns), 0.0, False)
    assert found["tl"]["s"] == 0.35 and found["tl"]["p"] == "human"
    assert found["tl"]["e"][1] == ["turn", "agent", 0.15, 0.35, 1, None]
    assert (found["t"][1]["u"], found["t"][3]["kind"]) == (" and more", "backchannel")
    assert "tl" not in row_data(replace(row, timeline=None), 0.0, False)


def test_the_page_has_the_times_and_texts_of_events_stay_texts(tmp_path: Path, data: Any) -> None:
    assert data["timing"] is None, "a corpus without timelines"
    row = make_timed(99)
    assert row.timeline is not None
    event = Event("silence", "user", 5000, 5100, None, MARKUP)
    marked = replace(row, timeline=replace(row.timeline, profile=MARKUP, events=(*row.timeline.events, event)))
    corpus = reported(tmp_path / "rivers", [marked, *rows()[5:]])
    write_report(corpus, open_place(tmp_path / "out"), clips="none")
    page = tmp_path / "out" / "report.html"
    assert page_json(page, "data")["timing"]["talks"] == 1
    assert page_json(page, "rows")[0]["tl"]["p"] == MARKUP
    assert page.read_text("utf-8").count(MARKUP) == 0


def test_both_sides_of_a_mixed_dialogue_can_be_heard_together(tmp_path: Path) -> None:
    mixed = make_mixed(7)
    assert mixed.timeline is not None
    broken = with_track(make_mixed(8), 1, replace(mixed.timeline.tracks[1], audio=noise(9)))
    corpus = reported(tmp_path / "rivers", [mixed, broken, make_timed(9)])
    write_report(corpus, open_place(tmp_path / "out"), clips="beside")
    found = {row["id"]: row["tl"].get("mix") for row in page_json(tmp_path / "out" / "report.html", "rows")}
    path = found.pop(mixed.dialogue_id)
    assert list(found.values()) == [None, None]
    samples, rate = soundfile.read(tmp_path / "out" / path, dtype="float32")
    sides = [decode(track.audio)[0] for track in mixed.timeline.tracks[:2]]
    assert rate == 16_000 and np.array_equal(samples, sides[0] + sides[1])
