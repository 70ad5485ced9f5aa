"""What clips of one group make together: the mean vector, the gender, the rate."""

from typing import Any

import numpy as np
import pytest

from pipeline.bank.clips import Unusable
from pipeline.bank.speaker import HeardClip, combined_gender, make_speaker, mean_direction
from pipeline.engines.contract import GenderGuess
from tests.pipeline.bank.bank_corpora import chord_recipe
from tests.tables import each_row
from voicebank.layouts.clip import SourceClip
from voicebank.voice import Gender, Speaker


def unit(*values: float) -> np.ndarray[Any, np.dtype[np.float32]]:
    vector = np.array(values, np.float32)
    return vector / np.linalg.norm(vector)


def heard(number: int = 0, text: str | None = "abcdefghij", speech_s: float = 1.0, **values: Any) -> HeardClip:
    source = SourceClip(f"c{number}", f"{number}.wav", "g", values.pop("language", "en"), text=text)
    chosen = {"xvector": unit(1, 0, 0), "guess": GenderGuess("female", 0.9)} | values
    return HeardClip(source, 4.0, speech_s, **chosen)


def made(*clips: HeardClip) -> Speaker | Unusable:
    return make_speaker("s", clips, chord_recipe(), "CC0-1.0")


@each_row(
    ("guesses", "gender", "confidence"),
    [
        pytest.param([("female", 0.9)], "female", 0.9, id="one"),
        pytest.param([("female", 0.9), ("female", 0.9)], "female", 0.9, id="twice the same is not surer"),
        pytest.param([("female", 0.9), ("male", 0.9)], "male", 0.5, id="undecided"),
        pytest.param([("male", 0.95), ("female", 0.5)], "male", 0.8134, id="a guess without an opinion halves it"),
        pytest.param([("male", 0.8), ("male", 0.8), ("female", 0.6)], "male", 0.6876, id="outvoted"),
        pytest.param([("male", 1.0), *[("female", 0.9)] * 5], "female", 0.6637, id="nobody is ever sure"),
        pytest.param([("male", 0.2)], "male", 0.5, id="less than a guess"),
    ],
)
def test_gender_of_several_clips(guesses: list[tuple[Gender, float]], gender: str, confidence: float) -> None:
    combined = combined_gender([GenderGuess(*guess) for guess in guesses])
    assert combined.confidence == pytest.approx(confidence, abs=1e-4)
    assert combined.gender == gender


def test_the_mean_is_of_directions() -> None:
    mean = mean_direction([np.array([100, 0], np.float32), np.array([0, 0.01], np.float32)])
    assert mean == pytest.approx([np.sqrt(0.5)] * 2)
    assert mean.dtype == np.float32
    assert np.linalg.norm(mean) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize(
    ("clips", "ms"),
    [
        pytest.param([heard(0), heard(1)], 100, id="the same twice"),
        pytest.param([heard(0, "abcde", 1.0), heard(1, "abcdefghijklmno", 1.0)], 100, id="all time over all letters"),
        pytest.param([heard(0, None, 9.0), heard(1)], 100, id="without a text"),
        pytest.param([heard(0, "123 !", 9.0), heard(1)], 100, id="without letters"),
        pytest.param([heard(0, "你好吗", 0.6, language="zh")] * 2, 200, id="characters"),
    ],
)
def test_rate(clips: list[HeardClip], ms: int) -> None:
    speaker = made(*clips)
    assert isinstance(speaker, Speaker)
    assert speaker.ms_per_character == ms


def test_speech_without_text_is_still_speech() -> None:
    speaker = made(heard(0, None, 9.0), heard(1))
    assert isinstance(speaker, Speaker)
    assert speaker.speech_s == 10.0
    assert speaker.seconds_per_character == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("clips", "reason"),
    [
        pytest.param([heard(0), heard(1, xvector=unit(0, 1, 0))], "mixed_speakers", id="not alike"),
        pytest.param([heard(0, guess=None)] * 2, "gender_unclear", id="no gender was predicted"),
        pytest.param([heard(0, guess=GenderGuess("male", 0.79))] * 2, "gender_unclear", id="not sure enough"),
        pytest.param([heard(0, None)] * 2, "rate_unknown", id="no text"),
    ],
)
def test_reasons(clips: list[HeardClip], reason: str) -> None:
    result = made(*clips)
    assert isinstance(result, Unusable)
    assert result.reason == reason


def test_the_embedding_is_its_own() -> None:
    speaker = made(heard(0, embedding=unit(1, 0)), heard(1, embedding=unit(0, 1)))
    assert isinstance(speaker, Speaker) and speaker.embedding is not None
    assert speaker.xvector == pytest.approx([1, 0, 0])
    assert speaker.embedding == pytest.approx([np.sqrt(0.5)] * 2)
