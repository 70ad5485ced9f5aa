import numpy as np
import pytest

pytest.importorskip("hibari", reason="needs the extra 'kokoro'")

from pipeline.engines.contract import Clip, Failure, SpeechRequest
from pipeline.engines.tts.hibari import HibariSynthesizer
from tests.tables import each_row
from voicebank.voice import Voice


@pytest.fixture(scope="module")
def engine() -> HibariSynthesizer:
    return HibariSynthesizer()


def request(
    text: str = "Hello there.", speaker: str = "heart", language: str = "en", rate: float = 1.0, seed: int = 1
):
    return SpeechRequest(text, language, Voice("v", "hibari", speaker, language, "female"), rate, seed)


def say(engine: HibariSynthesizer, **changes: object) -> Clip:
    (clip,) = engine.synthesize([request(**changes)])
    assert isinstance(clip, Clip), clip
    return clip


def test_clip(engine: HibariSynthesizer) -> None:
    clip = say(engine)
    assert clip.sample_rate == 24_000 and clip.samples.dtype == np.float32
    assert 0.4 < len(clip.samples) / 24_000 < 3
    assert 0.05 < np.abs(clip.samples).max() <= 1


def test_a_clip_depends_on_its_request_alone(engine: HibariSynthesizer) -> None:
    first = say(engine)
    batch = engine.synthesize([request("Something else."), request()])
    assert isinstance(batch[1], Clip) and np.array_equal(batch[1].samples, first.samples)
    assert np.array_equal(say(HibariSynthesizer()).samples, first.samples)
    assert not np.array_equal(say(engine, seed=2).samples, first.samples)


def test_rate(engine: HibariSynthesizer) -> None:
    assert len(say(engine, rate=0.7).samples) > 1.3 * len(say(engine, rate=1.3).samples)


@each_row(
    ("changes", "words"),
    [
        ({"speaker": "emma"}, "not as 'emma'"),
        ({"language": "zh"}, "in 'zh'"),
        ({"text": "Привет"}, "no English sound"),
        ({"text": "!"}, "no letters"),
        ({"rate": 9.0}, "speaking rate"),
    ],
)
def test_what_cannot_be_spoken_is_a_failure(engine: HibariSynthesizer, changes: dict, words: str) -> None:
    (result,) = engine.synthesize([request(**changes)])
    assert isinstance(result, Failure) and words in result.detail, result
