"""The text half of a job against a server that misbehaves: throughput, accounting, what a kill makes one pay again.

    python benchmarks/faulty_server.py [--rows 2000] [--fault-share 0.3] [--latency-ms 400]

Rewrites and answers the same rows (recipe instructs2s) twice in one run, through real HTTP: once on a server without
faults, once on one where the given share of requests goes wrong in one of the ways of `tests/servers/faults.py`. Then
once more with faults, killed twice and continued. Prints rows per second as a ratio, how the rows ended, and how many
answers were paid for twice.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from benchmarks.tone_rows import write_rows
from manifests.storage import open_place
from pipeline.job.blocks import read_block, read_json
from tests.servers.faulty import MODEL, FaultyServer

STAGES = ("rewrite", "respond")
CONCURRENCY = 64


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--fault-share", type=float, default=0.3)
    parser.add_argument("--latency-ms", type=float, default=400.0, help="of every answer")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        source = Path(scratch) / "rows.jsonl"
        write_rows(source, options.rows)
        rates = {}
        for name, share in (("sound", 0.0), ("faulty", options.fault_share)):
            with FaultyServer(fault_share=share, latency_ms=options.latency_ms, drip_s=8) as server:
                seconds = run_text(source, Path(scratch) / name, server.url)
                stats = server.stats()
            rates[name] = options.rows / seconds
            faults = sum(stats["faults"].values())
            print(f"{name}: {rates[name]:.1f} rows/s, {stats['requests']} requests, {faults} faults")
            print(f"  rows by end: {ends(Path(scratch) / name)}")
        print(f"ratio {rates['faulty'] / rates['sound']:.2f}")
        with FaultyServer(fault_share=options.fault_share, latency_ms=options.latency_ms, drip_s=8) as server:
            kills = run_killed(source, Path(scratch) / "killed", server.url)
            good = server.stats()["good"]
        print(f"killed {kills} times and continued: rows by end: {ends(Path(scratch) / 'killed')}")
        print(f"  good answers {sum(good.values())}, paid for twice {sum(good.values()) - len(good)}")


def run_text(source: Path, out: Path, url: str) -> float:
    """Seconds of the model's stages together, Ray's start included."""
    subprocess.run(command("ingest", source, out, url), check=True, stdout=subprocess.DEVNULL)
    started = time.perf_counter()
    for stage in STAGES:
        subprocess.run(command(stage, source, out, url), check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def answers_in(directory: Path) -> int:
    return sum(path.read_bytes().count(b"\n") for path in directory.glob("*.answers"))


def run_killed(source: Path, out: Path, url: str) -> int:
    """kill -9 in the first third and in the second third of the first stage's answers; the number of kills."""
    subprocess.run(command("ingest", source, out, url), check=True, stdout=subprocess.DEVNULL)
    rows = sum(1 for _ in source.open())
    for share in (0.3, 0.6):
        process = subprocess.Popen(
            command(STAGES[0], source, out, url), stderr=subprocess.DEVNULL, start_new_session=True
        )
        while answers_in(out / STAGES[0] / "answers") < share * rows:
            if process.poll() is not None:
                raise SystemExit("the stage ended before it could be killed: give more rows")
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    for stage in STAGES:
        subprocess.run(command(stage, source, out, url), check=True, stdout=subprocess.DEVNULL)
    return 2


def command(step: str, source: Path, out: Path, url: str) -> list[str]:
    parley = str(Path(sys.executable).with_name("parley"))
    settings = {
        "models.writer.serving.base_url": url,
        "models.writer.serving.concurrency": str(CONCURRENCY),
        "models.writer.serving.timeout_s": "5",
        "models.writer.model": MODEL,
        "block_rows": "32",
        "cast.bank": "tone",
        "pools.text.blocks_in_flight": "16",
    }
    words = [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
    if step == "ingest":
        return [
            parley,
            "ingest",
            "instructs2s",
            "--input",
            str(source),
            "--language",
            "en",
            "--out",
            str(out / "ingest"),
            *words,
        ]
    before = "ingest" if step == STAGES[0] else STAGES[STAGES.index(step) - 1]
    return [
        parley,
        "stage",
        step,
        "--recipe",
        "instructs2s",
        "--in",
        str(out / before),
        "--out",
        str(out / step),
        *words,
    ]


def ends(out: Path) -> dict[str, int]:
    """How many rows are live, rejected or failed after the last stage, by reason."""
    last = open_place(out / STAGES[-1])
    blocks = read_json(last / "input.json")["blocks"]
    rows = (row for block in range(blocks) for row in read_block(last / "blocks", block))
    return dict(Counter(row.reason or row.status for row in rows))


if __name__ == "__main__":
    main()
