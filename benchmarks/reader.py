"""Reading clips for training: Parley's stream against Lhotse Shar, WebDataset, Hugging Face datasets and MosaicML MDS.

    python benchmarks/reader.py [--rows 1000] [--rounds 3] [--workers 0 1 2] [--lean-decoder] [--fresh]

The same dialogues are written in every format and read through PyTorch's `DataLoader`: sequentially, shuffled, and
where a format can, at random by number, with the same decoder, buffer and number of rows in a shard. Each format has a
process of its own, and they take turns, round after round. The medians are shown; the ratio is that of the CPU to
Parley's in the same round: the median of the rounds, and the least and the most of them. CPU is that of the process
and its workers from the opening of the data on, without imports; memory is the peak of what the system cannot drop, of
all processes together (Linux only), less what the same process has before it opens the data.

`--fresh` starts a process for each reading: take memory and the time to the first row from such a run, since a process
that has read before has memory left over. `--lean-decoder` lets all but Lhotse, which decodes by itself, call
soundfile as Parley does, which is less work than `soundfile.read`.

It needs an environment of its own, since the peers' requirements exclude each other:

    python3 -m venv .readers && .readers/bin/pip install torch==2.13.0
    .readers/bin/pip install pyarrow==26.0.1 numpy==2.4.6 soundfile==0.14.0 soxr==1.1.0 psutil==7.2.2 \\
        'pydantic>=2.8,<3' rapidfuzz zhconv==1.4.3 regex==2026.11.19
    .readers/bin/pip install --no-deps webdataset==1.0.2 lhotse==1.33.0 mosaicml-streaming==0.13.0 datasets==5.2.0 \\
        braceexpand pyyaml click audioread cytoolz toolz intervaltree sortedcontainers tabulate tqdm packaging \\
        dill==0.4.1 pandas xxhash multiprocess==0.70.19 fsspec==2026.9.0 huggingface-hub==1.31.0 python-dateutil six \\
        pytz boto3 botocore s3transfer jmespath Brotli python-snappy cramjam zstd catalogue httpx httpcore anyio h11 \\
        idna certifi sniffio requests urllib3 charset-normalizer filelock typing-extensions hf-xet shellingham \
        typer rich pillow
    .readers/bin/pip install --no-deps --editable .
"""

import argparse
import importlib
import io
import json
import os
import resource
import select
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import soundfile

RATE = 16_000

# Tells the processes that read that they decode with `--lean-decoder`.
LEAN = "READER_LEAN_DECODER"

# Begins the lines of such a process that are results; libraries print as well.
MARK = "reader: "


def make_rows(rows: int) -> Iterator[Any]:
    """Dialogues of two clips of 2 to 8 seconds that cost a FLAC decoder as much as speech: 40 different ones."""
    from manifests.schema import Audio
    from parley.testing.corpora import make_kept, with_take

    draw = np.random.default_rng(0)
    clips = []
    lengths = draw.integers(2 * RATE, 8 * RATE, 20).repeat(2)  # both clips alike: a cut of Lhotse has one length
    for length in map(int, lengths):
        noise = np.cumsum(draw.standard_normal(length))
        noise -= np.convolve(noise, np.ones(200) / 200, "same")
        loud = 0.5 + 0.5 * np.sin(2 * np.pi * 3 * np.arange(length) / RATE)
        file = io.BytesIO()
        soundfile.write(file, 0.5 * loud * noise / np.abs(noise).max(), RATE, format="FLAC", subtype="PCM_16")
        clips.append(Audio(file.getvalue(), None, "flac", RATE, length))
    for number in range(rows):
        row = make_kept(number)
        turns = (with_take(turn, audio=clips[(2 * number + i) % 40]) for i, turn in enumerate(row.turns))
        yield replace(row, turns=tuple(turns))


def cpu_s() -> float:
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def memory_of(pid: int) -> int:
    """The anonymous and shared memory of a process and its children, in bytes: what the system cannot drop."""
    found = 0
    try:
        for process in (psutil.Process(pid), *psutil.Process(pid).children(recursive=True)):
            lines = Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines()
            found += sum(int(line.split()[1]) for line in lines if line.startswith(("Pss_Anon", "Pss_Shmem"))) * 1024
    except (OSError, psutil.NoSuchProcess):
        pass  # it ended meanwhile
    return found


def read(side: str, where: Path, job: str, workers: int) -> dict[str, float]:
    """Read everything once, in this process. The files are in the page cache, since they were written just now."""
    import torch
    from torch.utils.data import DataLoader

    from benchmarks import reader_sides
    from benchmarks.reader_sides import SIDES

    reader_sides.lean_decoder = LEAN in os.environ
    torch.set_num_threads(1)
    for module in (*SIDES[side].modules, "soundfile"):
        importlib.import_module(module)
    before = memory_of(os.getpid())
    cpu, start = cpu_s(), time.perf_counter()
    if job == "random":
        data, sampled = SIDES[side].numbered(where), True
    else:
        data, sampled = SIDES[side].open(where, job == "shuffled")
    options: dict[str, Any] = {"shuffle": True} if sampled else {}
    given = getattr(SIDES[side], "given", as_it_is)
    rows, samples, first = set(), 0, 0.0
    for item in DataLoader(data, batch_size=None, num_workers=workers, collate_fn=as_it_is, **options):
        turns, first = given(item), first or time.perf_counter() - start
        rows.add(turns[0][0])
        samples += sum(len(clip) for _, clip in turns)
    wall, used = time.perf_counter() - start, cpu_s() - cpu
    return {"rows": len(rows), "samples": samples, "wall_s": wall, "cpu_s": used, "first_s": first, "before": before}


def as_it_is(item: Any) -> Any:
    return item


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--sides", nargs="+")
    parser.add_argument("--modes", nargs="+", default=["sequential", "shuffled", "random"])
    parser.add_argument("--lean-decoder", action="store_true")
    parser.add_argument("--fresh", action="store_true")
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--scratch", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.lean_decoder:
        os.environ[LEAN] = "1"
    if arguments.one:
        one(*arguments.one)
        return
    with tempfile.TemporaryDirectory(dir=arguments.scratch) as scratch:
        measure(arguments, Path(scratch))


def one(side: str, where: str) -> None:
    """Do what the lines of the standard input say, and tell each result in a line of the standard output."""
    from benchmarks.reader_sides import SIDES

    for line in sys.stdin:
        job, number = line.split()
        if job == "write":
            SIDES[side].write(Path(where), make_rows(int(number)))
        found = {} if job == "write" else read(side, Path(where), job, int(number))
        print(MARK + json.dumps(found), flush=True)


class Child:
    """A process that reads one format."""

    def __init__(self, side: str, scratch: Path) -> None:
        from benchmarks.reader_sides import SAME_FILES

        command = [sys.executable, __file__, "--one", side, str(scratch / SAME_FILES.get(side, side))]
        quiet = {"HF_DATASETS_DISABLE_PROGRESS_BARS": "1", "HF_HUB_OFFLINE": "1", "PYTHONWARNINGS": "ignore"}
        environment = {**os.environ, **quiet, "PYTHONPATH": str(Path(__file__).parents[1])}
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
        self._side = side

    def ask(self, job: str, number: int) -> dict[str, float]:
        """Return what `read` does, and the peak of memory while it did."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(f"{job} {number}\n".encode())
        self._process.stdin.flush()
        peak, told = 0, b""
        while not told.startswith(MARK.encode()):
            while not select.select([self._process.stdout], [], [], 0.2)[0]:
                peak = max(peak, memory_of(self._process.pid))
            if not (told := self._process.stdout.readline()):
                raise SystemExit(f"{self._side} ended with {self._process.wait()}")
        found: dict[str, float] = json.loads(told[len(MARK) :])
        return {**found, "peak_mb": (peak - found.get("before", 0)) / 2**20}

    def end(self) -> None:
        self._process.communicate()


def measure(arguments: argparse.Namespace, scratch: Path) -> None:
    from benchmarks.reader_sides import SAME_FILES, SIDES

    sides = arguments.sides or list(SIDES)
    for side in sides:
        if SAME_FILES.get(side) not in sides:
            # Not one that reads: malloc gives less memory back to the system once it was given large pieces.
            writer = Child(side, scratch)
            writer.ask("write", arguments.rows)
            writer.end()
    children = {side: Child(side, scratch) for side in sides}
    print(
        f"{arguments.rows} dialogues of two clips, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}", flush=True
    )
    for job in arguments.modes:
        for workers in arguments.workers:
            found: dict[str, list[dict[str, float]]] = defaultdict(list)
            able = [side for side in sides if job != "random" or hasattr(SIDES[side], "numbered")]
            for _ in range(arguments.rounds):
                for side in able:
                    if arguments.fresh:
                        children[side].end()
                        children[side] = Child(side, scratch)
                    found[side].append(children[side].ask(job, workers))
            show(f"{job}, {workers} workers", found, arguments.rows)
    for each in children.values():
        each.end()


def show(title: str, found: dict[str, list[dict[str, float]]], rows: int) -> None:
    print(f"\n{title}\n{'':16} clips/s  CPU ms/clip  CPU, ratio (least-most)  first row s  peak MB")
    ours = next(iter(found.values()))
    counted = set()
    for side, runs in found.items():
        run = {name: statistics.median(run[name] for run in runs) for name in runs[0]}
        ratios = sorted(run["cpu_s"] / other["cpu_s"] for run, other in zip(runs, ours, strict=True))
        told = "" if run["rows"] == rows else f"  {run['rows']:.0f} rows of {rows}"
        print(
            f"{side:16} {2 * rows / run['wall_s']:7.0f}  {500 * run['cpu_s'] / rows:11.2f}  "
            f"{statistics.median(ratios):10.2f} ({ratios[0]:.2f}-{ratios[-1]:.2f})  {run['first_s']:11.2f}  "
            f"{run['peak_mb']:7.0f}{told}",
            flush=True,
        )
        counted.add(run["samples"])
    if len(counted) > 1:
        print("not all gave the same samples")


if __name__ == "__main__":
    main()
