"""The Ray runner beside the job: several blocks in one worker, plain mapping, room for later passes."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import psutil
import pytest

from manifests.errors import CorpusError, EngineDied
from pipeline.job.runner.local import LocalRunner
from pipeline.job.runner.ray import RayRunner
from tests.pipeline.job.runner.mapped import ends_its_process_at_five, refuses_five, shifted
from tests.pipeline.tone_job import files_of

ROOT = Path(__file__).parents[4]
MEETING = Path(__file__).parent / "meeting"


@pytest.fixture(scope="module")
def ray_runner() -> Iterator[RayRunner]:
    runner = RayRunner()
    yield runner
    runner.close()


def test_map_gives_the_results_in_order(ray_runner: RayRunner) -> None:
    items = list(range(40))
    expected = [item + 3 for item in items]
    assert list(ray_runner.map(partial(shifted, by=3), items)) == expected
    assert list(LocalRunner().map(partial(shifted, by=3), items)) == expected
    assert list(ray_runner.map(partial(shifted, by=3), [])) == []


def test_rays_own_processes_are_those_that_are_needed(ray_runner: RayRunner) -> None:
    assert list(ray_runner.map(partial(shifted, by=3), [1])) == [4]
    started = " ".join(word for process in psutil.Process().children(recursive=True) for word in process.cmdline())
    assert "gcs_server" in started and "raylet" in started
    assert not [name for name in ("monitor.py", "dashboard.py") if name in started]


@pytest.mark.parametrize("which", ["ray", "local"])
def test_an_error_of_ours_comes_out_of_map_as_it_is(which: str, ray_runner: RayRunner) -> None:
    runner = ray_runner if which == "ray" else LocalRunner()
    with pytest.raises(CorpusError, match=r"^five is broken$"):
        list(runner.map(refuses_five, range(10)))


@pytest.mark.slow
def test_a_task_that_ends_every_worker_stops_the_job_with_a_sentence(ray_runner: RayRunner) -> None:
    with pytest.raises(EngineDied, match=r"^a task ended its worker 4 times: WorkerCrashedError$"):
        list(ray_runner.map(ends_its_process_at_five, range(7)))


@pytest.mark.timeout(200)
@pytest.mark.slow
def test_blocks_in_flight_share_one_worker(tmp_path: Path) -> None:
    """The text engine answers nobody until three blocks ask at once; one worker has them all in work."""
    source = tmp_path / "rows.jsonl"
    rows = [{"instruction": f"Why do people like number {i}?", "output": "It brings them luck."} for i in range(6)]
    source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    speech = "cast, synthesize, render, watermark, transcribe, gate"
    pools = (
        "pools={text: {stages: [rewrite, screen, respond], workers: 1, cpus: 0.1, blocks_in_flight: 3}, "
        f"speech: {{stages: [{speech}], workers: 1}}}}"
    )

    def run(name: str, path: str, *settings: str) -> subprocess.CompletedProcess[str]:
        command = [Path(sys.executable).with_name("parley"), "run", "tone-dry-run", "--input", source]
        words = [*command, "--out", tmp_path / name, "--set", "block_rows=2", *settings]
        return subprocess.run(
            [str(word) for word in words],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "PYTHONPATH": path, "MEETING_DIR": str(tmp_path)},
            timeout=180,
        )

    together = run("together", f"{MEETING}:{ROOT}", "--set", pools)
    assert together.returncode == 0, together.stderr
    assert (tmp_path / "processes").read_text().split("\n")[:-1] != []
    assert len(set((tmp_path / "processes").read_text().split())) == 1
    assert run("alone", str(ROOT), "--runner", "local").returncode == 0
    assert files_of(tmp_path / "together") == files_of(tmp_path / "alone")
