"""How often debris is found where a person found it: precision and recall over answers that were labeled by hand.

    python benchmarks/debris_precision.py FILE...

FILE is JSON, a list of Alpaca rows (instruction, input, output), as the 500 + 500 rows of GPT-4 Alpaca that
LLaMA-Factory ships for its demo. The labels lie with the tests, `alpaca_labels.tsv`: for each answer the beginning of
its SHA-256, what it is ("fit", or the reason for which it is nobody's words for speech), and how it was chosen:
"flagged" are all answers in which debris is found, "random" were drawn from the others. So precision is that of all
rows, and recall that of the random ones.
"""

import argparse
import csv
import hashlib
import json
from collections import Counter
from pathlib import Path

from pipeline.text.debris import clean_answer

LABELS = Path(__file__).parents[1] / "tests" / "pipeline" / "text" / "debris" / "alpaca_labels.tsv"
FIT = "fit"


def read_labels() -> dict[str, tuple[str, str]]:
    """Return label and choice of each answer, by its digest."""
    with LABELS.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader((line for line in file if not line.startswith("#")), delimiter="\t"))
    return {digest: (label, choice) for digest, label, choice in rows}


def digest_of(answer: str) -> str:
    return hashlib.sha256(answer.encode()).hexdigest()[:12]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path)
    labels, counts = read_labels(), Counter[str]()
    for file in parser.parse_args().files:
        for row in json.loads(file.read_text(encoding="utf-8")):
            found = clean_answer(row["output"], row["instruction"]).debris
            label, choice = labels.get(digest_of(row["output"]), ("", ""))
            outcome = found.reason.value if found else FIT
            if not label:
                counts["flagged, not labeled" if found else "not labeled"] += 1
                continue
            counts[f"{choice}, {'right' if outcome == label else 'wrong'}"] += 1
            if outcome != label:
                print(f"{label} by hand, {outcome} here: {row['instruction'][:60]!r} {row['output'][:60]!r}")
    for what, count in sorted(counts.items()):
        print(f"{what}: {count}")


if __name__ == "__main__":
    main()
