"""Faults of the environment: a sentence and exit 2, here and from a worker, and the same command continues."""

import errno
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyarrow import fs

from manifests.errors import LawBroken, UserError
from manifests.storage import open_place
from parley.testing import make_context, make_dialogue
from pipeline.cli.main import cli, command
from pipeline.environment import environment_error
from pipeline.job.runner.actors import guarded, rebuilt
from pipeline.settings import Section
from pipeline.stages.contract import Stage, run_stage
from tests.pipeline.tone_job import files_of
from tests.tables import each_row

_NO_SPACE = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
_CONTINUES = "; once that is mended, the same command continues"


def _pyarrow_error() -> OSError:
    with pytest.raises(OSError, match="Not a directory") as error:
        fs.LocalFileSystem().create_dir("/dev/null/x")
    return error.value


@each_row(
    ("error", "words"),
    [
        (_NO_SPACE, "No space left on device"),
        (OSError(errno.EROFS, os.strerror(errno.EROFS), "/a/b"), "/a/b: Read-only file system"),
        (OSError(errno.EROFS, os.strerror(errno.EROFS), b"/a/\xff"), "/a/\ufffd: Read-only file system"),
        (OSError(errno.EXDEV, "Invalid link", "/a", None, "/b"), "/a: Invalid link: /b"),
        (_pyarrow_error(), "Cannot create directory '/dev/null/x': Not a directory"),
        (OSError("one\ntwo"), "one two"),
        (OSError(), "OSError"),
        (ConnectionRefusedError(), "ConnectionRefusedError"),
        (MemoryError("Unable to allocate 3 EiB"), "there is not enough memory: Unable to allocate 3 EiB"),
        (MemoryError(), "there is not enough memory"),
        (sqlite3.OperationalError("database or disk is full"), "a temporary database: database or disk is full"),
    ],
)
def test_the_sentence(error: BaseException, words: str) -> None:
    found = environment_error(error)
    assert isinstance(found, UserError)
    assert str(found) == words + _CONTINUES


def test_a_bug_is_not_the_environment() -> None:
    assert environment_error(KeyError("x")) is None


def test_a_worker_reports_it_as_such() -> None:
    def fail(error: Exception) -> None:
        raise error

    kinds = {
        type(error): rebuilt(str(guarded(lambda error=error: fail(error)).error)) for error in (_NO_SPACE, KeyError())
    }
    assert type(kinds[OSError]) is UserError and str(kinds[OSError]) == f"No space left on device{_CONTINUES}"
    assert type(kinds[KeyError]) is LawBroken


def test_a_stage_whose_engine_meets_it_has_broken_no_law() -> None:
    def fail(dialogues: object, context: object) -> list[object]:
        raise _NO_SPACE

    stage = Stage("full", "fails", Section, fail, frozenset(), frozenset())
    with pytest.raises(OSError, match="No space left"):
        run_stage(stage, [make_dialogue()], make_context())


def test_the_file_that_has_no_room_is_named(tmp_path: Path) -> None:
    place = open_place(tmp_path / "file")
    with pytest.raises(OSError, match="No space left") as error, place.writing():
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert error.value.filename == str(tmp_path / "file")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(OSError, match="No space left") as error, place.writing():
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/elsewhere")
    assert error.value.filename == "/elsewhere"


def _say(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    monkeypatch.setattr(sys, "argv", ["parley", *map(str, arguments)])
    with pytest.raises(SystemExit) as end:
        command()
    return int(end.value.code or 0), capsys.readouterr().err


def _run(input_file: str, out: object, *more: str) -> list[str]:
    inputs = ["--input", input_file, "--format", "alpaca"]
    return ["run", "tone-dry-run", *inputs, "--runner", "local", *more, "--out", str(out)]


PLACES = {
    "below /proc": (lambda p: "/proc/nope", "No such file or directory"),
    "below a file": (lambda p: p / "rows.json" / "sub", "Not a directory"),
    "a device": (lambda p: "/dev/null", "Not a directory"),
    "a name that is too long": (lambda p: p / ("x" * 300), "File name too long"),
}


@pytest.mark.parametrize("name", PLACES)
def test_a_place_that_cannot_be_written(
    name: str, input_file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    place, words = PLACES[name]
    (tmp_path / "rows.json").write_text("[]")
    run = (
        "run",
        "tone-dry-run",
        "--input",
        input_file,
        "--format",
        "alpaca",
        "--runner",
        "local",
        "--out",
        place(tmp_path),
    )
    code, said = _say(monkeypatch, capsys, *run)
    last = said.splitlines()[-1]
    assert (code, last.startswith("parley: "), words in last, "Traceback" in said) == (2, True, True, False), said


def test_an_argument_that_is_no_text(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    code, said = _say(monkeypatch, capsys, "recipes", "show", "\udce4\udcb8")
    assert code == 2 and said.count("\n") == 1 and "is not UTF-8 text" in said


_SAYS_HALF_A_CHARACTER = """
import sys
from pipeline.cli import commands, main
commands.list_formats = lambda: "\\ud83d \\u4e2d"
sys.argv = ["parley", "formats", "list"]
main.main()
"""


@pytest.mark.parametrize("locale", [{}, {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}])
def test_what_a_terminal_cannot_show_becomes_an_escape(locale: dict[str, str]) -> None:
    command = [sys.executable, "-c", _SAYS_HALF_A_CHARACTER]
    result = subprocess.run(command, capture_output=True, env={**os.environ, **locale}, check=False)
    assert (result.returncode, result.stderr) == (0, b"")
    assert result.stdout.startswith(b"\\ud83d ")


def test_a_reader_that_has_gone_is_told_nothing() -> None:
    command = f"{sys.executable} -m parley formats list | true; echo ${{PIPESTATUS[0]}}"
    result = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert result.stderr == ""
    assert result.stdout.strip() in ("0", "1")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, whose size can be changed."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a file system")
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.decode().strip()}")
    yield disk
    subprocess.run(["umount", "--lazy", disk], check=True)


def test_a_job_continues_once_there_is_room(
    small_disk: Path,
    input_file: str,
    finished: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Disks of several sizes: each is full in another place."""
    out = small_disk / "corpus"
    command = [
        "run",
        "tone-dry-run",
        "--input",
        input_file,
        "--format",
        "alpaca",
        "--runner",
        "local",
        "--out",
        str(out),
    ]
    command += ["--set", "block_rows=4", "--set", "pack.clips=true"]
    places = set()
    for size_k in (64, 200, 400, 800, 1400):
        subprocess.run(["mount", "-o", f"remount,size={size_k}k", small_disk], check=True)
        code, said = _say(monkeypatch, capsys, *command)
        last = said.splitlines()[-1]
        assert code == 2 and "No space left on device; once that is mended" in last and "Traceback" not in said, said
        places.add(last)
    assert len(places) > 1, "the disks were full in the same place"
    subprocess.run(["mount", "-o", "remount,size=64m", small_disk], check=True)
    cli(command, standalone_mode=False)
    assert files_of(out) == files_of(finished)
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    code, said = _say(monkeypatch, capsys, *_run(input_file, small_disk / "other"))
    assert code == 2 and "Read-only file system" in said.splitlines()[-1], said
