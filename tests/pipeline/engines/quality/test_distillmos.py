import numpy as np
import pytest

pytest.importorskip("xls_r_sqa", reason="needs the extra 'voicebank'")
pytest.importorskip("torch", reason="needs the extra 'voicebank'")

from pipeline.engines.contract import Clip, Failure
from pipeline.engines.quality.distillmos import NAME, DistillMos

RATE = 16_000


@pytest.fixture(scope="module")
def engine() -> DistillMos:
    return DistillMos()


def hum(seconds: float, rate: int = RATE) -> Clip:
    time = np.arange(round(seconds * rate)) / rate
    tones = sum(np.sin(2 * np.pi * k * 130 * time) / k for k in range(1, 12))
    return Clip((0.15 * tones * np.abs(np.sin(7 * time))).astype(np.float32), rate)


def noise(seconds: float) -> Clip:
    return Clip(np.random.default_rng(0).normal(0, 0.1, round(seconds * RATE)).astype(np.float32), RATE)


def test_a_score_depends_on_the_clip_alone(engine: DistillMos) -> None:
    assert engine.scores == (NAME,)
    clips = [hum(2), noise(9), hum(2, 24_000)]
    scores = [result[NAME] for result in engine.predict(clips)]
    assert all(1 <= score <= 5 for score in scores)
    assert [engine.predict([clip])[0][NAME] for clip in reversed(clips)] == scores[::-1]
    assert scores[0] == pytest.approx(scores[2], abs=0.3), "the rate of the samples matters little"


def test_what_cannot_be_rated_is_a_failure(engine: DistillMos) -> None:
    nothing = [Clip(np.zeros(RATE, np.float32), RATE), hum(0.2), Clip(np.full(RATE, np.nan, np.float32), RATE)]
    assert all(isinstance(result, Failure) for result in engine.predict(nothing))
