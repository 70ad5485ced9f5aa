"""Builds as processes: both runners give the same bank, kill -9 loses next to nothing, errors are one line."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.commands import ForkedParley, run_parley
from tests.pipeline.bank.bank_corpora import RECIPE, Recording, files_of, people, register_doubles, write_corpus
from tests.pipeline.bank.doubles.bank_engines import FAULTY_RATE

ROOT = Path(__file__).parents[3]
PARLEY = str(Path(sys.executable).with_name("parley"))
DOUBLES = Path(__file__).parent / "doubles"
DEADLINE_S = 120.0
GROUPS = 24


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """24 recordings of 4 clips: whole persons, one of two people, one with a rate that the encoder stumbles over."""
    recordings = [*people(GROUPS - 2), Recording("two", (1, 2)), Recording("three", (3,), rate=FAULTY_RATE)]
    directory = write_corpus(tmp_path_factory.mktemp("corpus"), recordings)
    (directory / "recipe.yaml").write_text(yaml.safe_dump(RECIPE | {"block_clips": 8}))
    return directory


def arguments(corpus: Path, out: Path, runner: str, *more: str) -> list[str]:
    words = ["--input", str(corpus), "--layout", "manifest", "--recipe", str(corpus / "recipe.yaml")]
    return ["voicebank", "build", *words, "--out", str(out), "--runner", runner, *more]


def environment(**fault: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": f"{DOUBLES}:{ROOT}", **fault}


def finish(corpus: Path, out: Path, runner: str, *more: str, **fault: str) -> subprocess.CompletedProcess[str]:
    words = arguments(corpus, out, runner, *more)
    if runner == "local":
        with pytest.MonkeyPatch.context() as patch:
            register_doubles(patch)
            return run_parley(*words, env=fault)
    return subprocess.run(
        [PARLEY, *words], capture_output=True, text=True, check=False, env=environment(**fault), timeout=DEADLINE_S * 2
    )


def start(corpus: Path, out: Path, runner: str) -> ForkedParley | subprocess.Popen[bytes]:
    words = arguments(corpus, out, runner)
    if runner == "local":
        with pytest.MonkeyPatch.context() as patch:
            register_doubles(patch)
            return ForkedParley(*words)
    return subprocess.Popen(
        [PARLEY, *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment(),
        start_new_session=True,
    )


def commits(out: Path) -> int:
    return len(list(out.glob("work/built/*.json")))


MOMENTS: dict[str, Callable[[Path], bool]] = {
    "listing": lambda out: (out / "work" / "job.json").exists(),
    "first block": lambda out: commits(out) >= 1,
    "half of the blocks": lambda out: commits(out) >= 6,
    "packing": lambda out: (out / "rejected.parquet").exists(),
}


def kill_at(moment: Callable[[Path], bool], corpus: Path, out: Path, runner: str) -> bool:
    """Build until the moment comes, then kill; False where the build was so quick that nothing was left to kill."""
    process = start(corpus, out, runner)
    deadline = time.monotonic() + DEADLINE_S
    while not moment(out):
        assert time.monotonic() < deadline, "the moment did not come"
        if process.poll() is not None:
            assert process.poll() == 0
            return False
        time.sleep(0.0005)
    if isinstance(process, subprocess.Popen):
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.wait()
    return True


@pytest.mark.timeout(600)
@pytest.mark.parametrize("runner", ["local", pytest.param("ray", marks=pytest.mark.slow)])
def test_kill_at_any_moment_then_continue(runner: str, corpus: Path, tmp_path: Path) -> None:
    undisturbed, killed = tmp_path / "1" / "bank", tmp_path / "2" / "bank"
    result = finish(corpus, undisturbed, "local")
    assert result.returncode == 0, result.stderr
    done, kills = 0, 0
    for moment in MOMENTS.values():
        kills += kill_at(moment, corpus, killed, runner)
        assert commits(killed) >= done
        done = commits(killed)
    assert kills >= 2
    before = {path: path.stat().st_mtime_ns for path in killed.glob("work/built/*.json")}
    result = finish(corpus, killed, runner)
    assert result.returncode == 0, result.stderr
    assert before
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert files_of(killed) == files_of(undisturbed)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_an_encoder_that_ends_its_process_under_ray(corpus: Path, tmp_path: Path) -> None:
    """Two deaths are survived, and change nothing; more stop the build."""
    fault = {"FAULT": "exit", "FAULT_TALLY": str(tmp_path / "tally")}
    sound = finish(corpus, tmp_path / "1" / "bank", "local")
    faulty = finish(corpus, tmp_path / "2" / "bank", "ray", FAULTS="2", **fault)
    assert (sound.returncode, faulty.returncode) == (0, 0), faulty.stderr
    assert (tmp_path / "tally").stat().st_size == 3
    assert files_of(tmp_path / "1" / "bank") == files_of(tmp_path / "2" / "bank")
    assert sound.stdout == faulty.stdout
    stopped = finish(corpus, tmp_path / "3", "ray", FAULTS="99", **fault)
    assert stopped.returncode == 4
    assert "ended its worker 3 times" in stopped.stderr
    assert "Traceback" not in stopped.stderr


def test_what_is_said_at_the_end(corpus: Path, tmp_path: Path) -> None:
    result = finish(corpus, tmp_path / "bank", "local", "--dataset", "chords", "--license", "CC0-1.0")
    assert result.returncode == 0, result.stderr
    lines = [line.split() for line in result.stdout.splitlines()]
    assert ["groups", "kept", "23"] in lines
    assert ["clips", "in", "96"] in lines
    assert any(words[:2] == ["1", "mixed_speakers:"] for words in lines)
    listed = run_parley("voicebank", "list", tmp_path / "bank")
    values = dict(line.split("\t") for line in listed.stdout.splitlines())
    assert (values["name"], values["counts.speakers"], values["sources.0.license"]) == ("bank", "23", "CC0-1.0")


@pytest.mark.parametrize(
    ("more", "fault", "code", "words"),
    [
        pytest.param(["--set", "pair_rule.threshold=high"], {}, 2, "pair_rule.threshold", id="wrong value"),
        pytest.param(["--layout", "tarballs"], {}, 2, "no layout 'tarballs'", id="no such layout"),
        pytest.param(["--recipe", "nobodys"], {}, 2, "packaged-bank", id="no such recipe"),
        pytest.param(["--dataset", "a/b"], {}, 2, "--dataset", id="a name that is a path"),
        pytest.param([], {"FAULT": "unavailable"}, 4, "install it", id="an engine that is not here"),
    ],
)
def test_errors_are_one_line(
    more: list[str], fault: dict[str, str], code: int, words: str, corpus: Path, tmp_path: Path
) -> None:
    result = finish(corpus, tmp_path / "bank", "local", *more, **fault)
    assert result.returncode == code
    assert words in result.stderr
    assert result.stderr.strip().splitlines()[-1].startswith("parley: ")
    assert "Traceback" not in result.stderr
    assert result.stdout == ""


def test_the_banks_that_ship() -> None:
    listed = run_parley("voicebank", "list")
    rows = [line.split("\t") for line in listed.stdout.splitlines()]
    assert {"offline", "tone"} <= {row[0] for row in rows}
    assert all(len(row) == 4 and int(row[1]) > 0 for row in rows)
    card = run_parley("voicebank", "list", "offline")
    assert card.stdout.startswith("name\toffline\n")


def test_a_foreign_card_does_not_move_the_cursor(tmp_path: Path) -> None:
    (tmp_path / "card.json").write_text(json.dumps({"name": "a\x1b[2Jb", "empty": [], "nothing": None}))
    listed = run_parley("voicebank", "list", tmp_path)
    assert listed.stdout == "name\ta\\u001b[2Jb\nempty\t-\nnothing\t-\n"
