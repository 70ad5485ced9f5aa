"""Whole jobs on a cluster of several raylets, one of which is killed while its workers are in the midst of a part."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pyarrow import fs as pafs
from ray.cluster_utils import Cluster

from manifests.storage import Place, open_place
from pipeline.engines.registry import ENGINES
from pipeline.job.directory import WORK
from pipeline.job.listener import Listener
from pipeline.job.runner.ray import RayRunner
from tests.doubles import double
from tests.pipeline.job.runner.held.held_engines import GO, PARTS, WAITING
from tests.pipeline.tone_job import ROWS, files_of, make_job, run_tone

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

ROOT = Path(__file__).parents[4]
HELD = Path(__file__).parent / "held"
POOLS = (
    "pools={text: {stages: [rewrite, screen, respond, cast], workers: 1, cpus: 1}, "
    "speech: {stages: [synthesize, render, watermark, transcribe, gate], workers: 2, cpus: 2}}"
)
QUICK = {"health_check_initial_delay_ms": 0, "health_check_period_ms": 500, "health_check_failure_threshold": 4}
"""Ray's own settings take a node for dead after some 15 s of silence."""


class Raylets:
    """A head and two more nodes of two CPUs each; one that was killed is replaced before the next job."""

    def __init__(self, held: Path) -> None:
        self.held = held
        self._cluster: Any = None
        with self._environment():
            for start in range(3):  # Ray gives a node 30 s to start, whatever else the machine does
                try:
                    self._start()
                    break
                except Exception:
                    self.close()
                    if start == 2:
                        raise
        self.address = str(self._cluster.address)

    def _start(self) -> None:
        self._cluster = Cluster()
        head = {"include_dashboard": False, "include_log_monitor": False, "no_monitor": True, "_system_config": QUICK}
        self._cluster.add_node(num_cpus=2, **head)
        self._cluster.add_node(num_cpus=2)
        self._cluster.add_node(num_cpus=2)
        self._cluster.wait_for_nodes()

    def prepare(self, parts: int) -> None:
        """Have two nodes more than the head; each worker waits after so many parts."""
        with self._environment():
            while len(self._cluster.worker_nodes) < 2:
                self._cluster.add_node(num_cpus=2)
        self._cluster.wait_for_nodes()
        shutil.rmtree(self.held)
        (self.held / WAITING).mkdir(parents=True)
        (self.held / PARTS).write_text(str(parts))

    @property
    def waiting(self) -> set[str]:
        """The nodes with a worker that waits."""
        return {path.name for path in (self.held / WAITING).iterdir()}

    def kill_one(self) -> bool:
        """Kill the raylet of a node with a worker that waits, once two do, and let the others go on; was it done?"""
        if len(waiting := self.waiting) < 2:
            return False
        node = next(node for node in self._cluster.worker_nodes if node.node_id in waiting)
        os.kill(node.all_processes["raylet"][0].process.pid, signal.SIGKILL)
        self._cluster.remove_node(node, allow_graceful=False)
        (self.held / GO).touch()
        return True

    def kill_head(self) -> None:
        for name in ("gcs_server", "raylet"):
            os.kill(self._cluster.head_node.all_processes[name][0].process.pid, signal.SIGKILL)

    def close(self) -> None:
        self._cluster.shutdown()

    @contextmanager
    def _environment(self) -> Iterator[None]:
        """Set the variables of the nodes' processes, and not of this one."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PYTHONPATH", f"{HELD}:{ROOT}")
            patch.setenv("HELD_DIR", str(self.held))
            patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
            yield


@pytest.fixture(scope="module")
def raylets() -> Iterator[Raylets]:
    with tempfile.TemporaryDirectory() as held:
        raylets = Raylets(Path(held))
        yield raylets
        raylets.close()


class Killer(Listener):
    def __init__(self, raylets: Raylets) -> None:
        self._raylets = raylets
        self.has_killed = False
        self.sentences: list[str] = []

    def noted(self, sentence: str) -> None:
        self.sentences.append(sentence)

    def waiting(self) -> None:
        if not self.has_killed:
            self.has_killed = self._raylets.kill_one()


@pytest.fixture(autouse=True)
def _mumbling(monkeypatch: pytest.MonkeyPatch) -> None:
    module = "tests.pipeline.job.runner.held.held_engines"
    monkeypatch.setitem(ENGINES.added, ("tts", "tone"), double("tts", "tone", module, "HeldSynthesizer"))


@pytest.fixture
def source(tmp_path: Path) -> str:
    path = tmp_path / "rows.json"
    path.write_text(json.dumps(ROWS, ensure_ascii=False), encoding="utf-8")
    return str(path)


def stored_files(corpus: Place) -> dict[str, bytes]:
    """What `files_of` returns, of a corpus on an object store."""
    found = corpus.filesystem.get_file_info(pafs.FileSelector(corpus.path, recursive=True))
    names = sorted(one.path.removeprefix(f"{corpus.path}/") for one in found if one.is_file)
    return {name: (corpus / name).read_bytes() for name in names if WORK not in name.split("/")}


def test_a_raylet_dies_under_a_job_in_a_shared_directory(raylets: Raylets, source: str, tmp_path: Path) -> None:
    run_tone(make_job(source, POOLS), tmp_path / "local")
    raylets.prepare(parts=0)
    killer = Killer(raylets)
    run_tone(make_job(source, POOLS), tmp_path / "raylets", RayRunner(raylets.address), killer)
    assert killer.has_killed
    assert (tmp_path / "raylets" / WORK / "take-2").exists()
    (said,) = killer.sentences
    assert said == "the cluster has 4 CPUs and 0 GPUs left, so pools get fewer workers: speech 1 in place of 2"
    assert files_of(tmp_path / "raylets") == files_of(tmp_path / "local")


def test_a_raylet_dies_with_finished_parts_under_a_job_on_an_object_store(
    raylets: Raylets, source: str, bucket: str, tmp_path: Path
) -> None:
    """A block has four parts here, so that the first ones wait for the others, mostly on the node that dies."""
    job = make_job(source, POOLS, "block_rows=16")
    run_tone(job, tmp_path / "local")
    raylets.prepare(parts=1)
    killer, out = Killer(raylets), open_place(bucket.format("corpus"))
    run_tone(job, out, RayRunner(raylets.address), killer)
    assert killer.has_killed
    assert stored_files(out) == files_of(tmp_path / "local")


def test_the_death_of_the_head_ends_the_command_with_a_sentence_and_it_continues(
    raylets: Raylets, source: str, tmp_path: Path
) -> None:
    """The last test of this module: nothing works on this cluster any more."""
    raylets.prepare(parts=1)
    words = ["run", "tone-dry-run", "--input", source, "--format", "alpaca", "--out", str(tmp_path / "out")]
    words += ["--set", "block_rows=4", "--set", "pools.all.workers=2"]
    parley = [sys.executable, "-m", "pipeline", *words]
    process = subprocess.Popen([*parley, "--ray-address", raylets.address], stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120
    while not raylets.waiting:
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    raylets.kill_head()
    _, said = process.communicate(timeout=90)
    assert "parley: Ray ended: the head of the cluster at " in said, said
    assert (process.returncode, "Traceback" in said) == (4, False), said
    again = subprocess.run([*parley, "--runner", "local"], capture_output=True, text=True, check=False)
    assert again.returncode == 0, again.stderr
    assert (tmp_path / "out" / "manifest.json").exists()
