"""Stops or kills a process at each step of the storage: before and after a file is synced or takes its name, and
before and after something is deleted, and in the middle of a line of the log."""

import json
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from dataclasses import asdict
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from manifests.storage import Place
from pipeline.bank.results import BankReport
from pipeline.job.directory import JobDirectory

LONGEST_JOB = 400
"""Steps; a job that has more is not the small one that these tests mean."""


def watch_steps(reached: Callable[[], None]) -> None:
    """Have that called at every step of the storage in this process."""

    def around(action: Callable[..., Any]) -> Callable[..., Any]:
        def stepping(*words: Any) -> Any:
            reached()
            result = action(*words)
            reached()
            return result

        return stepping

    def log(self: JobDirectory, report: BankReport) -> None:
        line = json.dumps(asdict(report), sort_keys=True) + "\n"
        with Path(self.work.path, "log.jsonl").open("a") as file:
            file.write(line[:20])
            file.flush()
            reached()
            file.write(line[20:])

    os.fsync = around(os.fsync)  # type: ignore[assignment]
    Path.replace = around(Path.replace)  # type: ignore[method-assign]
    Place.delete = around(Place.delete)  # type: ignore[method-assign]
    JobDirectory._log = log  # type: ignore[method-assign]


def start(make: Callable[[], object], reached: Callable[[], None]) -> int:
    """Make something in a child process, which does that at each step; return its number."""
    child = os.fork()
    if child == 0:
        try:
            watch_steps(reached)
            make()
            os._exit(0)
        finally:
            os._exit(1)
    return child


def steps_of(make: Callable[[], object]) -> Iterator[int]:
    """Make something in a child process, and yield each of its steps, counted from 1; the child stands still there."""
    child = start(make, lambda: os.kill(os.getpid(), signal.SIGSTOP))
    status = 0
    try:
        for step in range(1, LONGEST_JOB):
            _, status = os.waitpid(child, os.WUNTRACED)
            if not os.WIFSTOPPED(status):
                break
            yield step
            os.kill(child, signal.SIGCONT)
        else:
            pytest.fail("the job is too long")
    finally:
        if os.WIFSTOPPED(status):
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0, "the job failed by itself"


def kill_at(step: int, make: Callable[[], object]) -> None:
    """Make something in a child process that is killed at that step."""
    left = count(step - 1, -1)
    child = start(make, lambda: next(left) or os.kill(os.getpid(), signal.SIGKILL))
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), "the job ended before it was killed"


def problems_of(make: Callable[[Path], object], whole: dict[str, bytes], files: Any, parent: Path) -> list[str]:
    """Continue a job with what it has on the disk at each of its steps; return what is wrong with the results.

    kill -9 at that step leaves the same files: what the process still had in its memory is not among them. So the job
    is not done anew up to each step; in the middle it is, and is killed.
    """
    out, again, step = parent / "out", parent / "again", 0
    problems: list[str] = []

    def go_on(place: Path) -> None:
        try:
            make(place)
        except Exception as error:  # noqa: BLE001  each step that fails is listed
            problems.append(f"step {step}: {error!r}")
            return
        if files(place) != whole:
            problems.append(f"step {step}: other files")

    for number in steps_of(lambda: make(out)):
        step = number
        shutil.rmtree(again, ignore_errors=True)
        if out.exists():
            shutil.copytree(out, again, symlinks=True)
        go_on(again)
    assert step > 10
    shutil.rmtree(out)
    step //= 2
    kill_at(step, lambda: make(out))
    go_on(out)
    return problems
