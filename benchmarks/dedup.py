"""Near-duplicate questions: speed, memory and what is found, against datasketch's own index in memory.

    python benchmarks/dedup.py [--rows 100000] [--theirs 20000]

Questions are made up here: words from invented syllables, some frequent and most rare, behind a few openings that many
questions share. One in ten is planted: an earlier question with other case and punctuation, with words added at the
end, or with a word changed; and one in fifty is one of five greetings. For each planted row the true similarity to its
original is known, so the share that is found can be told by similarity.

Every chunk and task runs in a process of its own, one after the other, whose highest resident memory is the figure
(Linux only); "nothing" is one that has only imported the modules.
Seconds are CPU seconds, with the reading of the blocks. datasketch's `MinHashLSH` gets the same shingles of the
first rows as texts in memory, the same number of hash functions and the same bands; its candidates are compared by
their estimated similarity.
"""

import argparse
import random
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

from datasketch import MinHash, MinHashLSH

from manifests.schema import Dialogue, Source, Turn
from manifests.storage import Place, open_place
from pipeline.dedup import build_index, load_index
from pipeline.dedup.bands import choose_bands
from pipeline.dedup.settings import DedupSettings
from pipeline.dedup.shingles import shingles
from pipeline.job.blocks import read_block, write_block
from pipeline.job.commits import write_hashes

SETTINGS = DedupSettings()
BLOCK_ROWS = 256
OPENINGS = ("how do i", "what is the", "can you tell me", "why does the", "who was the first", "where can i find a")
GREETINGS = ("hello there", "how are you today", "good morning", "what can you do for me", "tell me a joke")


class Planted(NamedTuple):
    row: int
    similarity: float


def make_questions(rows: int) -> tuple[list[str], list[Planted]]:
    draw = random.Random(7)
    syllables = [a + b for a in "bdfgklmnprstvz" for b in ("a", "e", "i", "o", "u")]
    words = ["".join(draw.choices(syllables, k=draw.randint(1, 4))) for _ in range(20_000)]
    weights = [1 / (rank + 20) for rank in range(len(words))]
    stock = iter(draw.choices(words, weights, k=rows * 20))
    questions: list[str] = []
    planted = []
    for row in range(rows):
        kind = draw.random()
        if row > 100 and kind < 0.1:
            original = questions[draw.randrange(row)]
            questions.append(changed(original, draw, stock))
            planted.append(Planted(row, jaccard(original, questions[row])))
        elif kind < 0.12:
            questions.append(draw.choice(GREETINGS))
        else:
            length = draw.randint(3, 17)
            questions.append(" ".join([draw.choice(OPENINGS), *(next(stock) for _ in range(length))]) + "?")
    return questions, planted


def changed(question: str, draw: random.Random, stock: Iterator[str]) -> str:
    words = question.rstrip("?!").split()
    kind = draw.randrange(4)
    if kind == 0:
        return " ".join(words).upper() + "!"
    if kind == 1:
        return " ".join([*words, *(next(stock) for _ in range(draw.randint(1, 3)))]) + "?"
    place = len(words) - 1 if kind == 2 else draw.randrange(len(words))
    return " ".join([*words[:place], next(stock), *words[place + 1 :]]) + "?"


def jaccard(left: str, right: str) -> float:
    one, other = (shingles(text, "en", SETTINGS.shingle) for text in (left, right))
    return len(one & other) / len(one | other)


def write_blocks(questions: Sequence[str], directory: Place) -> int:
    hashes = []
    for block, begin in enumerate(range(0, len(questions), BLOCK_ROWS)):
        texts = enumerate(questions[begin : begin + BLOCK_ROWS], start=begin)
        hashes.append(write_block(directory, block, [make_dialogue(row, text) for row, text in texts]))
    write_hashes(directory, hashes)
    return len(hashes)


def make_dialogue(row: int, text: str) -> Dialogue:
    turns = (Turn("user", text, text=text), Turn("agent", "Yes.", text="Yes."))
    return Dialogue(f"bench-{row:020d}", "en", Source("bench", str(row)), turns)


class MeasuringRunner:
    """Runs each item in a process of its own; seconds and highest memory in MB by the function's name."""

    def __init__(self) -> None:
        self.seconds: dict[str, list[float]] = defaultdict(list)
        self.memory: dict[str, list[float]] = defaultdict(list)

    def map(self, function: Callable[[Any], Any], items: Sequence[Any]) -> Iterator[Any]:
        name = getattr(function, "__name__", "")
        with ProcessPoolExecutor(1, get_context("spawn"), max_tasks_per_child=1) as pool:
            for result, seconds, memory in pool.map(partial(measured, function), items):
                self.seconds[name].append(seconds)
                self.memory[name].append(memory)
                yield result


def measured(function: Callable[[Any], Any], item: Any) -> tuple[Any, float, float]:
    begun = time.process_time()
    result = function(item)
    return result, time.process_time() - begun, highest_memory()


def highest_memory() -> float:
    """Of this process, in MB. Not `ru_maxrss`, which starts with what the parent held."""
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def nothing(_: None) -> None:
    """What a process holds that has only imported the modules."""
    choose_bands(SETTINGS)


def run_ours(blocks: Place, count: int, target: Place, rows: int) -> dict[int, int]:
    """The rows found, and the earlier row that each repeats."""
    runner = MeasuringRunner()
    list(runner.map(nothing, [None]))
    begun = time.process_time()
    for block in range(count):
        read_block(blocks, block)
    print(f"reading the blocks alone: {time.process_time() - begun:.1f} s")
    begun = time.process_time()
    found = build_index(blocks, count, target, SETTINGS, runner)
    seconds = {name: sum(values) for name, values in runner.seconds.items()} | {"driver": time.process_time() - begun}
    total = sum(seconds.values()) - seconds["nothing"]
    print(f"rows {rows}, duplicates {found}: {total:.1f} s of CPU, {rows / total:.0f} rows/s")
    for name, values in runner.memory.items():
        print(f"  {name}: {len(values)} x, {seconds[name]:.1f} s, highest memory {max(values):.0f} MB")
    print(f"  driver: {seconds['driver']:.1f} s of CPU")
    return {row_of(row): row_of(other) for row, other in load_index(target).items()}


def row_of(dialogue_id: str) -> int:
    return int(dialogue_id.rpartition("-")[2])


def run_theirs(questions: Sequence[str]) -> tuple[set[int], float]:
    """The rows that datasketch finds to repeat an earlier one, and the seconds that it took."""
    bands = choose_bands(SETTINGS)
    index = MinHashLSH(SETTINGS.threshold, SETTINGS.num_perm, params=(bands.count, bands.rows))
    signatures: list[Any] = []
    found: set[int] = set()
    begun = time.process_time()
    for row, text in enumerate(questions):
        signature = MinHash(SETTINGS.num_perm)
        signature.update_batch(shingle.encode() for shingle in shingles(text, "en", SETTINGS.shingle))
        if any(signatures[earlier].jaccard(signature) >= SETTINGS.threshold for earlier in index.query(signature)):
            found.add(row)
        signatures.append(signature)
        index.insert(row, signature)
    return found, time.process_time() - begun


def report(questions: Sequence[str], planted: Sequence[Planted], found: Mapping[int, int]) -> None:
    for low, high in ((0.0, 0.5), (0.5, 0.8), (0.8, 0.85), (0.85, 0.9), (0.9, 1.0), (1.0, 1.01)):
        rows = [one.row for one in planted if low <= one.similarity < high]
        hits = sum(row in found for row in rows)
        print(f"  planted, similarity {low:.2f} up to {min(high, 1):.2f}: {hits} of {len(rows)} found")
    wrong = sum(jaccard(questions[row], questions[other]) < SETTINGS.threshold for row, other in found.items())
    print(f"  all {len(found)} found: {wrong} less similar than the threshold")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--theirs", type=int, default=20_000, help="rows for datasketch's index in memory")
    arguments = parser.parse_args()
    questions, planted = make_questions(arguments.rows)
    with tempfile.TemporaryDirectory() as scratch:
        place = open_place(scratch)
        count = write_blocks(questions, place / "blocks")
        report(questions, planted, run_ours(place / "blocks", count, place / "index", arguments.rows))
        few = questions[: arguments.theirs]
        if few:
            count = write_blocks(few, place / "few")
            ours = run_ours(place / "few", count, place / "few-index", len(few)).keys()
            theirs, seconds = run_theirs(few)
            print(f"datasketch in memory, {len(few)} rows: {seconds:.1f} s, {len(few) / seconds:.0f} rows/s")
            alone, besides = len(ours - theirs), len(theirs - ours)
            print(f"  found by both {len(ours & theirs)}, by ours alone {alone}, by theirs alone {besides}")


if __name__ == "__main__":
    main()
