"""kill -9 at several moments of one job; after the last of them the corpus is what an undisturbed run makes.

The command is a process of its own under Ray, and a child of the test with the local runner.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from manifests.storage import open_place
from manifests.validate import validate
from tests.commands import ForkedParley, run_parley
from tests.pipeline.tone_job import files_of

ROWS = 160
DEADLINE_S = 120.0


def commits(out: Path) -> int:
    return len(list(out.glob("work/take-1/[0-9]*.json")))


MOMENTS: dict[str, Callable[[Path], bool]] = {
    "ingest": lambda out: (out / "work" / "ingested").exists(),
    "input cut": lambda out: (out / "work" / "input.json").exists(),
    "first blocks": lambda out: commits(out) >= 2,
    "half of the blocks": lambda out: commits(out) >= 10,
    "packing": lambda out: (out / "shards").exists(),
}


@pytest.fixture(scope="module")
def input_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("kill") / "rows.jsonl"
    rows = [
        {"instruction": f"What is {i} plus {i + 1}?", "output": f"It is {2 * i + 1}."}
        if i % 3
        else {"instruction": f"Why do people like the song called number {i}?", "output": "It is easy to sing along."}
        for i in range(ROWS)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def arguments(input_file: Path, out: Path, runner: str) -> list[str]:
    settings = ["--set", "block_rows=8", "--set", "pack.clips=true", "--set", "pools.all.workers=2"]
    places = ["--input", str(input_file), "--out", str(out)]
    return ["run", "tone-dry-run", *places, "--runner", runner, *settings]


def start(words: list[str], runner: str) -> ForkedParley | subprocess.Popen[bytes]:
    if runner == "local":
        return ForkedParley(*words)
    parley = Path(sys.executable).with_name("parley")
    return subprocess.Popen([parley, *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def finish(input_file: Path, out: Path, runner: str) -> None:
    result = run_parley(*arguments(input_file, out, runner))
    assert result.returncode == 0, result.stderr


def kill_at(moment: Callable[[Path], bool], input_file: Path, out: Path, runner: str) -> None:
    process = start(arguments(input_file, out, runner), runner)
    deadline = time.monotonic() + DEADLINE_S
    while not moment(out):
        assert process.poll() is None, "the job ended before the moment came"
        assert time.monotonic() < deadline, "the moment did not come"
        time.sleep(0.002)
    process.kill()
    process.wait()


@pytest.mark.parametrize("runner", ["local", pytest.param("ray", marks=pytest.mark.slow)])
def test_kill_at_any_moment_then_continue(runner: str, input_file: Path, tmp_path: Path) -> None:
    undisturbed, killed = tmp_path / "undisturbed", tmp_path / "killed"
    finish(input_file, undisturbed, "local")
    for moment in MOMENTS.values():
        kill_at(moment, input_file, killed, runner)
        assert not (killed / "manifest.json").exists()
    finish(input_file, killed, runner)
    assert files_of(killed) == files_of(undisturbed)
    report = validate(open_place(killed), deep=True, beside=("work",))
    assert report.ok, report.problems


def test_no_finished_block_is_done_again(input_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "corpus"
    kill_at(MOMENTS["first blocks"], input_file, out, "local")
    before = {path: path.stat().st_mtime_ns for path in out.glob("work/take-1/[0-9]*.json")}
    finish(input_file, out, "local")
    assert before
    assert {path: path.stat().st_mtime_ns for path in before} == before
