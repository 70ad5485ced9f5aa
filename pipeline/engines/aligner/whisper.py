"""Whisper as an aligner: a known text is laid along the clip by the attention of the decoder to the encoder.

The settings are those of the recognizer, so that one model of a recipe may hear and align, by either backend; it is
loaded once for each. How likely the checkpoint finds the text also tells a wrong text from the right one, which the
attention alone would lay along the clip just as willingly.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from manifests.errors import EngineDied, EngineUnavailable
from manifests.languages import is_unspaced, primary_subtag
from manifests.libraries import extra, library_version
from manifests.reasons import Reason
from manifests.schema import WordTimes
from manifests.words import words_of
from pipeline.engines.asr.whisper import PACKAGES, Decoding, WhisperModel
from pipeline.engines.contract import AlignRequest, Engine, Failure, Samples, Transcript
from pipeline.engines.shared.silence_guard import SAMPLE_RATE, prepare
from pipeline.engines.shared.word_times import Span, bounded, word_times
from pipeline.weights.cache import label, locate

if TYPE_CHECKING:
    from pipeline.engines.aligner._whisper_backends import AligningBackend

NAME = "whisper"

WINDOW_S = 30
"""The length that the encoder takes. A longer clip is not aligned: where to cut its text would have to be guessed."""

LEAST_LIKELY = 0.25
"""Mean probability of the text's tokens below which the clip is taken to say something else (docs/word-times.md)."""

LEAD_STEPS = 3
"""Steps of 20 ms by which the attention is early: 58 to 84 ms in the mean for Whisper base, on five voices of two
synthesizers, English and Chinese (docs/word-times.md)."""

_TOKEN_TIMES_PER_S = 50
_TOGETHER = 8
"""Clips in a batch. The encoder takes 30 s for each."""
_MOST_TOKENS = 440
_INSTALL = extra("recognizers")


def version(model: WhisperModel | None = None) -> str:
    """Return the library's version; with a model, its label before it."""
    package = PACKAGES[model.backend if model else "transformers"]
    found = f"{package} {library_version(package, NAME, _INSTALL)}"
    if model is None:
        return found
    settings = f"{model.dtype} least_likely={LEAST_LIKELY:g} lead={LEAD_STEPS}"
    return f"{label(model.model, model.revision, NAME)} {found} {settings}"


def open_aligner(model: WhisperModel) -> "WhisperAligner":
    """Load a checkpoint. Raises EngineUnavailable where the library is missing or the checkpoint does not load."""
    from pipeline.engines.aligner._whisper_backends import AligningCTranslate2, AligningTransformers

    stated = version(model)
    decoding = Decoding(locate(model.model, NAME), model.revision, model.serving.device, model.dtype, model.beams)
    try:
        backend = (AligningCTranslate2 if model.backend == "ctranslate2" else AligningTransformers)(decoding)
    except EngineUnavailable:
        raise
    except Exception as error:  # the libraries raise whatever their downloads and readers do
        kind = "converted to CTranslate2's format " if model.backend == "ctranslate2" else ""
        raise EngineUnavailable(
            f"whisper: no checkpoint {kind}could be loaded as {model.label} ({type(error).__name__}): "
            "give a local directory of it, or a hub id and access to the hub"
        ) from error
    return WhisperAligner(backend, stated)


@dataclass(frozen=True, slots=True, eq=False)
class _Work:
    """A request ready to be aligned: `place` among the requests, samples float32 [T] at 16 kHz, tokens by word."""

    place: int
    samples: Samples
    language: str
    tokens: list[list[int]]


class WhisperAligner:
    """Aligns clips of any rate and of at most 30 s, in all languages of the checkpoint."""

    name = NAME

    def __init__(self, backend: "AligningBackend", version: str) -> None:
        self.version = version
        self.languages: frozenset[str] | None = backend.languages
        self._backend = backend

    def align(self, requests: Sequence[AlignRequest]) -> list[WordTimes | Failure]:
        results: dict[int, WordTimes | Failure] = {}
        by_language: dict[str, list[_Work]] = defaultdict(list)
        for place, request in enumerate(requests):
            work = self._prepare(place, request)
            if isinstance(work, Failure):
                results[place] = work
            else:
                by_language[work.language].append(work)
        for works in by_language.values():
            for at in range(0, len(works), _TOGETHER):
                chosen = works[at : at + _TOGETHER]
                for work, (spans, likely) in zip(chosen, self._spans(chosen), strict=True):
                    results[work.place] = self._times(requests[work.place], spans, likely)
        return [results[place] for place in range(len(requests))]

    def _prepare(self, place: int, request: AlignRequest) -> _Work | Failure:
        code = primary_subtag(request.language)
        code = "zh" if code == "cmn" else code
        if code not in self._backend.languages:
            return Failure(Reason.UNALIGNED, f"the checkpoint does not know the language {request.language!r}")
        samples = prepare(request.clip)
        if isinstance(samples, Failure):
            return Failure(Reason.UNALIGNED, samples.detail)
        if isinstance(samples, Transcript):
            return Failure(Reason.UNALIGNED, "the clip is silent")
        if len(samples) > WINDOW_S * SAMPLE_RATE:
            return Failure(Reason.UNALIGNED, f"whisper aligns clips of at most {WINDOW_S} s")
        words = words_of(request.text, request.language)
        blank = "" if is_unspaced(request.language) else " "
        tokens = [self._backend.encode_text(blank + word.text, code) for word in words]
        if not words or sum(map(len, tokens)) > _MOST_TOKENS:
            return Failure(Reason.UNALIGNED, "the text has no word, or more tokens than whisper takes")
        return _Work(place, samples, code, tokens)

    def _spans(self, works: Sequence[_Work]) -> list[tuple[list[Span], float]]:
        """Return the samples at 16 kHz of each word of each clip, and how likely the text is, 0..1."""
        texts = [[token for word in work.tokens for token in word] for work in works]
        try:
            windows = [work.samples for work in works]
            found = self._backend.align_tokens(windows, works[0].language, texts)
        except RuntimeError as error:  # out of memory, a lost GPU
            raise EngineDied(f"whisper stopped: {error}") from error
        return [
            (_word_spans(work, result.path), float(np.mean(result.probabilities)))
            for work, result in zip(works, found, strict=True)
        ]

    def _times(self, request: AlignRequest, spans: Sequence[Span], likely: float) -> WordTimes:
        clip = request.clip
        scale, length = clip.sample_rate / SAMPLE_RATE, len(clip.samples)
        placed: list[Span | None] = [
            (min(round(start * scale), length), min(round(end * scale), length)) for start, end in spans
        ]
        problem = None if likely >= LEAST_LIKELY else f"the text is not what the clip says: {likely:.2f} likely"
        made = bounded(placed, clip.samples, clip.sample_rate)
        return word_times(f"{NAME} {self.version}", request.text, request.language, made, problem)


def _word_spans(work: _Work, alignments: Sequence[tuple[int, int]]) -> list[Span]:
    """Return where the words begin and end by a path of pairs (token, step of 20 ms), in samples at 16 kHz.

    A token begins at the first step that the path gives it; a word ends where the token behind it begins.
    """
    tokens, steps = (np.array(side) for side in zip(*alignments, strict=True))
    first = np.flatnonzero(np.diff(tokens, prepend=-1) > 0)
    begins = np.where(steps[first] > 0, steps[first] + LEAD_STEPS, 0) * (SAMPLE_RATE // _TOKEN_TIMES_PER_S)
    begins = np.minimum(begins, len(work.samples))
    bounds = np.cumsum([0, *(len(word) for word in work.tokens)])
    whole = np.append(begins, len(work.samples))
    return [(int(whole[a]), int(whole[min(b, len(whole) - 1)])) for a, b in pairwise(bounds)]


ENGINE = Engine("aligner", NAME, "Whisper checkpoints", open=open_aligner, version=version, settings=WhisperModel)
