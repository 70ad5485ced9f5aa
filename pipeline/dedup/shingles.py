"""Turn the questions of a dialogue into a set of hashed shingles."""

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from manifests.schema import Dialogue
from pipeline.scoring.generic import VERSION, normalize
from pipeline.scoring.normalize import metric

Hashes = npt.NDArray[np.uint64]
"""64-bit hashes."""

NORMALIZER = VERSION

# For languages to which the recipe gives no size: the same as its defaults for en and zh.
_WORDS, _CHARACTERS = 2, 3


def shingle_hashes(dialogue: Dialogue, sizes: Mapping[str, int]) -> Hashes:
    """Hash and sort the distinct shingles of all user turns together; the result is empty if the user asks nothing.

    `sizes` are the recipe's, by language. The hash is the same in every process and on every machine, and is salted
    with the language, so that texts of two languages have nothing in common.
    """
    text = " ".join(turn.text or "" for turn in dialogue.turns if turn.role == "user")
    return text_hashes(text, dialogue.language, sizes)


def text_hashes(text: str, language: str, sizes: Mapping[str, int]) -> Hashes:
    """Hash and sort the distinct shingles of one text, as `shingle_hashes` does."""
    found = {_hash(f"{language}\0{shingle}".encode()) for shingle in shingles(text, language, sizes)}
    return np.sort(np.fromiter(found, dtype=np.uint64, count=len(found)))


def shingles(text: str, language: str, sizes: Mapping[str, int]) -> set[str]:
    """Return the runs of neighboring words, or of characters where words are not spaced.

    A text shorter than a run is its only shingle. Case, width, punctuation, symbols and blanks are ignored.
    """
    words = normalize(text).split()
    if metric(language) == "wer":
        return {" ".join(run) for run in _runs(words, sizes.get(language, _WORDS))}
    return {"".join(run) for run in _runs("".join(words), sizes.get(language, _CHARACTERS))}


def text_hash(hashes: Hashes) -> int:
    """Return one 64-bit hash of all shingle hashes of a text."""
    return _hash(hashes.astype("<u8").tobytes())


def _runs(tokens: Sequence[str], size: int) -> list[Sequence[str]]:
    if not tokens:
        return []
    return [tokens[i : i + size] for i in range(max(1, len(tokens) - size + 1))]


def _hash(data: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "little")
