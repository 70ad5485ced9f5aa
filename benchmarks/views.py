"""Views of a large corpus: seconds and memory of every command that chooses rows.

    python benchmarks/views.py [--rows 100000] [--voices 2000]

The corpus has the columns of a real one but no audio bytes: no view reads any. Its questions are made of invented
words; one in ten is a near-duplicate of an earlier one. Each command runs in a process of its own, whose highest
resident memory is the figure (Linux only); "nothing" has only opened the corpus.
"""

import argparse
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from manifests.corpus import Corpus
from manifests.manifest import Manifest, RecipeRecord, SourceFile, recipe_digest, write_manifest
from manifests.schema import Audio, Dialogue, Role, Source, Step, Take, Turn
from manifests.storage import Place, open_place
from manifests.writer import CorpusWriter
from pipeline.contamination.matches import MatchSettings
from pipeline.contamination.pii_report import scan_for_pii
from pipeline.contamination.report import compare_with_lists
from pipeline.licenses.report import report_licenses
from pipeline.views.make import make_splits, make_subsets

SETTINGS = {"stages": {}}
RECIPE = recipe_digest(SETTINGS, 0)
ENGINES = {"rewrite": "rules", "screen": "rules", "respond": "rules", "synthesize": "tone"}
STEPS = tuple(Step(stage, engine, "1", None, 1) for stage, engine in ENGINES.items())


def make_rows(rows: int, voices: int) -> Iterator[Dialogue]:
    draw = random.Random(7)
    words = ["".join(draw.choices("bdfgklmnprstvz", k=2)) + draw.choice("aeiou") for _ in range(20_000)]
    questions: list[str] = []
    for number in range(rows):
        if questions and not draw.randrange(10):
            question = f"{draw.choice(questions[-5000:])} please"
        else:
            question = " ".join(draw.choices(words, k=draw.randint(6, 20)))
        questions.append(question)
        language = "en" if number % 3 else "zh"
        yield Dialogue(
            dialogue_id=f"made-{number:08x}",
            language=language,
            source=Source("made", str(number), "CC0-1.0"),
            turns=(_turn("user", question, draw), _turn("agent", " ".join(draw.choices(words, k=20)), draw)),
            recipe=RECIPE,
            user_voice=f"v{draw.randrange(voices)}",
            agent_voice=f"a{number % 2}",
            status="kept",
            provenance=STEPS,
        )


def _turn(role: Role, text: str, draw: random.Random) -> Turn:
    take = Take(1, "v", 0, 1.0, Audio(b"", None, "flac", 16_000, draw.randint(32_000, 160_000)))
    return Turn(role, text, "", text, None, take)


def write_corpus(place: Place, rows: int, voices: int) -> None:
    with CorpusWriter(place) as writer:
        for row in make_rows(rows, voices):
            writer.write(row)
    packed = writer.packed
    source = SourceFile("made", rows, "CC0-1.0", "jsonl", "made.jsonl")
    recipe = RecipeRecord("made", RECIPE, SETTINGS)
    write_manifest(place, Manifest("0.1.0", 0, recipe, {}, (source,), packed.counts, packed.shards))


def measured(task: Callable[[Place], object], where: str) -> tuple[float, float]:
    """Return the CPU seconds of a task and the highest resident memory of its process, in MB."""
    place = open_place(where)
    start = time.process_time()
    task(place)
    status = Path("/proc/self/status").read_text()  # ru_maxrss would count the parent's memory too
    return time.process_time() - start, int(status.split("VmHWM:")[1].split()[0]) / 1024


def nothing(place: Place) -> object:
    return len(Corpus(place))


def subsets(place: Place) -> object:
    return make_subsets(place, "XS=1%,S=10%,M=50%,L=all")


def splits(place: Place) -> object:
    return make_splits(place, {"validation": "5%", "test": "5%"}, ignore=["parents", "duplicates"])


def splits_with_duplicates(place: Place) -> object:
    return make_splits(place, {"validation": "5%", "test": "5%"}, ignore=["parents", "voice"])


def read_a_tenth(place: Place) -> object:
    return sum(1 for _ in Corpus(place, subset="S").dialogues(audio=False))


def licenses(place: Place) -> object:
    return report_licenses(place)


def decontaminate(place: Place) -> object:
    listed = [row.turns[0].text or "" for row in make_rows(2000, 10)]
    file = Path(place.path).with_name("list.txt")
    file.write_text("\n".join(listed))
    return compare_with_lists(place, [str(file)], [], MatchSettings())


def pii(place: Place) -> object:
    return scan_for_pii(place)


TASKS = (nothing, subsets, read_a_tenth, splits, splits_with_duplicates, licenses, decontaminate, pii)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--voices", type=int, default=2000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        where = f"{directory}/corpus"
        write_corpus(open_place(where), options.rows, options.voices)
        print(f"{options.rows:,} rows, {options.voices:,} voices")
        for task in TASKS:
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
                seconds, memory = pool.submit(measured, task, where).result()
            print(f"{task.__name__:<24}{seconds:>8.1f} s {memory:>8.0f} MB", flush=True)


if __name__ == "__main__":
    main()
