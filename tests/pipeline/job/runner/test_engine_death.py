"""Engines that die: the block is tried again on a fresh one, loses nothing, and stops the job if it kills them all."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from manifests.errors import EngineDied
from manifests.storage import open_place
from parley.testing import make_dialogue, tone_recipe
from pipeline.engines.contract import Clip, Failure, SpeechRequest
from pipeline.engines.registry import ENGINES
from pipeline.engines.tts.tone import ToneSynthesizer
from pipeline.job.blocks import read_block, write_block
from pipeline.job.commits import write_hashes
from pipeline.job.listener import Listener
from pipeline.job.runner.local import LocalRunner
from pipeline.job.runner.tasks import BlockPass, plan_pools
from pipeline.job.worker import WorkOrder
from tests.commands import run_parley
from tests.doubles import double, swap_engine
from tests.pipeline.tone_job import files_of

ROOT = Path(__file__).parents[4]
FAULTS = Path(__file__).parent / "faults"
FAULTY = "tests.pipeline.job.runner.faults.faulty_engines"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "rows.jsonl"
    rows = [{"instruction": f"Why do people like number {i}?", "output": "It brings them luck."} for i in range(9)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def run(
    source: Path, out: Path, runner: str, fault: str = "none", faults: int = 0
) -> subprocess.CompletedProcess[str]:
    command = ["run", "tone-dry-run", "--input", source, "--out", out]
    settings = ["--set", "block_rows=3", "--set", "pools.all.workers=2", "--runner", runner]
    variables = {"FAULT": fault, "FAULTS": str(faults), "FAULT_TALLY": str(out.with_suffix(".tally"))}
    if runner == "local":
        with pytest.MonkeyPatch.context() as patch:
            if faults:
                patch.setitem(ENGINES.added, ("tts", "tone"), double("tts", "tone", FAULTY, "FaultySynthesizer"))
            return run_parley(*command, *settings, env=variables)
    words = [str(word) for word in [Path(sys.executable).with_name("parley"), *command, *settings]]
    environment = {**os.environ, **variables, "PYTHONPATH": f"{FAULTS}:{ROOT}" if faults else str(ROOT)}
    return subprocess.run(words, capture_output=True, text=True, check=False, env=environment, timeout=240)


@pytest.mark.parametrize(
    ("runner", "fault"),
    [
        pytest.param("ray", "exit", marks=pytest.mark.slow),
        pytest.param("ray", "die", marks=pytest.mark.slow),
        ("local", "die"),
    ],
)
def test_a_block_survives_two_deaths_of_its_engine(runner: str, fault: str, source: Path, tmp_path: Path) -> None:
    assert run(source, tmp_path / "sound", "local").returncode == 0
    result = run(source, tmp_path / "faulty", runner, fault, faults=2)
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "faulty.tally").stat().st_size >= 3
    assert files_of(tmp_path / "faulty") == files_of(tmp_path / "sound")


def test_the_local_runner_replaces_a_dead_engine_and_closes_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    made: list[object] = []
    closed: list[object] = []

    class StaysDead(ToneSynthesizer):
        def __init__(self) -> None:
            super().__init__()
            made.append(self)
            self.number = len(made)

        def synthesize(self, requests: Sequence[SpeechRequest]) -> list[Clip | Failure]:
            if self.number < 3:
                raise EngineDied("the engine is gone")
            return super().synthesize(requests)

        def close(self) -> None:
            closed.append(self)

    swap_engine(monkeypatch, "tts", "tone", open=StaysDead)
    source, target = open_place(tmp_path / "source"), open_place(tmp_path / "target")
    write_hashes(source, [write_block(source, 0, [make_dialogue(spoken=True)])])
    runner = LocalRunner()
    plans = plan_pools(WorkOrder(tone_recipe(), 0, ("cast", "synthesize"), {}))
    (report,) = runner.run({0: 1}, BlockPass(source, target, only_live=False), plans, Listener())
    runner.close()
    (dialogue,) = read_block(target, 0)
    assert all(turn.audio for turn in dialogue.turns)
    assert list(report.seconds) == ["cast", "synthesize"]
    assert len(made) == 3
    assert closed == made


@pytest.mark.parametrize(
    ("runner", "fault"),
    [
        pytest.param("ray", "exit", marks=pytest.mark.slow),
        pytest.param("ray", "die", marks=pytest.mark.slow),
        ("local", "die"),
    ],
)
def test_a_block_that_kills_every_engine_stops_the_job(runner: str, fault: str, source: Path, tmp_path: Path) -> None:
    result = run(source, tmp_path / "faulty", runner, fault, faults=99)
    assert result.returncode == 4, result.stderr
    assert "Traceback" not in result.stderr
    assert "block 1 ended its worker" in result.stderr if fault == "exit" else "the engine is gone" in result.stderr
    assert not (tmp_path / "faulty" / "manifest.json").exists()
