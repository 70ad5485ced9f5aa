"""The end of this machine's own Ray: by its death, or of itself, without leftovers."""

import signal
from pathlib import Path

import psutil
import pytest

from manifests.errors import RayEnded
from pipeline.job.listener import Listener
from pipeline.job.runner.ray import RayRunner
from tests.pipeline.tone_job import files_of, make_job, run_tone

pytestmark = pytest.mark.slow


class Killer(Listener):
    """Kills a process of Ray's when the first block is done."""

    def __init__(self, name: str) -> None:
        self._name = name

    def finished(self, report: object) -> None:
        for process in psutil.Process().children(recursive=True):
            if process.name() == self._name:
                process.kill()


@pytest.mark.parametrize("name", ["raylet", "gcs_server"])
def test_its_death_ends_the_job_with_a_sentence(name: str, finished: Path, input_file: str, tmp_path: Path) -> None:
    out = tmp_path / "corpus"
    with pytest.raises(RayEnded, match=f"Ray ended: its process {name} is gone, .*; the same command continues"):
        run_tone(make_job(input_file), out, RayRunner(), Killer(name))
    run_tone(make_job(input_file), out, RayRunner())
    assert files_of(out) == files_of(finished)


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
