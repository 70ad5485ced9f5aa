"""How far apart a speaker encoder holds people, and what rule tells whole recordings from spliced ones.

    python -m benchmarks.speaker_encoders DIR

DIR holds a directory of audio files for each person, ten or more for each. Prints the similarities of pairs of one
person and of two, and for each threshold, of how many of the pairs of ten clips it holds: of whole recordings (the
least), and of those spliced from two people at 5 + 5 and at 9 + 1 clips (the most).
"""

import itertools
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

from pipeline.engines.contract import Clip, Failure
from pipeline.engines.encoder.resemblyzer import Resemblyzer

CLIPS = 10
THRESHOLDS = (0.60, 0.65, 0.70, 0.75, 0.80, 0.85, 0.90)
Vectors = npt.NDArray[np.float32]


def main() -> None:
    people = dict(_people(Path(sys.argv[1])))
    _distributions(people)
    _thresholds(people)


def _people(root: Path) -> list[tuple[str, Vectors]]:
    encoder = Resemblyzer()
    found = []
    for directory in sorted(path for path in root.iterdir() if path.is_dir()):
        clips = [Clip(*soundfile.read(file, dtype="float32")) for file in sorted(directory.iterdir())[:CLIPS]]
        vectors = [vector for vector in encoder.encode(clips) if not isinstance(vector, Failure)]
        if len(vectors) == CLIPS:
            found.append((directory.name, np.stack(vectors)))
    return found


def _distributions(people: dict[str, Vectors]) -> None:
    same = np.concatenate([_pairs(vectors) for vectors in people.values()])
    other = np.concatenate([(a @ b.T).ravel() for a, b in itertools.combinations(people.values(), 2)])
    for name, values in (("one person", same), ("two people", other)):
        spread = " ".join(f"{value:.3f}" for value in np.percentile(values, (0, 1, 5, 50, 95, 99, 100)))
        print(f"{name}: {len(values)} pairs; least, 1, 5, 50, 95, 99 %, most: {spread}")


def _thresholds(people: dict[str, Vectors]) -> None:
    whole = list(people.values())
    print("threshold | pairs above it: whole, least | 5 + 5, most | 9 + 1, most")
    for threshold in THRESHOLDS:
        least = min(_above(vectors, threshold) for vectors in whole)
        halves = max(_above(group, threshold) for group in _spliced(whole, 5))
        strangers = max(_above(group, threshold) for group in _spliced(whole, 9))
        print(f"{threshold:.2f} | {least} | {halves} | {strangers}")


def _spliced(people: list[Vectors], first: int, draws: int = 20) -> list[Vectors]:
    """Groups of ten: `first` clips of one person and the rest of another, drawn so many times for each two."""
    rng = np.random.default_rng(0)
    return [
        np.concatenate([rng.permutation(a)[:first], rng.permutation(b)[: CLIPS - first]])
        for a, b in itertools.permutations(people, 2)
        for _ in range(draws)
    ]


def _pairs(vectors: Vectors) -> npt.NDArray[np.float32]:
    similarities: npt.NDArray[np.float32] = (vectors @ vectors.T)[np.triu_indices(len(vectors), 1)]
    return similarities


def _above(vectors: Vectors, threshold: float) -> int:
    return int((_pairs(vectors) > threshold).sum())


if __name__ == "__main__":
    main()
