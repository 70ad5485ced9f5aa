"""How many spoiled files end in a traceback, and how many flipped bits does nobody see? Both should be none.

    python -m benchmarks.mutations --inputs 10000 --written 6000 --flips 2000

Every file is a function of `--seed` and its number. Prints the figures, and each fault with its number; exits with 1
if there is any. Inputs go through detection, readers, ingest and the text stages of the rules engine; written files
are recipes, `--set` values, prompts, banks, exchange files, manifests, shards and the files of a stopped job; flips
are single bits in a finished corpus.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.mutations.flips import flip_corpus
from tests.mutations.inputs import spoil_inputs
from tests.mutations.mutate import Outcome
from tests.mutations.written import spoil_written

_RUNS: dict[str, Callable[[int, int, Path], Outcome]] = {
    "inputs": spoil_inputs,
    "written": spoil_written,
    "flips": flip_corpus,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    for name in _RUNS:
        parser.add_argument(f"--{name}", type=int, default=0, metavar="N")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    faults = 0
    for name, run in _RUNS.items():
        if count := getattr(options, name):
            with tempfile.TemporaryDirectory() as directory:
                outcome = run(count, options.seed, Path(directory))
            faults += _report(name, count, outcome)
    return int(faults > 0)


def _report(name: str, count: int, outcome: Outcome) -> int:
    """Print the figures; return the number of faults and of flips that the deep check did not see."""
    print(
        f"{name}: {count:,} tried, {outcome.read:,} read, {outcome.refused:,} refused in a sentence, "
        f"{len(outcome.faults)} tracebacks; the slowest took {outcome.slowest_s:.1f} s of CPU"
    )
    for what, missed in sorted(outcome.missed.items()):
        print(f"  {what}: {missed} of {outcome.flipped[what]} flips not seen")
    for fault in outcome.faults:
        print(f"--- {fault}")
    return len(outcome.faults) + sum(missed for what, missed in outcome.missed.items() if what.startswith("deep"))


if __name__ == "__main__":
    sys.exit(main())
