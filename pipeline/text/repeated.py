"""Whether a text says again what another text says."""

import re
import unicodedata
from collections.abc import Set
from functools import lru_cache

from rapidfuzz import fuzz
from rapidfuzz.distance import LCSseq

from pipeline.text.scripts import HAN

NEARLY_EQUAL = 90.0
"""Similarity, 0..100, of two texts without blanks and punctuation from which on one is the other with a slip of the
pen: one letter in ten differs."""
RUN_WORDS, RUN_CHARACTERS = 4, 7
"""As many words (Han characters) in a row are taken from somewhere, unless they are phrases that everybody uses."""
_LONG_WORDS = 2
"""Words of four and more letters that a run has at least: "what is the best" is nobody's own."""

PART = 0.9
"""Share of a text's words that another text has in the same order, from which on it is a shorter form of it."""
_PART_WORDS, _PART_CHARACTERS = 5, 6
"""Shorter texts are parts of many others by chance."""

_WORD = re.compile(rf"[{HAN}]|[^\W_{HAN}]+(?:['’][^\W_{HAN}]+)*")
_NEITHER_LETTER_NOR_DIGIT = re.compile(r"[\W_]+")
_HAN = re.compile(f"[{HAN}]")


@lru_cache(maxsize=4096)
def bare(text: str) -> str:
    """Return only the letters and digits, case-folded, to compare texts that may differ in punctuation."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return _NEITHER_LETTER_NOR_DIGIT.sub("", folded)


def is_nearly(text: str, other: str) -> bool:
    """Tell whether the texts are the same but for punctuation, case and a slip of the pen."""
    one, two = bare(text), bare(other)
    return bool(one) and (one == two or fuzz.ratio(one, two) >= NEARLY_EQUAL)


def shared_run(text: str, other: str) -> str | None:
    """Return words in a row that both texts have, too many for chance; None if there are none."""
    runs = _runs(other)
    return next((run for run in sorted(_runs(text)) if run in runs), None)


def is_part(text: str, other: str) -> bool:
    """Tell whether nearly all words of the text stand in the other one in this order: it is said more shortly."""
    words, others = _words(text), _words(other)
    least = _PART_CHARACTERS if len(_HAN.findall(text)) * 2 > len(words) else _PART_WORDS
    return len(words) >= least and LCSseq.similarity(words, others) >= PART * len(words)


@lru_cache(maxsize=1024)
def _runs(text: str) -> Set[str]:
    words = _words(text)
    length = RUN_CHARACTERS if len(_HAN.findall(text)) * 2 > len(words) else RUN_WORDS
    parts = (words[i : i + length] for i in range(len(words) - length + 1))
    return {" ".join(part) for part in parts if length == RUN_CHARACTERS or _is_own(part)}


def _words(text: str) -> list[str]:
    return [word.casefold() for word in _WORD.findall(unicodedata.normalize("NFKC", text))]


def _is_own(words: list[str]) -> bool:
    return sum(len(word) >= 4 for word in words) >= _LONG_WORDS
