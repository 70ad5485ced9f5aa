"""Are the cores busy? CPU time of the whole job over wall time x cores.

    python benchmarks/busy_cores.py --input alpaca.json [--recipe ke-speechchat-offline] [--limit N]

Runs `parley run` as a user would and samples the CPU time of its process and all that descend from it, and of the
whole machine. Three stretches: the whole command; "once started", from the moment the input is cut into blocks (the
workers and their engines load after that, so loading counts), to the end of packing; and to the last block. Two shares
of each: of all cores, and of what other processes left of them, which is the fair one on a shared machine.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

INTERVAL_S = 0.5


class CpuTime:
    """CPU seconds of a process and its descendants, those that have ended included (less their last interval)."""

    def __init__(self, pid: int) -> None:
        self._root = psutil.Process(pid)
        self._seen: dict[tuple[int, float], float] = {}

    def sample(self) -> float:
        try:
            processes = [self._root, *self._root.children(recursive=True)]
        except psutil.NoSuchProcess:
            processes = []
        for process in processes:
            try:
                times = process.cpu_times()
                self._seen[process.pid, process.create_time()] = times.user + times.system
            except psutil.NoSuchProcess:
                continue
        return sum(self._seen.values())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--input", required=True)
    parser.add_argument("--recipe", default="ke-speechchat-offline")
    parser.add_argument("--limit", type=int)
    parser.add_argument("--out", help="where the corpus goes; a temporary directory without it")
    arguments = parser.parse_args()
    cores = len(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(arguments.out or f"{scratch}/corpus")
        command = [Path(sys.executable).with_name("parley"), "run", arguments.recipe, "--input", arguments.input]
        command += ["--out", out] + (["--limit", str(arguments.limit)] if arguments.limit else [])
        marks = measure([str(word) for word in command], out)
    print(f"cores {cores}")
    for label, (start, end) in {
        "whole command": ("begin", "end"),
        "once started, to the end": ("started", "end"),
        "once started, to the last block": ("started", "blocks done"),
    }.items():
        wall, cpu, machine = (after - before for before, after in zip(marks[start], marks[end], strict=True))
        left = wall * cores - max(0.0, machine - cpu)
        print(
            f"{label}: wall {wall:.1f} s, CPU {cpu:.1f} s, CPU / (wall x cores) = {cpu / (wall * cores):.3f}, "
            f"of what others left = {cpu / left:.3f}"
        )


def machine_cpu_s() -> float:
    """CPU seconds that all processes of the machine have used."""
    times = psutil.cpu_times()
    return float(sum(times) - times.idle - getattr(times, "iowait", 0.0) - getattr(times, "guest", 0.0))


def measure(command: list[str], out: Path) -> dict[str, tuple[float, float, float]]:
    """Seconds of (wall, the job's CPU, the machine's CPU) at: begin, started, blocks done, end."""
    begun = time.perf_counter()
    process = subprocess.Popen(command)
    cpu = CpuTime(process.pid)
    marks = {"begin": (0.0, 0.0, machine_cpu_s())}
    log = out / "work" / "log.jsonl"
    logged = 0
    while process.poll() is None:
        now = time.perf_counter() - begun, cpu.sample(), machine_cpu_s()
        lines = log.read_bytes().count(b"\n") if log.exists() else 0
        if "started" not in marks and (out / "work" / "input.json").exists():
            marks["started"] = now
        if lines > logged:
            logged, marks["blocks done"] = lines, now
        marks["end"] = now
        time.sleep(INTERVAL_S)
    if process.returncode:
        sys.exit(process.returncode)
    return marks


if __name__ == "__main__":
    main()
