"""What happens inside a block: rows settle part by part, and late rows are spread over all workers."""

from itertools import pairwise
from pathlib import Path

import pytest

from pipeline.cli.progress import Flight
from pipeline.job.listener import Listener, Moved
from pipeline.job.runner.local import LocalRunner
from pipeline.job.runner.ray import RayRunner
from pipeline.job.runner.tasks import Runner
from tests.pipeline.tone_job import ROWS, files_of, make_job, run_tone

# Tones are 13 letters a second: the 14 long answers are found to be cut off, take after take.
TOO_FAST = "gate.spaced_speed={slowest: 1, fastest: 12, pause_s: 0}"
LADDER = "gate.ladder=[{}, {voice: another}]"
ONE_BLOCK = "block_rows=64"


class Watch(Listener):
    """`settled` rows after each event before the commits, and the parts that each pass cut the block into."""

    def __init__(self) -> None:
        self.flight = Flight()
        self.settled = [0]
        self.cuts: list[int] = []
        self.reports: list[tuple[int, int]] = []

    def moved(self, event: Moved) -> None:
        self.flight.moved(event)
        self.settled.append(self.flight.done.settled)
        if len(self.cuts) == len(self.reports):
            self.cuts.append(event.part.of)

    def finished(self, report: object) -> None:
        self.flight.finished(report.block)  # type: ignore[attr-defined]
        self.reports.append((report.rows, report.live))  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", ["local", "ray"])
def test_rows_settle_while_their_block_is_in_flight(name: str, input_file: str, tmp_path: Path) -> None:
    watch = Watch()
    runner: Runner = LocalRunner() if name == "local" else RayRunner()
    run_tone(make_job(input_file, ONE_BLOCK, "pools.all.workers=2"), tmp_path / "corpus", runner, watch)
    assert watch.reports == [(len(ROWS), 0)]
    assert watch.cuts == [3 if name == "local" else 5], "late parts are smaller where several workers wait for them"
    assert len(set(watch.settled)) > 3, "the bar moves with each part"
    assert all(before <= after for before, after in pairwise(watch.settled))
    assert watch.settled[-1] == watch.flight.done.settled == len(ROWS)
    assert watch.flight.done.kept == 15
    assert watch.flight.done.audio_s > 0


def test_late_rows_are_spread_over_all_workers(input_file: str, tmp_path: Path) -> None:
    job = make_job(input_file, ONE_BLOCK, TOO_FAST, LADDER)
    run_tone(job, tmp_path / "local")
    watch = Watch()
    run_tone(
        make_job(input_file, ONE_BLOCK, TOO_FAST, LADDER, "pools.all.workers=3", "pools.all.cpus=0.1"),
        tmp_path / "ray",
        RayRunner(),
        watch,
    )
    assert watch.reports == [(21, 14), (14, 14), (14, 0)]
    assert watch.cuts == [7, 7, 7], "late parts are smaller, so that all workers get some"
    assert watch.flight.done.settled == len(ROWS)
    assert files_of(tmp_path / "ray") == files_of(tmp_path / "local")
