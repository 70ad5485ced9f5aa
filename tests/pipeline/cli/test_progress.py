"""What people see of a running job, and what they do not: control characters in a file, and lines of Ray's own."""

import json
import os
import pty
import subprocess
import sys
import termios
from pathlib import Path
from types import SimpleNamespace

import pytest

from pipeline.cli import progress
from pipeline.cli.progress import Flight, Pace, Progress, bank_outcome, counted
from pipeline.job.listener import Measure, Moved, Part
from pipeline.job.runner.quiet import quiet_stderr

FIRST, SECOND = Part(7, 0, 2), Part(7, 1, 2)
PARLEY = str(Path(sys.executable).with_name("parley"))


def test_rows_count_once_wherever_they_are() -> None:
    flight = Flight()
    flight.moved(Moved(FIRST, "text", Measure(8)))
    flight.moved(Moved(SECOND, "text", Measure(8)))
    flight.moved(Moved(FIRST, "speech", Measure(8, settled=2)))
    assert flight.in_pools == {"text": 8, "speech": 6}
    assert flight.done == Measure(16, settled=2)
    flight.moved(Moved(FIRST, "text", Measure(8)))
    assert flight.done.settled == 0, "the part begins again"
    flight.moved(Moved(FIRST, None, Measure(8, 7, 5, 2.5)))
    flight.moved(Moved(SECOND, None, Measure(8, 8, 8, 4.0)))
    assert flight.in_pools == {}
    flight.finished(7)
    flight.moved(Moved(Part(7), "speech", Measure(1)))
    assert flight.done == Measure(17, 15, 13, 6.5), "a later pass has rows of the same block"


def test_lines_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "LINE_EVERY_S", 0.0)
    with Progress() as shown:
        shown.started(100, 40)
        shown.moved(Moved(FIRST, "text", Measure(8)))
        shown.moved(Moved(FIRST, None, Measure(8, 8, 6, 3600.0)))
        shown.finished(SimpleNamespace(block=7))
    first, second, last = capsys.readouterr().err.splitlines()
    assert first == "rows settled: 40/100 (40%); kept 0 (-), 0.000 h; in flight: text 8"
    assert second.startswith("rows settled: 48/100 (48%); kept 6 (75%), 1.000 h; ")
    assert second.endswith(" left")
    assert last == "rows settled: 48/100 (48%); kept 6 (75%), 1.000 h; in 00:00"


def test_no_line_comes_where_nothing_has_changed_but_a_few_that_say_so(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    with Progress() as shown:
        shown.started(100, 0)
        shown.moved(Moved(FIRST, "text", Measure(8)))
        for second in range(1, 700):
            now[0] = float(second)
            shown.waiting()
            if second == 60:
                shown.moved(Moved(FIRST, None, Measure(8, 8, 8, 36.0)))
    told = [line.split("; ")[0] for line in capsys.readouterr().err.splitlines()]
    changes, still = ["rows settled: 0/100 (0%)", "rows settled: 8/100 (8%)"], ["rows settled: 8/100 (8%)"] * 2
    assert told == [*changes, *still, "rows settled: 8/100 (8%)"]


def test_the_time_left_comes_from_the_rows_after_the_engines_were_loaded() -> None:
    pace = Pace(10, 0.0)
    assert pace.left_s(110) is None
    pace.count(20, 60.0)
    assert pace.left_s(110) == 540.0, "all that is known: ten rows in a minute"
    pace.count(30, 65.0)
    assert pace.left_s(110) == pytest.approx(65 * 80 / 20), "at the first, workers give their results together"
    pace.count(50, 120.0)
    assert pace.left_s(110) == pytest.approx(60 * 60 / 30), "thirty rows in the minute after the first ones"


def test_speakers_of_earlier_runs_count(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress("clip", bank_outcome) as shown:
        shown.started(36, 16, 4)
        shown.moved(Moved(FIRST, None, Measure(8, 8, 2)))
    assert capsys.readouterr().err == "clips settled: 24/36 (67%); 6 speakers; in 00:00\n"


def test_other_work_is_counted_too(capsys: pytest.CaptureFixture[str]) -> None:
    with counted("voices that have spoken", "voice") as tell:
        tell(2, 4)
    assert capsys.readouterr().err == "voices that have spoken: 2/4 (50%); in 00:00\n"


@pytest.mark.parametrize("stream", [1, 2])
def test_only_stderr_is_quiet(stream: int, capfd: pytest.CaptureFixture[str]) -> None:
    with quiet_stderr():
        os.write(stream, b"noise")
    os.write(2, b"word")
    assert capfd.readouterr() == ("noise" if stream == 1 else "", "word")


def test_what_was_said_before_an_error_is_told(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ConnectionError), quiet_stderr():
        os.write(2, b"no raylet\n")
        raise ConnectionError
    assert capfd.readouterr().err == "no raylet\n"


def command(tmp_path: Path, runner: str) -> list[str]:
    rows = [{"instruction": f"Why do people like number {i}?", "output": "It brings them luck."} for i in range(20)]
    (tmp_path / "rows.json").write_text(json.dumps(rows))
    words = ["run", "tone-dry-run", "--input", tmp_path / "rows.json", "--out", tmp_path / "out", "--runner", runner]
    return [PARLEY, *map(str, words)]


@pytest.mark.parametrize("runner", ["local", "ray"])
def test_a_pipe_gets_plain_lines_and_nothing_of_rays(runner: str, tmp_path: Path) -> None:
    result = subprocess.run(command(tmp_path, runner), capture_output=True, check=True)
    said = result.stderr.decode()
    assert all(line.startswith(("rows read: ", "rows settled: ")) for line in said.splitlines()), said
    assert "rows settled: 20/20 (100%); kept 20 (100%), " in said
    assert "\r" not in said and "\x1b" not in said


def test_a_terminal_gets_a_bar(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(ours, (24, 120))
    process = subprocess.Popen(command(tmp_path, "ray"), stdout=subprocess.DEVNULL, stderr=theirs)
    os.close(theirs)
    said = bytearray()
    try:
        while data := os.read(ours, 4096):
            said += data
    except OSError:  # how Linux says that the other side has closed
        pass
    assert process.wait() == 0
    assert b"in flight: all " in said
    assert b"20/20" in said and b"\r" in said
    assert b"logging.cc" not in said


def test_a_note_is_shown_once_and_the_display_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress() as progress:
        progress.started(4, 0)
        for _ in range(2):
            progress.noted("the server is odd")
        progress.moved(Moved(Part(0), None, Measure(4, settled=4, kept=2)))
    shown = capsys.readouterr().err
    assert shown.count("parley: the server is odd\n") == 1
    assert "4/4 (100%)" in shown.split("odd")[1]
