"""Makes word times of what aligners and synthesizers tell, each with words and clocks of its own."""

import re
import unicodedata
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from rapidfuzz.distance import Indel

from manifests.audio_fields import TimeUnit, Word, WordTimes
from manifests.languages import is_unspaced
from manifests.words import words_of
from pipeline.engines.contract import Samples

Span = tuple[int, int]
"""Samples [start, end) of a clip."""

QUIET_DB = -40.0
"""Below the clip's loudest 10 ms, nothing is spoken. Chosen on flite and Kokoro (docs/word-times.md)."""

_FRAMES_PER_S = 100
_LETTERS = re.compile(r"[^\W_]")


def unit_of(language: str) -> TimeUnit:
    """Return what `words_of` counts in the language."""
    return "character" if is_unspaced(language) else "word"


def word_times(
    aligner: str, text: str, language: str, spans: Sequence[Span | None], problem: str | None = None
) -> WordTimes:
    """Put a span, or None, to each word of the text. Raises ValueError where there are more or fewer."""
    words = tuple(
        Word(word.text, *(span or (None, None))) for word, span in zip(words_of(text, language), spans, strict=True)
    )
    return WordTimes(aligner, unit_of(language), words, problem)


def fit_spans(text: str, language: str, pieces: Sequence[tuple[str, int, int]]) -> list[Span | None]:
    """Give the words of the text the times of `pieces` (text, first sample, past the last), cut in another way.

    Letters and digits decide what belongs to what, whatever their case and accents; marks and blanks do not
    count. A word whose
    letters are not all in the pieces gets None, as does one that shares a piece with another word.
    """
    words = [_letters(word.text) for word in words_of(text, language)]
    owners = [number for number, word in enumerate(words) for _ in word]
    parts = [number for number, (piece, *_) in enumerate(pieces) for _ in _letters(piece)]
    found: list[list[int]] = [[] for _ in words]
    sharers: dict[int, set[int]] = {}
    for ours, theirs in _matches("".join(words), "".join(_letters(piece) for piece, *_ in pieces)):
        found[owners[ours]].append(parts[theirs])
        sharers.setdefault(parts[theirs], set()).add(owners[ours])
    return [
        (pieces[min(of_word)][1], pieces[max(of_word)][2])
        if of_word and len(of_word) == len(word) and all(len(sharers[part]) == 1 for part in of_word)
        else None
        for word, of_word in zip(words, found, strict=True)
    ]


def _letters(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(_LETTERS.findall("".join(c for c in plain if not unicodedata.combining(c))))


def _matches(ours: str, theirs: str) -> list[tuple[int, int]]:
    """Return the pairs of positions of equal characters in the cheapest alignment."""
    return [
        (block.a + step, block.b + step)
        for block in Indel.opcodes(ours, theirs).as_matching_blocks()
        for step in range(block.size)
    ]


def bounded(spans: Sequence[Span | None], samples: Samples, sample_rate: int) -> list[Span | None]:
    """End each word before the next one starts, and where the clip falls silent.

    Aligners let the last word before a pause last until the next word: the pause is cut off, and likewise silence
    before a word. What is left of a word is at least one frame of 10 ms; a word in which all is silent stays.
    """
    placed = [number for number, span in enumerate(spans) if span is not None]
    made = list(spans)
    for this, following in pairwise(placed):
        start, end = made[this] or (0, 0)
        made[this] = (start, max(start, min(end, (made[following] or (end, 0))[0])))
    hop = max(1, sample_rate // _FRAMES_PER_S)
    loud = loud_frames(samples, hop)
    return [span if span is None else _without_silence(span, loud, hop) for span in made]


def _without_silence(span: Span, loud: npt.NDArray[np.bool_], hop: int) -> Span:
    start, end = span
    first = start // hop
    heard = np.flatnonzero(loud[first : -(-end // hop)])
    if not heard.size:
        return span
    return max(start, (first + int(heard[0])) * hop), min(end, (first + int(heard[-1]) + 1) * hop)


def loud_frames(samples: Samples, hop: int) -> npt.NDArray[np.bool_]:
    """Tell which frames of `hop` samples hold sound, [frames], the last one included though it be shorter."""
    padded = np.pad(samples.astype(np.float64), (0, -len(samples) % hop))
    power = np.mean(np.square(padded.reshape(-1, hop)), axis=1)
    loud: npt.NDArray[np.bool_] = power > power.max(initial=0.0) * 10 ** (QUIET_DB / 10)
    return loud
