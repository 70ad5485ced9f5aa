"""Whole jobs with the tone engines, for tests to run, interrupt and compare."""

from pathlib import Path
from typing import Any

from manifests.manifest import Manifest
from manifests.storage import Place, open_place
from parley.testing import tone_recipe
from pipeline.job import run as running
from pipeline.job.blocks import BlockReport
from pipeline.job.directory import WORK
from pipeline.job.ingest import IngestOptions
from pipeline.job.inputs import open_inputs
from pipeline.job.job import Job
from pipeline.job.listener import Listener
from pipeline.job.runner.local import LocalRunner
from pipeline.job.runner.tasks import Runner
from pipeline.recipe import Recipe

STAGES = tuple(tone_recipe().stages)


ROWS = [
    *({"instruction": f"What is the capital of country number {i}?", "output": f"It is city {i}."} for i in range(14)),
    {"instruction": "Write a Python function that adds two numbers.", "output": "def add(a, b): return a + b"},
    {"instruction": "", "output": "An answer to nothing."},
    {"instruction": "Name a fruit that is red.", "output": ""},
    "a bare string",
    {"instruction": "What is the capital of country number 3?", "output": "It is city 3."},
    {"instruction": "天空为什么是蓝色的？", "output": "因为空气把蓝光散射到各个方向。"},
    {"instruction": "Pourquoi le ciel est-il bleu pendant la journée, et rouge le soir?", "output": "La diffusion."},
]


def small_recipe(*overrides: str) -> Recipe:
    return tone_recipe("block_rows=4", "pack.clips=true", *overrides)


def make_job(input_file: str, *overrides: str, **changes: Any) -> Job:
    options = IngestOptions(**changes)
    return Job(small_recipe(*overrides), 0, open_inputs([input_file], format="alpaca"), options)


def run_tone(job: Job, out: Path | Place, runner: Runner | None = None, listener: Listener | None = None) -> Manifest:
    place = out if isinstance(out, Place) else open_place(out)
    return running.run_job(job, place, runner or LocalRunner(), listener or Listener())


def files_of(corpus: Path) -> dict[str, bytes]:
    """The corpus less the work directory: relative path -> bytes."""
    return {
        str(path.relative_to(corpus)): path.read_bytes()
        for path in sorted(corpus.rglob("*"))
        if path.is_file() and WORK not in path.relative_to(corpus).parts
    }


class StopAfter(Listener):
    def __init__(self, blocks: int) -> None:
        self.left = blocks

    def finished(self, report: BlockReport) -> None:
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt


class Count(Listener):
    def __init__(self) -> None:
        self.blocks: list[int] = []
        self.settled = -1

    def started(self, total: int, settled: int, kept: int = 0) -> None:
        self.settled = settled

    def finished(self, report: BlockReport) -> None:
        self.blocks.append(report.block)


class Closing(LocalRunner):
    def __init__(self) -> None:
        super().__init__()
        self.closed = 0

    def close(self) -> None:
        self.closed += 1
        super().close()


def run_stage(name: str, job: Job, source: Path, out: Path, listener: Listener | None = None) -> running.StageResult:
    places = open_place(source), open_place(out)
    return running.run_stage_directory(name, job.recipe, *places, LocalRunner(), listener or Listener())
