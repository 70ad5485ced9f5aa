"""Turns text into the phonemes that Kokoro was trained on: misaki's.

English goes through hibari-tts, which has misaki's lexicon and rules without spaCy and espeak-ng, Chinese through
misaki itself. A word of Latin letters inside Chinese is read as English. What is no sound and no mark that Kokoro
knows makes the text unspeakable: a character that is silently left out would be a lost word.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from manifests.libraries import library
from manifests.reasons import Reason
from manifests.words import words_of
from pipeline.engines.contract import Failure
from pipeline.engines.shared.jieba_words import load_jieba
from pipeline.engines.tts._english import plain_english
from pipeline.engines.tts._prosody import unspeakable
from pipeline.engines.tts.kokoro import INSTALL, NAME

_LATIN = re.compile(r"[A-Za-z][A-Za-z' -]*[A-Za-z]|[A-Za-z]")
_HAN = re.compile(r"[\u4e00-\u9fff]+")
_NO_SYLLABLE = "\u032f"
"""A mark that misaki takes out of its phonemes."""
_BLANKS = re.compile(r"\s+")
_SILENT = ("P", "Z", "C")
"""Unicode's categories of marks, blanks and controls: without a sound."""


class Phonemizer:
    """Knows the languages "en" and "zh". Each loads when it is first needed."""

    languages = frozenset({"en", "zh"})

    def __init__(self, vocabulary: Mapping[str, int]) -> None:
        self._vocabulary = vocabulary

    def phonemize(self, text: str, language: str, british: bool) -> str | Failure:
        """Return the phonemes, all of the vocabulary. `british`: which English."""
        if language not in self.languages:
            return Failure(Reason.SYNTHESIS_FAILED, f"kokoro does not speak {language!r} here: English and Chinese")
        found = self._english(text, british) if language == "en" else self._chinese(text, british)
        return found if isinstance(found, Failure) else self._known(found)

    def phonemize_units(self, text: str, language: str, british: bool) -> list[str] | None:
        """Return the phonemes of each word of the text (`manifests.words`), as they are in those of the whole text
        but for what English words do to their neighbors; None if they are not known."""
        units = [word.text for word in words_of(text, language)]
        if language == "en":
            made = [self._english(unit, british) for unit in units]
        else:
            found = self._syllables(text)
            made = [self._speller(british)(unit) if _LATIN.search(unit) else next(found, "") for unit in units]
        return None if any(isinstance(part, Failure) for part in made) else [str(part) for part in made]

    def _syllables(self, text: str) -> Iterator[str]:
        """Yield the phonemes of each Chinese character, by misaki's own steps: words, their pinyin, its phonemes."""
        misaki, pypinyin = library("misaki.zh", NAME, INSTALL).ZHG2P, library("pypinyin", NAME, INSTALL)
        jieba = load_jieba(NAME)
        for stretch in _LATIN.split(text):
            for run in _HAN.findall(stretch):
                for word in jieba.lcut(run, cut_all=False):
                    for syllable in pypinyin.lazy_pinyin(word, pypinyin.Style.TONE3, neutral_tone_with_five=True):
                        yield misaki.py2ipa(syllable).replace(_NO_SYLLABLE, "")

    def _english(self, text: str, british: bool) -> str | Failure:
        plain = plain_english(text)
        return plain if isinstance(plain, Failure) else self._speller(british)(plain)

    def _chinese(self, text: str, british: bool) -> str | Failure:
        if failure := unspeakable(text):
            return failure
        made, at = [], 0
        for word in _LATIN.finditer(text):
            made += [self._characters(text[at : word.start()]), self._speller(british)(word[0])]
            at = word.end()
        made.append(self._characters(text[at:]))
        failures = [part for part in made if isinstance(part, Failure)]
        return failures[0] if failures else " ".join(str(part) for part in made if part)

    def _characters(self, text: str) -> str | Failure:
        """Return the phonemes of a stretch without Latin letters."""
        if not text.strip():
            return ""
        try:
            return str(self._mandarin(_BLANKS.sub(" ", text))[0])
        except (AssertionError, ValueError, KeyError, IndexError) as error:
            return Failure(Reason.SYNTHESIS_FAILED, f"misaki cannot read the text: {str(error)[:80]}")

    def _known(self, phonemes: str) -> str | Failure:
        kept = []
        for phoneme in _BLANKS.sub(" ", phonemes).strip():
            if phoneme in self._vocabulary:
                kept.append(phoneme)
            elif unicodedata.category(phoneme)[0] not in _SILENT:
                code = f"U+{ord(phoneme):04X}"
                return Failure(Reason.SYNTHESIS_FAILED, f"the text holds {code}, for which Kokoro has no sound")
        if not any(phoneme.isalpha() for phoneme in kept):
            return Failure(Reason.SYNTHESIS_FAILED, "nothing in the text has a sound")
        return "".join(kept)

    def _speller(self, british: bool) -> Any:
        return self._british if british else self._american

    @cached_property
    def _american(self) -> Any:
        return library("hibari.g2p", NAME, INSTALL).G2P()

    @cached_property
    def _british(self) -> Any:
        return library("hibari.g2p", NAME, INSTALL).G2P(british=True)

    @cached_property
    def _mandarin(self) -> Any:
        load_jieba(NAME)
        return library("misaki.zh", NAME, INSTALL).ZHG2P()
