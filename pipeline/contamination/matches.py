"""Finds texts that stand in a list: the same, nearly the same, or with a run of words in common.

Texts are compared normalized (case, width, punctuation). Three tests, the strongest first:

exact: the same text. near: a Jaccard similarity of the shingles of at least the threshold; MinHash finds the pairs to
compare, and the similarity of each is computed in full. ngram: a run of `ngram` words, or of characters where words
are not spaced, that stands in both (the contamination test of GPT-3 took 13 words; 8 find more).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from pipeline.contamination.lists import ListedText
from pipeline.dedup.bands import band_keys, choose_bands
from pipeline.dedup.settings import DedupSettings
from pipeline.dedup.shingles import Hashes, text_hashes
from pipeline.scoring.generic import normalize
from pipeline.text.scripts import letters

MatchKind = Literal["exact", "near", "ngram"]

_CHARACTERS_PER_WORD = 1.6
"""Of Chinese: a run of 8 words is one of 13 characters."""

_UNSPACED = ("han", "kana", "thai", "lao", "khmer", "burmese")
_BATCH = 4096


@dataclass(frozen=True)
class MatchSettings:
    """`similarity`: from which two texts are nearly the same. `ngram`: words in a run. `shortest`: listed texts of
    fewer words are not looked for, since everybody says them."""

    similarity: float = 0.7
    ngram: int = 8
    shortest: int = 3


@dataclass(frozen=True, slots=True)
class Match:
    """A text that stands in a list. `similarity` is that of the shingles, `shared` the run of words in common."""

    kind: MatchKind
    listed: ListedText
    similarity: float
    shared: str | None = None


@dataclass(frozen=True, slots=True)
class _Compared:
    """A text as it is compared: `key` without blanks, the words or characters, its shingles."""

    key: str
    tokens: tuple[str, ...]
    is_unspaced: bool
    hashes: Hashes


class TextIndex:
    """The listed texts, ready to be looked up. `skipped` counts those that are too short."""

    def __init__(self, texts: Iterable[ListedText], settings: MatchSettings) -> None:
        self._settings = settings
        self._dedup = DedupSettings(threshold=settings.similarity)
        self._bands = choose_bands(self._dedup)
        self._listed: list[ListedText] = []
        self._hashes: list[Hashes] = []
        self._exact: dict[str, int] = {}
        self._grams: dict[tuple[str, ...], int] = {}
        self._buckets: dict[tuple[int, int], list[int]] = {}
        self.skipped = 0
        for text in texts:
            self._add(text)
        for start in range(0, len(self._hashes), _BATCH):
            for number, keys in enumerate(band_keys(self._hashes[start : start + _BATCH], self._bands).tolist()):
                for band_key in enumerate(keys):
                    self._buckets.setdefault(band_key, []).append(start + number)

    def __len__(self) -> int:
        return len(self._listed)

    def find(self, texts: Sequence[str]) -> list[Match | None]:
        """Return the strongest match of each text; None where there is none."""
        compared = [self._compared(text) for text in texts]
        full = [number for number, text in enumerate(compared) if len(text.hashes)]
        keys = band_keys([compared[number].hashes for number in full], self._bands).tolist()
        found: list[Match | None] = [None] * len(texts)
        for number, bands in zip(full, keys, strict=True):
            found[number] = self._match(compared[number], bands)
        return found

    def _add(self, listed: ListedText) -> None:
        text = self._compared(listed.text)
        if len(text.tokens) < self._length(self._settings.shortest, text.is_unspaced):
            self.skipped += 1
            return
        number = len(self._listed)
        self._listed.append(listed)
        self._hashes.append(text.hashes)
        self._exact.setdefault(text.key, number)
        for gram in self._grams_of(text):
            self._grams.setdefault(gram, number)

    def _match(self, text: _Compared, bands: Sequence[int]) -> Match | None:
        if (number := self._exact.get(text.key)) is not None:
            return Match("exact", self._listed[number], 1.0)
        candidates = {number for band_key in enumerate(bands) for number in self._buckets.get(band_key, ())}
        best = max(((self._similarity(text.hashes, n), -n) for n in candidates), default=(0.0, 0))
        if best[0] >= self._settings.similarity:
            return Match("near", self._listed[-best[1]], best[0])
        for gram in self._grams_of(text):
            if (number := self._grams.get(gram)) is not None:
                shared = ("" if text.is_unspaced else " ").join(gram)
                return Match("ngram", self._listed[number], self._similarity(text.hashes, number), shared)
        return None

    def _similarity(self, hashes: Hashes, number: int) -> float:
        both = len(np.intersect1d(hashes, self._hashes[number], assume_unique=True))
        return both / (len(hashes) + len(self._hashes[number]) - both)

    def _compared(self, text: str) -> _Compared:
        is_unspaced = _is_unspaced(text)
        words = normalize(text).split()
        tokens = tuple("".join(words)) if is_unspaced else tuple(words)
        # What matters of the language is whether its words are spaced: that of a list is not known.
        hashes = text_hashes(text, "zh" if is_unspaced else "en", self._dedup.shingle)
        return _Compared("".join(words), tokens, is_unspaced, hashes)

    def _grams_of(self, text: _Compared) -> Iterator[tuple[str, ...]]:
        size = self._length(self._settings.ngram, text.is_unspaced)
        return (text.tokens[start : start + size] for start in range(len(text.tokens) - size + 1))

    def _length(self, words: int, is_unspaced: bool) -> int:
        return round(words * _CHARACTERS_PER_WORD) if is_unspaced else words


def _is_unspaced(text: str) -> bool:
    """Whether most letters are of scripts that do not space words."""
    found = len(letters(*_UNSPACED).findall(text))
    return found > sum(map(str.isalpha, text)) - found
