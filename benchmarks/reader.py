"""Reading clips for training: Parley's stream against Lhotse Shar, WebDataset, Hugging Face datasets and MosaicML MDS.

    python benchmarks/reader.py [--rows 1000] [--rounds 3] [--workers 0 1 2]

The same dialogues are written in every format and read through PyTorch's `DataLoader`: sequentially, shuffled, and
where a format can, at random by number, with the same decoder, buffer and number of rows in a shard. Each reading is a
process of its own; the formats take turns, round after round, and the medians are shown, as ratios to Parley in the
same run. CPU is that of the process and its workers from the opening of the data on, without imports; memory is the
peak of what the system cannot drop, of all processes together (Linux only), less what the same process has before it
opens the data.

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
    """Read everything once, in this process; two epochs would measure the page cache of the first."""
    import torch
    from torch.utils.data import DataLoader

    from benchmarks.reader_sides import SIDES

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
    rows, samples, first = set(), 0, 0.0
    for turns in DataLoader(data, batch_size=None, num_workers=workers, collate_fn=as_it_is, **options):
        first = first or time.perf_counter() - start
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
    parser.add_argument("--one", nargs=5, help=argparse.SUPPRESS)
    parser.add_argument("--scratch", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        one(*arguments.one)
        return
    with tempfile.TemporaryDirectory(dir=arguments.scratch) as scratch:
        measure(arguments, Path(scratch))


def one(side: str, where: str, job: str, workers: str, rows: str) -> None:
    from benchmarks.reader_sides import SIDES

    if job == "write":
        SIDES[side].write(Path(where), make_rows(int(rows)))
    else:
        print(json.dumps(read(side, Path(where), job, int(workers))))


def measure(arguments: argparse.Namespace, scratch: Path) -> None:
    from benchmarks.reader_sides import SAME_FILES, SIDES

    sides = arguments.sides or list(SIDES)
    for side in sides:
        if SAME_FILES.get(side) not in sides:
            child(side, scratch, "write", 0, arguments.rows)
    print(f"{arguments.rows} dialogues of two clips, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    for job in arguments.modes:
        for workers in arguments.workers:
            found: dict[str, list[dict[str, float]]] = defaultdict(list)
            able = [side for side in sides if job != "random" or hasattr(SIDES[side], "numbered")]
            for _ in range(arguments.rounds):
                for side in able:
                    found[side].append(child(side, scratch, job, workers, arguments.rows))
            show(f"{job}, {workers} workers", found, arguments.rows)


def child(side: str, scratch: Path, job: str, workers: int, rows: int) -> dict[str, float]:
    from benchmarks.reader_sides import SAME_FILES

    where = str(scratch / SAME_FILES.get(side, side))
    command = [sys.executable, __file__, "--one", side, where, job, str(workers), str(rows)]
    quiet = {"HF_DATASETS_DISABLE_PROGRESS_BARS": "1", "HF_HUB_OFFLINE": "1", "PYTHONWARNINGS": "ignore"}
    environment = {**os.environ, **quiet, "PYTHONPATH": str(Path(__file__).parents[1])}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True)
    peak = 0
    while process.poll() is None:
        peak = max(peak, memory_of(process.pid))
        time.sleep(0.2)
    told = process.stdout.read().splitlines() if process.stdout else []
    if process.returncode:
        raise SystemExit(f"{side} ended with {process.returncode}")
    if job == "write":
        return {}
    found: dict[str, float] = json.loads(told[-1])
    return {**found, "peak_mb": (peak - found["before"]) / 2**20}


def show(title: str, found: dict[str, list[dict[str, float]]], rows: int) -> None:
    print(f"\n{title}\n{'':16} clips/s  CPU ms/clip  CPU, ratio  first row s  peak MB")
    medians = {
        side: {name: statistics.median(run[name] for run in runs) for name in runs[0]} for side, runs in found.items()
    }
    ours = next(iter(medians.values()))
    for side, run in medians.items():
        told = "" if run["rows"] == rows else f"  {run['rows']:.0f} rows of {rows}"
        print(
            f"{side:16} {2 * rows / run['wall_s']:7.0f}  {500 * run['cpu_s'] / rows:11.2f}  "
            f"{run['cpu_s'] / ours['cpu_s']:10.2f}  {run['first_s']:11.2f}  {run['peak_mb']:7.0f}{told}"
        )
    if len({run["samples"] for run in medians.values()}) > 1:
        print("not all gave the same samples")


if __name__ == "__main__":
    main()
