"""The end of this machine's own Ray: by its death, or of itself, without leftovers."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from pipeline.job.listener import Listener
from pipeline.job.runner.ray import RayRunner
from tests.pipeline.tone_job import make_job, run_tone

pytestmark = pytest.mark.slow

DEADLINE_S = 240.0


@pytest.mark.parametrize("name", ["raylet", "gcs_server"])
def test_its_death_ends_the_command_with_a_sentence(name: str, input_file: str, tmp_path: Path) -> None:
    """The command is a process of its own here: Ray's core ends the process that has lost it."""
    words = ["run", "tone-dry-run", "--input", input_file, "--out", str(tmp_path / "out"), "--set", "block_rows=1"]
    process = subprocess.Popen([sys.executable, "-m", "pipeline", *words], stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + DEADLINE_S
    while not list((tmp_path / "out").glob("work/take-1/*.json")):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.01)
    (vital,) = [child for child in psutil.Process(process.pid).children() if child.name() == name]
    vital.kill()
    _, said = process.communicate(timeout=DEADLINE_S)
    sentence = f"parley: Ray ended: its process {name} is gone, killed or out of memory; the same command continues\n"
    assert (process.returncode, said.endswith(sentence), "Traceback" in said) == (4, True, False), said


def test_nothing_of_it_stays(input_file: str, tmp_path: Path) -> None:
    import ray

    seen: list[Path] = []

    class Look(Listener):
        def finished(self, report: object) -> None:
            seen.append(Path(ray._private.worker._global_node.get_session_dir_path()))

    before = signal.getsignal(signal.SIGINT)
    run_tone(make_job(input_file, limit=4), tmp_path / "corpus", RayRunner(), Look())
    assert seen and not seen[0].exists()
    assert signal.getsignal(signal.SIGINT) is before


def test_jobs_that_start_at_once_on_a_new_machine_do_not_shut_each_other_out(input_file: str, tmp_path: Path) -> None:
    """Each has a token of its own, and none writes one into the home directory."""
    (tmp_path / "home").mkdir()
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RAY_AUTH_")}
    words = [sys.executable, "-m", "pipeline", "run", "tone-dry-run", "--input", input_file, "--limit", "2", "--out"]
    jobs = [
        subprocess.Popen([*words, str(tmp_path / name)], env={**kept, "HOME": str(tmp_path / "home")})
        for name in ("first", "second")
    ]
    assert [job.wait(timeout=DEADLINE_S) for job in jobs] == [0, 0]
    assert not (tmp_path / "home" / ".ray").exists()
