"""Kills a process at each step of the storage: before a file is synced, before and after it takes its name, before and
after something is deleted, and in the middle of a line of the log."""

import json
import os
import shutil
import signal
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from manifests.storage import Place
from pipeline.bank.results import BankReport
from pipeline.job.directory import JobDirectory

LONGEST_JOB = 400
"""Steps; a job that has more is not the small one that these tests mean."""


def die_at(step: int) -> None:
    """Kill this process at that step of the storage, counted from 1."""
    taken = 0

    def reached() -> None:
        nonlocal taken
        taken += 1
        if taken == step:
            os.kill(os.getpid(), signal.SIGKILL)

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


def killed_at(step: int, make: Callable[[], object]) -> bool:
    """Make something in a child process that is killed at that step; False if it ended before."""
    child = os.fork()
    if child == 0:
        try:
            die_at(step)
            make()
            os._exit(0)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return True
    assert os.WEXITSTATUS(status) == 0, "the job failed before it was killed"
    return False


def problems_of(make: Callable[[Path], object], whole: dict[str, bytes], files: Any, parent: Path) -> list[str]:
    """Kill and continue a job at every step; return what is wrong with the results."""
    problems, out = [], parent / "out"
    for step in range(1, LONGEST_JOB):
        shutil.rmtree(out, ignore_errors=True)
        if not killed_at(step, lambda: make(out)):
            assert step > 10
            return problems
        try:
            make(out)
        except Exception as error:  # noqa: BLE001  each step that fails is listed
            problems.append(f"step {step}: {error!r}")
            continue
        if files(out) != whole:
            problems.append(f"step {step}: other files")
    pytest.fail("the job is too long")
