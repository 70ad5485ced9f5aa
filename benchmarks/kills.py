"""Kills jobs at random moments, lets them finish, and compares every corpus, byte by byte, with an undisturbed one.

    python benchmarks/kills.py --kills 100
    python benchmarks/kills.py --kills 20 --how raylet --how gcs_server
    python benchmarks/kills.py --kills 20 --how SIGTERM --how SIGINT --within 10
    python benchmarks/kills.py --kills 20 --duplex

`kill` is SIGKILL for the command's own process; `raylet` and `gcs_server` are SIGKILL for Ray's; SIGTERM and SIGINT
stop the command, which must say so. With `--duplex` the dialogues are arranged, mixed on two channels and tokenized,
some of them in a second take. The moments are drawn evenly from the time that an undisturbed run takes, from its
first second on (`--within`: up to that second), and half of the jobs go on at once, beside what is left of the killed
one.
"""

import argparse
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

ROWS = 24
BLOCK_ROWS = 4
DUPLEX = (
    "arrange={profile: salm}",
    "mix={mono: true, noise: {made: [pink], snr_db: [15, 25]}, telephone: {share: 0.4, lines: [mu-law]}}",
    "tokenize.engine=tone",
    "gate.ladder=[{}]",
)
"""On the telephone no chord is whole: those rows are spoken and mixed twice, and then dropped."""
WAYS = ("kill", "raylet", "gcs_server", "SIGTERM", "SIGINT")
SENTENCES = {
    "SIGTERM": (143, "parley: stopped; the same command continues"),
    "SIGINT": (130, "parley: stopped; the same command continues"),
    "raylet": (4, "parley: Ray ended"),
    "gcs_server": (4, "parley: Ray ended"),
}
END_S = 300.0
"""A process that is still there after this has hung."""
REST_S = 5.0
START_S = 1.0
"""Until then Python loads the command, which cannot answer to signals yet."""


@dataclass
class Run:
    code: int
    said: str
    seconds: float
    was_hit: bool


def write_input(path: Path) -> None:
    rows = [
        {"instruction": f"What is {i} plus {i + 1}?", "output": f"It is {2 * i + 1}."}
        if i % 3
        else {"instruction": f"Why do people like the song called number {i}?", "output": "It is easy to sing along."}
        for i in range(ROWS)
    ]
    path.write_text(json.dumps(rows), encoding="utf-8")


def run(source: Path, out: Path, runner: str, more: Sequence[str] = (), hit: tuple[float, str] | None = None) -> Run:
    """Run the command with `more` settings; `hit` is when, in seconds, and how to hit it."""
    values = (f"block_rows={BLOCK_ROWS}", "pack.clips=true", "pools.all.workers=2", *more)
    settings = [word for value in values for word in ("--set", value)]
    words = [sys.executable, "-m", "pipeline", "run", "tone-dry-run", "--input", str(source), "--out", str(out)]
    with tempfile.TemporaryFile() as said:
        began = time.monotonic()
        process = subprocess.Popen([*words, "--runner", runner, *settings], stdout=subprocess.DEVNULL, stderr=said)
        was_hit = False
        if hit:
            was_hit = strike(process, began + hit[0], hit[1])
        try:
            code = process.wait(END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            code = 999
        said.seek(0)
        return Run(code, said.read().decode("utf-8", "replace"), time.monotonic() - began, was_hit)


def strike(process: "subprocess.Popen[bytes]", at: float, how: str) -> bool:
    """Hit the process, or the process of Ray's that belongs to it, at that time; False if it had ended before."""
    while time.monotonic() < at:
        if process.poll() is not None:
            return False
        time.sleep(0.005)
    if how in ("raylet", "gcs_server"):
        while process.poll() is None:
            for child in psutil.Process(process.pid).children(recursive=True):
                try:
                    if child.name().startswith(how[:15]):
                        child.kill()
                        return True
                except psutil.Error:
                    continue
            time.sleep(0.05)
        return False
    if process.poll() is None:
        process.send_signal(signal.SIGKILL if how == "kill" else signal.Signals[how])
        return True
    return False


def files_of(corpus: Path) -> dict[str, bytes]:
    """Relative path -> bytes, without the work directory."""
    paths = [path for path in sorted(corpus.rglob("*")) if path.is_file()]
    names = {str(path.relative_to(corpus)): path for path in paths}
    return {name: path.read_bytes() for name, path in names.items() if not name.startswith("work/")}


def problem_of(how: str, result: Run) -> str | None:
    """Say what is wrong with the end of a run that was hit."""
    if not result.was_hit or result.code == 0:
        return None
    if how == "kill":
        return None if result.code == -signal.SIGKILL else f"exit {result.code}"
    code, sentence = SENTENCES[how]
    last = result.said.strip().splitlines()[-1:] or [""]
    at_start = how in ("raylet", "gcs_server") and last[0].startswith("parley: Ray does not start on this machine")
    if result.code == code and (last[0].startswith(sentence) or at_start) and "Traceback" not in result.said:
        return None
    return f"exit {result.code}, said {result.said[-600:]!r}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--runner", choices=["ray", "local"], default="ray")
    parser.add_argument("--how", action="append", choices=WAYS)
    parser.add_argument("--within", type=float, help="seconds")
    parser.add_argument("--duplex", action="store_true")
    options = parser.parse_args()
    chance, ways = random.Random(options.seed), options.how or ["kill"]
    more = DUPLEX if options.duplex else ()
    hits: Counter[str] = Counter()
    problems, jobs, number = [], 0, 0
    with tempfile.TemporaryDirectory(prefix="kills-") as name:
        source, whole = Path(name) / "rows.json", Path(name) / "whole"
        write_input(source)
        first = run(source, whole, options.runner, more)
        assert first.code == 0, first.said
        expected, span = files_of(whole), options.within or first.seconds
        print(f"undisturbed: {first.seconds:.1f} s, {len(expected)} files", flush=True)
        while number < options.kills:
            jobs += 1
            out = Path(name) / f"job-{jobs}"
            for _ in range(chance.choice((1, 1, 2, 3))):
                how = chance.choice(ways)
                at = chance.uniform(START_S, span)
                result = run(source, out, options.runner, more, (at, how))
                number += 1
                hits[f"{how}, exit {result.code}" if result.was_hit else "too late"] += 1
                if problem := problem_of(how, result):
                    problems.append(f"job {jobs}, {how} at {at:.2f} s: {problem}")
                    print(problems[-1], flush=True)
                if chance.random() < 0.5:
                    time.sleep(REST_S)
            last = run(source, out, options.runner, more)
            if last.code != 0 or files_of(out) != expected:
                problems.append(f"job {jobs}: exit {last.code}, other bytes: {last.said[-600:]!r}")
                print(problems[-1], flush=True)
            if left := [path for path in out.rglob(".tmp-*") if "work" not in path.parts]:
                problems.append(f"job {jobs}: left behind {left}")
            print(f"{number} of {options.kills}: {dict(hits)}, {len(problems)} problems", flush=True)
    print(f"{jobs} jobs, {number} runs that were hit: {dict(hits)}; {len(problems)} problems")
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
