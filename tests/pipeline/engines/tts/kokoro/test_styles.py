"""Styles: a voice's own, averages, and the manner of a language."""

import numpy as np
import pytest

pytest.importorskip("onnx", reason="needs the extra 'kokoro'")

from pipeline.engines.contract import Failure
from pipeline.engines.tts.kokoro.styles import TIMBRE, Styles, is_british
from tests.pipeline.engines.tts.kokoro.tiny_kokoro import VOICES, make_directory
from voicebank.voice import Voice


@pytest.fixture(scope="module")
def styles(tmp_path_factory: pytest.TempPathFactory) -> Styles:
    return Styles(make_directory(tmp_path_factory.mktemp("kokoro") / "model") / "voices")


def number(name: str) -> int:
    return VOICES.index(name) + 1


def style(styles: Styles, language: str, **weights: float) -> tuple[float, float]:
    """The timbre (its last number) and the manner of a voice."""
    made = Voice("v", "kokoro", "v", language, "female", parents=tuple(weights), weights=tuple(weights.values()))
    found = styles.of(made, language)
    assert not isinstance(found, Failure), found
    assert found.shape == (510, 256) and found.dtype == np.float32
    assert np.array_equal(found[:, 1], np.arange(510, dtype=np.float32)), "rows keep their places"
    return float(found[7, TIMBRE - 1]), float(found[7, -1])


def test_a_voice_speaks_its_own_language_as_it_is(styles: Styles) -> None:
    assert style(styles, "en", af_bella=1.0) == (number("af_bella"), number("af_bella"))


def test_an_average_is_weighted_and_keeps_its_length(styles: Styles) -> None:
    expected = 0.25 * number("af_heart") + 0.75 * number("bf_emma")
    assert style(styles, "en", af_heart=0.25, bf_emma=0.75) == pytest.approx((expected, expected))
    assert style(styles, "en", af_heart=1.0, bf_emma=3.0) == pytest.approx((expected, expected))
    assert style(styles, "en", **{"kokoro-af_heart": 0.25, "kokoro-bf_emma": 0.75}) == pytest.approx((expected,) * 2)


def test_the_manner_belongs_to_the_language(styles: Styles) -> None:
    native = number("zf_xiaoyi")  # the only woman: zf_xiaoni is left out
    assert style(styles, "zh", af_heart=1.0) == (number("af_heart"), native)
    timbre = (number("af_heart") + native) / 2
    assert style(styles, "zh", af_heart=0.5, zf_xiaoyi=0.5) == (timbre, native)
    english = np.mean([number(name) for name in ("af_heart", "af_bella", "bf_emma")])
    assert style(styles, "en", zf_xiaoyi=1.0) == pytest.approx((native, english))


def test_which_english() -> None:
    def voice(speaker: str = "v", **weights: float) -> Voice:
        return Voice("v", "kokoro", speaker, "en", "female", parents=tuple(weights), weights=tuple(weights.values()))

    assert is_british(voice("bf_emma")) and not is_british(voice("af_heart")) and not is_british(voice("zf_xiaoyi"))
    assert is_british(voice(af_heart=0.4, bf_emma=0.6)) and not is_british(voice(af_heart=0.6, bf_emma=0.4))
    assert is_british(voice(bf_emma=0.3, zf_xiaoyi=0.7))
