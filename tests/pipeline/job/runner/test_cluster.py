"""A Ray cluster that somebody else started is used and left running; claims that do not fit are refused."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from manifests.errors import EngineUnavailable, UserError
from pipeline.job.libraries import library_versions
from pipeline.job.runner.ray import RayRunner
from pipeline.job.worker import check_node
from pipeline.recipes.load import load_recipe
from tests.pipeline.tone_job import ROWS, files_of, make_job, run_tone

PORT = 6399
RAY = str(Path(sys.executable).with_name("ray"))


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A head node in its own process, which ends with it. It takes Ray's own directory, where clients look for it."""
    with tempfile.TemporaryDirectory(prefix="ray-") as scratch:
        log = Path(scratch) / "log"
        words = [
            "--head",
            "--node-ip-address=127.0.0.1",
            f"--port={PORT}",
            "--num-cpus=4",
            "--include-dashboard=false",
            "--block",
        ]
        environment = {**os.environ, "PARLEY_CACHE": f"{scratch}/no-models"}
        with log.open("w") as file:
            head = subprocess.Popen([RAY, "start", *words], stdout=file, stderr=file, env=environment)
        try:
            deadline = time.monotonic() + 150
            while "Ray runtime started" not in log.read_text():
                assert head.poll() is None and time.monotonic() < deadline, log.read_text()
                time.sleep(0.2)
            yield f"127.0.0.1:{PORT}"
        finally:
            head.terminate()
            head.wait(timeout=60)


@pytest.fixture
def input_file(tmp_path: Path) -> str:
    path = tmp_path / "rows.json"
    path.write_text(json.dumps(ROWS, ensure_ascii=False), encoding="utf-8")
    return str(path)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_job_on_a_running_cluster(address: str, input_file: str, tmp_path: Path) -> None:
    run_tone(make_job(input_file), tmp_path / "local")
    run_tone(make_job(input_file), tmp_path / "cluster", RayRunner(address))
    assert files_of(tmp_path / "cluster") == files_of(tmp_path / "local")
    with pytest.raises(UserError, match=r"claim 9 CPUs and Ray needs 1, but there are 4"):
        run_tone(make_job(input_file, "pools.all.workers=9", "block_rows=1"), tmp_path / "refused", RayRunner(address))


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_node_without_the_models_is_named_before_the_job_starts(address: str) -> None:
    runner = RayRunner(address)
    libraries = library_versions()
    try:
        runner.check_nodes(partial(check_node, load_recipe("tone-dry-run"), libraries))
        with pytest.raises(EngineUnavailable, match=r"node [0-9.]+: kokoro needs the model kokoro-82m"):
            runner.check_nodes(partial(check_node, load_recipe("ke-speechchat-neural"), libraries))
        with pytest.raises(EngineUnavailable, match=r"node [0-9.]+: a worker has .* in place of 0"):
            runner.check_nodes(partial(check_node, load_recipe("tone-dry-run"), {**libraries, "numpy": "0"}))
    finally:
        runner.close()


def test_gpus_that_are_not_there_are_refused_at_once(input_file: str, tmp_path: Path) -> None:
    if list(Path("/dev").glob("nvidia[0-9]*")):
        pytest.skip("this machine has GPUs")
    with pytest.raises(UserError, match="claim 1 GPUs, but there are 0"):
        run_tone(make_job(input_file, "pools.all.gpus=1"), tmp_path / "corpus", RayRunner())
