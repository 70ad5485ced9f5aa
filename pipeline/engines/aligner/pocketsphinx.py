"""PocketSphinx as an aligner: English words in time, by the acoustic model of its wheel (PyPI package pocketsphinx).

The pronunciation of a word is the dictionary's. For a word that is not in it, such as a name, one is guessed from the
letters (`_letter_sounds`). A text with digits is not aligned: what is left out of the text shifts all words behind it.

The decoder fits a wrong text to a clip as well as it can. How well that is, shows against what the model would rather
hear: each frame has a score, 0 where the text's sound is the most likely of all. Where a quarter of a second lies far
below, something else is said there.
"""

import re
import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
import soxr

from manifests.errors import EngineDied
from manifests.libraries import extra, library, library_version
from manifests.reasons import Reason
from manifests.schema import WordTimes
from manifests.words import words_of
from pipeline.engines.aligner._letter_sounds import guess_sounds
from pipeline.engines.contract import AlignRequest, Engine, Failure, Samples
from pipeline.engines.shared.word_times import Span, bounded, word_times
from pipeline.engines.tts._english import plain_english

NAME = "pocketsphinx"

SAMPLE_RATE = 16_000
MIN_SAMPLES = SAMPLE_RATE // 10
MAX_SAMPLES = 300 * SAMPLE_RATE

LEAST_FIT = -90.0
"""Mean score of a quarter of a second below which something else is said (docs/word-times.md has the figures)."""

_WINDOW_FRAMES = 25
_FRAMES_PER_S = 100
_PEAK = 0.9
_INSTALL = extra("offline")
_FILLERS = ("<", "[", "+")
_VARIANT = re.compile(r"\(\d+\)$")
"""Behind a word's second pronunciation: "the(2)"."""
_SPOKEN = re.compile(r"[a-z]+(?:'[a-z]+)*'?|[0-9]+")


def version() -> str:
    """Return the package's version and that of the guessed pronunciations."""
    return f"{library_version('pocketsphinx', NAME, _INSTALL)} en-us sounds=1 least_fit={LEAST_FIT:g}"


class PocketSphinxAligner:
    """Aligns English clips of any sample rate, from 0.1 s to 300 s long; others are a `Failure`."""

    name = NAME
    languages: frozenset[str] | None = frozenset({"en"})

    def __init__(self) -> None:
        self.version = version()
        self._lock = threading.Lock()
        self._guessed: set[str] = set()
        decoder = library("pocketsphinx", NAME, _INSTALL).Decoder
        # With all senones computed, scores are relative to the best of all, not to the best of the text's own.
        self._decoder: Any = decoder(cmn="batch", loglevel="FATAL", lm=None, compallsen=True)

    def align(self, requests: Sequence[AlignRequest]) -> list[WordTimes | Failure]:
        return [self._align(request) for request in requests]

    def _align(self, request: AlignRequest) -> WordTimes | Failure:
        if request.language != "en":
            return Failure(Reason.UNALIGNED, f"pocketsphinx aligns English only, not {request.language!r}")
        clip = request.clip
        if not len(clip.samples) or not np.isfinite(clip.samples).all() or not clip.samples.any():
            return Failure(Reason.UNALIGNED, "the clip is empty or silent, or holds NaN or infinite samples")
        samples = soxr.resample(clip.samples, clip.sample_rate, SAMPLE_RATE)
        if not MIN_SAMPLES <= len(samples) <= MAX_SAMPLES:
            return Failure(Reason.UNALIGNED, f"{len(samples) / SAMPLE_RATE:.3f} s is too short or too long")
        words = [_spoken_parts(word.text) for word in words_of(request.text, request.language)]
        if not words or not all(words):
            return Failure(Reason.UNALIGNED, "the text has a word that is not of letters, and would shift all others")
        spoken = [part for parts in words for part in parts]
        with self._lock:
            found = self._fit(_pcm(samples), spoken)
        if found is None:
            return Failure(Reason.UNALIGNED, "the clip is not this text, as far as pocketsphinx can tell")
        frames, fit = found
        spans = _by_word(words, frames, clip.sample_rate, len(clip.samples))
        bounds = bounded(spans, clip.samples, clip.sample_rate)
        problem = None if fit >= LEAST_FIT else f"something else than the text is heard in the clip (fit {fit:.0f})"
        return word_times(f"{NAME} {self.version}", request.text, request.language, bounds, problem)

    def _fit(self, pcm: bytes, spoken: Sequence[str]) -> tuple[list[Span], float] | None:
        """Return the frames [start, end) of each spoken word, and how well the worst quarter of a second fits; None
        if the clip cannot be cut into the words."""
        guessed = {word for word in spoken if self._is_guessed(word)}
        self._decoder.set_align_text(" ".join(spoken))
        if not self._decode(pcm) or self._decoder.hyp() is None:
            return None
        found = [
            (segment.start_frame, segment.end_frame + 1)
            for segment in self._decoder.seg()
            if not segment.word.startswith(_FILLERS)
        ]
        self._decoder.set_alignment()  # once more, now by sounds
        if len(found) != len(spoken) or not self._decode(pcm):
            return None
        scores = np.zeros(self._decoder.n_frames())
        for word in self._decoder.get_alignment() or ():
            if _VARIANT.sub("", word.name) not in guessed:
                for sound in word:
                    scores[sound.start : sound.start + sound.duration] = sound.score / max(1, sound.duration)
        window = np.ones(min(_WINDOW_FRAMES, len(scores)))
        return found, float(np.convolve(scores, window / len(window), "valid").min())

    def _is_guessed(self, word: str) -> bool:
        """Tell whether the dictionary lacks the word, which then gets sounds here. Guesses are bad for the score."""
        if self._decoder.lookup_word(word) is not None:
            return word in self._guessed
        self._decoder.add_word(word, " ".join(guess_sounds(word)), True)
        self._guessed.add(word)
        return True

    def _decode(self, pcm: bytes) -> bool:
        """Decode the clip by the search that is set; False if the search does not reach its end."""
        try:
            self._decoder.reinit_feat()  # a fresh front end for each clip: see the recognizer
            self._decoder.start_utt()
            self._decoder.process_raw(pcm, full_utt=True)
        except RuntimeError as error:
            raise EngineDied(f"pocketsphinx stopped: {error}") from error
        try:
            self._decoder.end_utt()
        except RuntimeError:
            return False
        return True


def _spoken_parts(word: str) -> list[str]:
    """Return what the dictionary knows the word by: its parts between hyphens, in lower case; empty for digits."""
    plain = plain_english(word)
    parts = [] if isinstance(plain, Failure) else _SPOKEN.findall(plain.lower())
    return [] if any(part[0].isdigit() for part in parts) else parts


def _by_word(words: Sequence[Sequence[str]], frames: Sequence[Span], rate: int, length: int) -> list[Span | None]:
    """Join the frames of each word's parts, as samples at `rate` Hz."""
    rest = iter(frames)
    joined = [[next(rest) for _ in parts] for parts in words]
    per_frame = rate / _FRAMES_PER_S
    return [(round(own[0][0] * per_frame), min(round(own[-1][1] * per_frame), length)) for own in joined]


def _pcm(samples: Samples) -> bytes:
    """Convert to 16-bit samples with the peak at 0.9: rounding alone spoils quiet clips."""
    gain = _PEAK / float(np.abs(samples).max())
    return np.round(samples * (gain * 32767)).astype("<i2").tobytes()


ENGINE = Engine("aligner", NAME, "English, model in its package", open=PocketSphinxAligner, version=version)
