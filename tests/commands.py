"""Runs the command `parley` in the process of the test: a process of its own takes two seconds before it begins."""

import io
import subprocess
import sys
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from multiprocessing import get_context

import pytest

from pipeline.cli.main import command


def run_parley(*words: object, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command with these arguments, and with `env` among the variables; return what a process of it leaves.

    Signals, and how such a process ends, are another matter: tests of those start one.
    """
    arguments = ["parley", *map(str, words)]
    out, err, code = io.StringIO(), io.StringIO(), 0
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setattr(sys, "argv", arguments)
        for name, value in (env or {}).items():
            patch.setenv(name, value)
        try:
            command()
        except SystemExit as end:
            code = int(end.code or 0)
    return subprocess.CompletedProcess(arguments, code, out.getvalue(), err.getvalue())


class ForkedParley:
    """The command in a child of this process, to be killed: it has everything loaded. Its ways are those of Popen."""

    def __init__(self, *words: object) -> None:
        self._process = get_context("fork").Process(target=run_parley, args=words)
        self._process.start()

    def poll(self) -> int | None:
        return self._process.exitcode

    def kill(self) -> None:
        self._process.kill()

    def wait(self) -> None:
        self._process.join()
