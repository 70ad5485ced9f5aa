"""Forged marks: what each way adds to a recording, and what the detector says of it."""

from collections.abc import Sequence

import numpy as np
import pytest

from manifests.reasons import Reason
from pipeline.audit.detect import MarkScore
from pipeline.audit.forgery import ABOUT, Pair, audit_forgery
from pipeline.engines.contract import Clip, Detection, Failure
from pipeline.engines.registry import load_engine
from tests.pipeline.audit.audited import tones

TONE_MARK = load_engine("watermark", "tone-mark")
RECORDINGS = [tones(2, seed=seed) for seed in range(4)]
MARKED = list(TONE_MARK.embed([tones(2, seed=10 + seed) for seed in range(4)], [0] * 4))
PAIRS: list[Pair] = [(recording, clip, 7) for recording, clip in zip(RECORDINGS, MARKED, strict=True)]


def scores_of(clips: Sequence[Clip]) -> list[MarkScore]:
    return [MarkScore(found.score, found.message) for found in TONE_MARK.detect(clips)]


def test_a_tone_can_be_embedded_and_copied_and_is_too_coarse_to_be_estimated() -> None:
    assert max(found.score for found in scores_of(RECORDINGS)) < 0.1, "the recordings have no mark"
    found = {line.forgery: line for line in audit_forgery(PAIRS, TONE_MARK, scores_of, 0.5, 2)}
    assert list(found) == list(ABOUT)
    assert [line.detected.total for line in found.values()] == [4, 4, 4]
    assert (found["embedded"].detected.hits, found["copied"].detected.hits) == (4, 4)
    assert found["estimated"].detected.hits == 0
    assert all(line.with_message is None for line in found.values())


class LastSamples:
    """Marks a clip by noise of 16 bits' seed, finds it by correlation, and fails on clips under 1.1 s."""

    name, version, bits = "noise", "1", 16

    def embed(self, clips: Sequence[Clip], messages: Sequence[int]) -> list[Clip | Failure]:
        return [
            Clip(clip.samples + self._noise(len(clip.samples), message), clip.sample_rate)
            if len(clip.samples) > 1.1 * clip.sample_rate
            else Failure(Reason.WATERMARK_FAILED, "too short")
            for clip, message in zip(clips, messages, strict=True)
        ]

    def detect(self, clips: Sequence[Clip]) -> list[Detection | Failure]:
        return [Detection(min(1.0, max(0.0, self._power(clip))), "0007") for clip in clips]

    def _noise(self, length: int, message: int) -> np.ndarray:
        return (0.02 * np.random.default_rng(message).standard_normal(length)).astype(np.float32)

    def _power(self, clip: Clip) -> float:
        noise = self._noise(len(clip.samples), 7)
        return float(clip.samples @ noise / (noise @ noise))


def test_a_mark_that_is_fine_noise_can_be_estimated_from_one_clip() -> None:
    """The clips and the recordings have one length, so that the noise of one fits the other."""
    engine = LastSamples()
    quiet = [tones(2, seed=seed) for seed in range(6)]
    marked = engine.embed(quiet[3:], [7] * 3)
    pairs = [(recording, clip, 7) for recording, clip in zip(quiet[:3], marked, strict=True) if isinstance(clip, Clip)]

    def detect(clips: Sequence[Clip]) -> list[MarkScore]:
        return [MarkScore(one.score, one.message) for one in engine.detect(clips) if isinstance(one, Detection)]

    assert max(one.score for one in detect(quiet)) < 0.3
    found = audit_forgery(pairs, engine, detect, 0.5, 2)
    assert [line.detected.hits for line in found] == [3, 3, 3]
    assert [line.with_message.hits for line in found if line.with_message] == [3, 3, 3]
    foreign = audit_forgery([(a, b, 0xFFFF) for a, b, _ in pairs], engine, detect, 0.5, 2)
    assert foreign[2].with_message and (foreign[2].detected.hits, foreign[2].with_message.hits) == (3, 0)


def test_what_an_engine_fails_on_is_not_counted() -> None:
    engine = LastSamples()
    pairs = [(tones(1.0), tones(2), 7), (tones(2.0), tones(2), 7)]
    found = audit_forgery(pairs, engine, lambda clips: [MarkScore(0.0, failed=True) for _ in clips], 0.5, 2)
    assert [(line.detected.total, line.mean_score) for line in found] == [(0, None)] * 3
    found = audit_forgery(pairs, engine, lambda clips: [MarkScore(0.9, "0007") for _ in clips], 0.5, 2)
    assert [line.detected.total for line in found] == [1, 0, 2], "one was marked, so there is no other mark to copy"


@pytest.mark.parametrize("samples", [np.zeros(8_000, np.float32), np.full(8_000, 0.25, np.float32)])
def test_silence_is_no_error(samples: np.ndarray) -> None:
    clip = Clip(samples, 16_000)
    found = audit_forgery([(clip, clip, 0), (tones(0.5), clip, 0)], TONE_MARK, scores_of, 0.5, 2)
    assert [line.detected.total for line in found] == [2, 2, 2]
