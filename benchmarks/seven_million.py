"""What grows when a job grows: files, the driver's time and memory, Ray's store; and what that is at 7,000,000 rows.

    python benchmarks/seven_million.py [--rows 1000 3000 9000] [--blocks 1000 10000 100000]

Three simulations, each in a process of its own that is the job's driver:

* whole jobs on Ray with tones for speech, and then the work on the corpus: for each step the wall time, the CPU time
  of the driver and its highest memory, the memory of Ray's object store (what its raylet shares), what it spilled, and
  the files in each directory;
* continued jobs whose work directory holds so many finished blocks: the time until the first new block is done. Blocks
  are copies of one; their commits are written by the job's own function;
* what the driver alone does for each row or block when it packs, at the full size, on made-up commits.

Every part is forced to be spread, however small the job. Exponents compare the smallest and the largest size: 1 is
linear; a step that takes a second in all says little by it.
"""

import argparse
import hashlib
import json
import math
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psutil

from benchmarks.tone_rows import write_rows

GOAL = 7_000_000
BLOCK_ROWS = 64
LARGEST = 100_000
"""Entries of a directory beyond which tools and file systems begin to suffer."""
LEFT_BLOCKS = 8


@dataclass
class Step:
    wall_s: float = 0.0
    driver_s: float = 0.0
    peak_mb: float = 0.0
    store_mb: float = 0.0
    spilled_mb: float = 0.0


@dataclass
class Watch:
    """Measures steps of this process; a thread looks at its memory and at Ray's store, which takes `looked_s`."""

    steps: dict[str, Step] = field(default_factory=dict)
    looked_s: float = 0.0
    _now: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        threading.Thread(target=self._look, daemon=True).start()

    def _look(self) -> None:
        own = psutil.Process()
        while True:
            if self._now:
                step = self.steps[self._now[-1]]
                step.peak_mb = max(step.peak_mb, own.memory_info().rss / 2**20)
                used, spilled = _store()
                step.store_mb, step.spilled_mb = max(step.store_mb, used), max(step.spilled_mb, spilled)
            self.looked_s = time.thread_time()
            time.sleep(0.2)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        step = self.steps.setdefault(name, Step())
        wall, cpu = time.perf_counter(), time.process_time() - self.looked_s
        self._now.append(name)
        try:
            yield
        finally:
            self._now.pop()
            step.wall_s += time.perf_counter() - wall
            step.driver_s += time.process_time() - self.looked_s - cpu
            print(f"{name}: {step}", file=sys.stderr, flush=True)

    def timed(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: Any, **named: Any) -> Any:
            with self.step(name):
                return function(*given, **named)

        return call


def _store() -> tuple[float, float]:
    """Return MB of Ray's object store that its raylet has touched, and MB of spilled files; zeros without Ray."""
    import ray

    node = ray._private.worker._global_node
    if node is None:
        return 0.0, 0.0
    try:
        raylets = [child for child in psutil.Process().children() if child.name() == "raylet"]
        used = sum(raylet.memory_info().shared for raylet in raylets)
        folders = Path(node.get_session_dir_path()).glob("ray_spilled_objects*")
        spilled = sum(path.stat().st_size for folder in folders for path in folder.rglob("*") if path.is_file())
        return used / 2**20, spilled / 2**20
    except (psutil.Error, OSError):  # Ray is just starting or ending
        return 0.0, 0.0


def run_whole(where: Path, rows: int) -> dict[str, Any]:
    """Run a job on Ray, and what reads its corpus."""
    from manifests.stats import stats
    from manifests.storage import open_place
    from manifests.validate import validate
    from pipeline import export, spread
    from pipeline.exporters import EXPORTERS
    from pipeline.job import ingest_pieces, job, run
    from pipeline.job.listener import Listener
    from pipeline.job.runner.ray import RayRunner
    from pipeline.readers import pieces
    from pipeline.recipes.load import load_recipe
    from pipeline.views.choose import chosen_splits

    watch = Watch()
    spread.SPREAD_BYTES = ingest_pieces.SPREAD_BYTES = 0
    pieces.PIECE_BYTES = 1 << 16
    job.ingest = watch.timed("ingest", job.ingest)  # type: ignore[attr-defined]
    job.prepare = watch.timed("dedup", job.prepare)
    run.pack = watch.timed("pack", run.pack)  # type: ignore[attr-defined]
    write_rows(where / "rows.jsonl", rows)
    recipe = load_recipe(
        "tone-dry-run", (f"block_rows={BLOCK_ROWS}", "dedup={}", "pack.shard_mb=8", "pack.clips=true")
    )
    made = job.Job(recipe, 0, run_inputs(where), job.IngestOptions("en"))  # type: ignore[attr-defined]
    out, runner = open_place(where / "out"), RayRunner()
    with watch.step("whole job"):
        run.run_job(made, out, runner, Listener())
    workers = spread.spread_for(runner, out)
    for name, work in {
        "stats": lambda: stats(out, workers),
        "validate": lambda: validate(out, beside=("work",), spread=workers),
        "validate --deep": lambda: validate(out, True, ("work",), workers),
    }.items():
        with watch.step(name):
            work()
    with watch.step("export hf"):
        (hf,) = EXPORTERS.named("hf")
        splits = chosen_splits(out, "kept", None)
        settings = export.export_settings(hf, {})
        export.export_corpus(hf, settings, splits, open_place(where / "hf"), runner, lambda done, total: None)
    return {"steps": {name: vars(step) for name, step in watch.steps.items()}, **count_files(where / "out")}


def run_inputs(where: Path) -> Any:
    from pipeline.job.inputs import open_inputs

    return open_inputs([str(where / "rows.jsonl")])


def count_files(where: Path) -> dict[str, Any]:
    entries: Counter[str] = Counter()
    for folder, inner, names in os.walk(where):
        entries[str(Path(folder).relative_to(where))] = len(inner) + len(names)
    clips = [count for name, count in entries.items() if name.startswith("audio/") and name.count("/") == 2]
    plain = {name: count for name, count in entries.items() if not name.startswith("audio/")}
    return {
        "inodes": sum(entries.values()),
        "largest": dict(Counter(plain).most_common(3)),
        "clips in a directory": max(clips, default=0),
    }


def make_directory(where: Path, blocks: int) -> None:
    """Make the work directory of a job that has finished all blocks but a few; each tenth one took a second take."""
    from manifests.storage import open_place
    from manifests.writer import OWN_NAMES
    from pipeline.job.blocks import BlockReport
    from pipeline.job.commits import block_folder, block_name, commit, total_hash
    from pipeline.job.directory import WORK, Cut, JobDirectory
    from pipeline.job.job import INGESTED, cut, fixed_parts, job_parts
    from pipeline.job.listener import Listener

    os.fsync = lambda descriptor: None  # what is made here is measured later
    write_rows(where / "rows.jsonl", blocks)
    job, out = continued_job(where), open_place(where / "out")

    def write(directory: Any, block: int, data: bytes) -> str:
        folder = block_folder(directory, block)
        if not block % 1000:
            folder.make_directory()
        name = f"{block_name(block)}.arrow"
        Path(folder.path, name).write_bytes(data)
        return name

    with JobDirectory(out, out / WORK, (WORK, *OWN_NAMES)).owned() as directory:
        directory.claim(job_parts(job), fixed_parts(job.recipe))
        small = replace(job, options=replace(job.options, limit=1))
        first = cut(small, directory, out / "first", Listener())
        data = (out / "first" / "000000.arrow").read_bytes()
        (out / "first").delete()
        digest, ingested = hashlib.sha256(data).hexdigest(), directory.work / INGESTED

        def cut_copies() -> Cut:
            for block in range(blocks):
                write(ingested, block, data)
            counts = {"rows": blocks, "blocks": blocks, "rows_of": {"rows": blocks}}
            return Cut({**first.counts, **counts, "sha256": total_hash([digest] * blocks)}, [digest] * blocks)

        directory.cut_once(ingested, cut_copies)
        takes = (directory.work / "take-1", directory.work / "take-2")
        for block in range(blocks - LEFT_BLOCKS):
            live = int(block % 10 == 0)
            for take, is_live in zip(takes, (live, 0), strict=True) if live else [(takes[0], 0)]:
                hashes = {write(take, block, data): digest}
                status = "live" if is_live else "kept"
                report = BlockReport(
                    block, 1, is_live, {status: 1}, {}, 1.5, hashes, {"gate": 0.1}, {}, status[0], [2000]
                )
                commit(take, block, {"live": is_live}, report)


def continued_job(where: Path) -> Any:
    from pipeline.job.ingest import IngestOptions
    from pipeline.job.job import Job
    from pipeline.recipes.load import load_recipe

    return Job(load_recipe("tone-dry-run", ("block_rows=1",)), 0, run_inputs(where), IngestOptions("en"))


def run_continued(where: Path, blocks: int) -> dict[str, Any]:
    """Continue the job in this process until the first new block is committed."""
    from manifests.storage import open_place
    from pipeline.job.listener import Listener
    from pipeline.job.run import run_job
    from pipeline.job.runner.local import LocalRunner

    class Enough(Exception):
        pass

    class First(Listener):
        def started(self, total: int, settled: int, kept: int = 0) -> None:
            assert settled == blocks - LEFT_BLOCKS

        def finished(self, report: Any) -> None:
            raise Enough

    watch = Watch()
    job = continued_job(where)
    try:
        with watch.step("continue"):
            run_job(job, open_place(where / "out"), LocalRunner(), First())
    except Enough:
        pass
    return {**vars(watch.steps["continue"]), **count_files(where / "out")}


def plan_all(rows: int) -> dict[str, Any]:
    """Plan the shards of that many rows, of 100 kB each, from made-up commits, as `pack` does it in the driver."""
    from manifests.writer import ShardLimits
    from pipeline.job.shard_plan import FinalBlock, RowEnds, plan_shards

    ends = "k" * (BLOCK_ROWS - 8) + "r" * 8
    blocks = (
        RowEnds(FinalBlock(number, (f"{number:06d}.live-0.json",)), ends, (100_000,) * BLOCK_ROWS, ("0" * 64,))
        for number in range(rows // BLOCK_ROWS)
    )
    watch = Watch()
    with watch.step("plan"):
        plans = plan_shards(blocks, ShardLimits(256 << 20), {})
    return {**vars(watch.steps["plan"]), "shards": len(plans)}


def child(part: str, size: int, where: str) -> dict[str, Any]:
    command = [sys.executable, __file__, "--part", part, "--size", str(size), "--where", where]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def exponent(sizes: list[int], values: list[float]) -> float:
    return math.log(max(values[-1], 1e-6) / max(values[0], 1e-6)) / math.log(sizes[-1] / sizes[0])


def show_whole(sizes: list[int], found: list[dict[str, Any]]) -> None:
    print(f"whole jobs on Ray, rows: {sizes}; seconds, MB; at {GOAL:,} rows by the slope between the two largest")
    for name in found[-1]["steps"]:
        steps = [one["steps"][name] for one in found]
        walls, drivers = [step["wall_s"] for step in steps], [step["driver_s"] for step in steps]
        peaks = [step["peak_mb"] for step in steps]
        slope = (drivers[-1] - drivers[-2]) / (sizes[-1] - sizes[-2])
        growth = (peaks[-1] - peaks[-2]) / (sizes[-1] - sizes[-2])
        print(
            f"  {name:16} wall {_row(walls)}  driver {_row(drivers)} (exponent {exponent(sizes, drivers):.2f}, "
            f"{slope * GOAL / 3600:.2f} h)  memory {_row(peaks, 0)} ({growth * 1000:+.2f} MB a 1000 rows)  "
            f"store {_row([step['store_mb'] for step in steps])}  spilled {_row([s['spilled_mb'] for s in steps])}"
        )
    for size, one in zip(sizes, found, strict=True):
        clips = one["clips in a directory"]
        print(
            f"  {size} rows: {one['inodes']} files, {one['inodes'] / size:.2f} a row; {one['largest']}; clips {clips}"
        )
    clips = found[-1]["clips in a directory"] / sizes[-1] * GOAL
    print(f"  at {GOAL:,}: {found[-1]['inodes'] / sizes[-1] * GOAL:,.0f} files, {clips:,.0f} clips in a directory")


def _row(values: list[float], digits: int = 1) -> str:
    return " ".join(f"{value:.{digits}f}" for value in values)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="*", default=[1000, 3000, 9000])
    parser.add_argument("--blocks", type=int, nargs="*", default=[1000, 10_000, 100_000])
    parser.add_argument("--part", choices=["whole", "make", "continue", "plan"], help=argparse.SUPPRESS)
    parser.add_argument("--size", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--where", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.part:
        where = Path(arguments.where)
        parts: dict[str, Callable[[], Any]] = {
            "whole": lambda: run_whole(where, arguments.size),
            "make": lambda: make_directory(where, arguments.size),
            "continue": lambda: run_continued(where, arguments.size),
            "plan": lambda: plan_all(arguments.size),
        }
        print(json.dumps(parts[arguments.part]()), flush=True)
        return
    print(f"plan of the shards of {GOAL:,} rows, in the driver: {child('plan', GOAL, '.')}", flush=True)
    for blocks in arguments.blocks:
        with tempfile.TemporaryDirectory() as where:
            child("make", blocks, where)
            print(f"continued, {blocks} blocks: {child('continue', blocks, where)}", flush=True)
    found = []
    for rows in arguments.rows:
        with tempfile.TemporaryDirectory() as where:
            found.append(child("whole", rows, where))
            print(f"{rows} rows: {found[-1]}", file=sys.stderr, flush=True)
    if len(found) > 1:
        show_whole(arguments.rows, found)


if __name__ == "__main__":
    main()
