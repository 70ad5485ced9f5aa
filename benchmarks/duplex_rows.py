"""Runs the recipes of two people at once on a file, on Ray: killed in the middle and continued, and undisturbed; then
compares every byte, and prints what became of the rows and when people speak.

    python benchmarks/duplex_rows.py --input questions.json [--rows 500] [--speech tones]

`--speech tones` has tones spoken, marked and heard in the place of speech: all stages run, and 500 rows take minutes.
Without it the recipes run as they are. A kill is SIGKILL for the whole process group of the command, once a share
of the rows is settled (`--kill-at`), and for the processes of Ray that belong to it.

It fails if a row is not accounted for, if a run ends in another way than it should, or if any byte differs.
"""

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import psutil

from manifests.corpus import Corpus
from manifests.schema import Dialogue

RECIPES = ("duplex-human-offline", "omniflatten-offline")
TONES = (
    "cast.bank=tone",
    "synthesize.engine=tone",
    "watermark.engine=tone-mark",
    "watermark.threshold=0.5",
    "transcribe.engine=tone",
    "gate.spaced_speed={slowest: 1, fastest: 1000, pause_s: 2}",
)
TONES_ALIGNED = ("align.engine=synthesizer",)
"""For the recipe that aligns: the tones tell the times of their words."""


SETTLED = re.compile(rb"rows settled: (\d+)/(\d+)")
RAY_ENDED = 4
PATIENCE = 20
"""Times that a command whose Ray has ended goes on."""


def command(recipe: str, source: Path, out: Path, settings: list[str]) -> list[str]:
    words = [sys.executable, "-m", "pipeline", "run", recipe, "--input", str(source), "--dataset", "duplex-rows"]
    words += ["--runner", "ray", "--out", str(out)]
    return words + [part for setting in settings for part in ("--set", setting)]


def run(words: list[str], log: Path, kill_at: float | None = None) -> tuple[int, float]:
    """Return the exit code and the seconds of a run, in a process group of its own.

    It is killed once that share of its rows is settled, by its own words. Where Ray itself ends, as it does on a
    machine too busy to start it in time, the same command goes on.
    """
    began = time.monotonic()
    for _ in range(PATIENCE):
        begin = log.stat().st_size if log.exists() else 0
        with log.open("ab") as said:
            process = subprocess.Popen(words, stdout=said, stderr=said, start_new_session=True)
        while process.poll() is None:
            if kill_at is not None and settled_share(log, begin) >= kill_at:
                kill(process.pid)
                break
            time.sleep(0.1)
        code = process.wait()
        if code != RAY_ENDED:
            break
        print(f"  Ray ended after {time.monotonic() - began:.0f} s; once more", flush=True)
    return code, time.monotonic() - began


def settled_share(log: Path, begin: int) -> float:
    """Return the share of the rows that are settled, by what the run has said from there on."""
    found = SETTLED.findall(log.read_bytes()[begin:])
    return max((int(done) / int(rows) for done, rows in found), default=0.0)


def last_words(log: Path) -> str:
    return log.read_text("utf-8", "replace")[-600:]


def kill(pid: int) -> None:
    """Kill the group of the command, and what it started in groups of their own."""
    started = psutil.Process(pid).children(recursive=True)
    os.killpg(pid, signal.SIGKILL)
    for child in started:
        try:
            child.kill()
        except psutil.NoSuchProcess:
            continue


def files_of(corpus: Path) -> dict[str, bytes]:
    """Relative path -> bytes, without the work directory."""
    names = {str(path.relative_to(corpus)): path for path in sorted(corpus.rglob("*")) if path.is_file()}
    return {name: path.read_bytes() for name, path in names.items() if not name.startswith("work/")}


def ends(corpus: Path) -> Counter[str]:
    """Count rows by status and reason."""
    counted: Counter[str] = Counter()
    for status in ("kept", "rejected", "failed"):
        counted.update(_end(row) for row in Corpus(str(corpus), status=status))
    return counted


def _end(row: Dialogue) -> str:
    return row.status if row.reason is None else f"{row.status}: {row.reason}"


def spoken_for_nothing(corpus: Path) -> Counter[str]:
    """Count the takes of turns that no kept row holds, by why they were left out."""
    rows = Corpus(str(corpus), status="kept")
    return Counter(
        take.reason or "good" for row in rows for turn in row.turns if turn.take is None for take in turn.attempts
    )


def check(recipe: str, source: Path, place: Path, rows: int, kill_at: float, settings: list[str]) -> list[str]:
    """Run one recipe both ways; return what is wrong."""
    problems: list[str] = []
    whole, torn, log = place / f"{recipe}-whole", place / f"{recipe}-torn", place / f"{recipe}.log"
    code, seconds = run(command(recipe, source, whole, settings), log)
    print(f"\n{recipe}: undisturbed in {seconds:.0f} s, exit {code}", flush=True)
    if code != 0:
        return [f"{recipe}: exit {code}: {last_words(log)}"]
    code, killed_s = run(command(recipe, source, torn, settings), log, kill_at)
    print(f"{recipe}: killed after {killed_s:.0f} s, exit {code}", flush=True)
    if code != -signal.SIGKILL:
        problems.append(f"{recipe}: the run that was to be killed ended with exit {code}")
    code, seconds = run(command(recipe, source, torn, settings), log)
    print(f"{recipe}: continued in {seconds:.0f} s, exit {code}", flush=True)
    if code != 0:
        return [*problems, f"{recipe}: continued with exit {code}: {last_words(log)}"]
    one, other = files_of(whole), files_of(torn)
    differing = sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))
    print(f"{recipe}: {len(one)} files, {sum(map(len, one.values())):,} bytes, {len(differing)} differ", flush=True)
    problems += [f"{recipe}: {name} differs" for name in differing]
    counted = ends(whole)
    for end, count in counted.most_common():
        print(f"  {count:5} {end}")
    if counted.total() != rows:
        problems.append(f"{recipe}: {counted.total()} rows of {rows} are accounted for")
    print(f"  takes of turns that were left out: {dict(spoken_for_nothing(whole))}", flush=True)
    subprocess.run([sys.executable, "-m", "pipeline", "timing", "stats", str(whole)], check=False)
    return problems


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--input", type=Path, required=True, help="a JSON list of rows of one format")
    parser.add_argument("--rows", type=int, default=500)
    parser.add_argument("--speech", choices=["recipe", "tones"], default="recipe")
    parser.add_argument("--recipe", action="append", choices=RECIPES)
    parser.add_argument("--kill-at", type=float, default=0.5, help="share of the rows that are settled then")
    parser.add_argument("--set", action="append", default=[], help="a setting of the recipe, as `parley run` has it")
    options = parser.parse_args()
    problems = []
    with tempfile.TemporaryDirectory(prefix="duplex-rows-") as name:
        source = Path(name) / "rows.json"
        rows = json.loads(options.input.read_text("utf-8"))[: options.rows]
        source.write_text(json.dumps(rows), "utf-8")
        for recipe in options.recipe or RECIPES:
            settings = list(options.set)
            if options.speech == "tones":
                settings += [*TONES, *(TONES_ALIGNED if recipe.startswith("duplex-human") else ())]
            problems += check(recipe, source, Path(name), len(rows), options.kill_at, settings)
    print("\n".join(["", *problems, f"{len(problems)} problems"]))
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
