"""Whisper's aligner by both backends on tiny checkpoints, whose attention is random but the same in both."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest

pytest.importorskip("faster_whisper", reason="needs the extra 'recognizers'")
pytest.importorskip("transformers", reason="needs the extra 'recognizers'")

from manifests.schema import WordTimes
from manifests.words import words_of
from pipeline.engines.aligner._attention_path import token_path
from pipeline.engines.aligner.whisper import WhisperAligner, open_aligner
from pipeline.engines.asr.whisper import WhisperModel
from pipeline.engines.contract import AlignRequest, Clip, Failure
from tests.pipeline.engines.asr.sounds import silence, sound
from tests.pipeline.engines.asr.tiny_whisper import convert_to_ctranslate2, make_whisper

TEXTS = {"en": "well that is a good one", "zh": "你好，我有一个。", "de": "ja so ist es"}


@pytest.fixture(scope="module")
def aligner(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], WhisperAligner]:
    root = tmp_path_factory.mktemp("whisper")
    made = {"transformers": make_whisper(root / "transformers")}
    made["ctranslate2"] = convert_to_ctranslate2(made["transformers"], root / "ctranslate2")
    return {
        backend: open_aligner(
            WhisperModel.model_validate({"engine": "whisper", "backend": backend, "model": str(path)})
        )
        for backend, path in made.items()
    }.__getitem__


REQUESTS = [
    AlignRequest(sound(seconds, 300.0 + 200 * number, rate), TEXTS[language], language)
    for number, (seconds, language, rate) in enumerate(
        [(1.2, "en", 16_000), (3.4, "zh", 24_000), (2.3, "en", 16_000), (4.0, "de", 8_000), (1.7, "zh", 16_000)]
    )
]


@pytest.mark.parametrize("backend", ["transformers", "ctranslate2"])
def test_each_word_of_a_batch_has_the_times_that_it_has_alone(
    aligner: Callable[[str], WhisperAligner], backend: str
) -> None:
    engine = aligner(backend)
    together = engine.align(REQUESTS)
    assert together == [engine.align([request])[0] for request in REQUESTS]
    for request, times in zip(REQUESTS, together, strict=True):
        assert isinstance(times, WordTimes)
        assert [w.text for w in times.words] == [w.text for w in words_of(request.text, request.language)]
        starts = [word.start_sample for word in times.words]
        assert all(a is not None and b is not None and a <= b for a, b in pairwise(starts))
        assert (starts[0] or 0) >= 0 and (times.words[-1].end_sample or 0) <= len(request.clip.samples)
        assert times.problem and "likely" in times.problem, "a random model finds no text likely"


def test_both_backends_find_the_same_path(aligner: Callable[[str], WhisperAligner]) -> None:
    """But where another way through random weights is as good."""
    near = [
        abs((a.start_sample or 0) - (b.start_sample or 0)) <= 960
        for one, other in zip(*(aligner(b).align(REQUESTS) for b in ("transformers", "ctranslate2")), strict=True)
        if isinstance(one, WordTimes) and isinstance(other, WordTimes)
        for a, b in zip(one.words, other.words, strict=True)
    ]
    assert len(near) > 20 and np.mean(near) > 0.7, near


def test_the_path_follows_the_weights() -> None:
    steps = [0, 0, 1, 1, 1, 2, 3, 3]
    weights = np.full((1, 4, 8 * 8), 0.01, np.float32)
    for step, token in enumerate(steps):
        weights[0, token, 8 * step : 8 * step + 8] = 1.0
    path = token_path(weights)
    assert path[0] == (0, 0) and path[-1] == (3, 63)
    begins = {token: min(step for found, step in path if found == token) for token in range(4)}
    assert all(abs(begins[token] - 8 * steps.index(token)) <= 2 for token in range(4)), begins


def test_what_cannot_be_aligned_says_why(aligner: Callable[[str], WhisperAligner]) -> None:
    for clip, text, language, words in (
        (sound(1.0), "hej", "tlh", "does not know the language 'tlh'"),
        (silence(1.0), "yes", "en", "silent"),
        (sound(31.0), "yes", "en", "at most 30 s"),
        (sound(1.0), "…", "en", "no word"),
        (sound(1.0), "yes " * 500, "en", "more tokens"),
        (Clip(np.zeros(0, np.float32), 16_000), "yes", "en", "empty"),
    ):
        (found,) = aligner("ctranslate2").align([AlignRequest(clip, text, language)])
        assert isinstance(found, Failure) and words in found.detail, found
