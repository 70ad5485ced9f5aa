import numpy as np
import pytest

from manifests.errors import EngineDied
from pipeline.engines.contract import Clip, Failure
from pipeline.engines.shared.clips import UNMEASURABLE, encode_each, samples_16_khz, unit_vector
from tests.pipeline.engines.encoder.speech_doubles import BAD_CLIPS, RATE, voice
from tests.tables import each_row


@each_row("name", BAD_CLIPS)
def test_bad_clips_never_reach_the_encoder(name):
    clip, words = BAD_CLIPS[name]

    def embed(samples):
        raise AssertionError("was shown the clip")

    (result,) = encode_each([clip], embed)
    assert isinstance(result, Failure)
    assert (result.reason, words in result.detail) == (UNMEASURABLE, True)


@each_row(
    ("vector", "want"),
    [
        pytest.param([3, 4], [0.6, 0.8], id="scaled"),
        pytest.param([[[3.0, -4.0]]], [0.6, -0.8], id="flattened"),
        pytest.param([1e-30, 0], [1, 0], id="tiny"),
        pytest.param([1e30, 0], [1, 0], id="huge: no overflow in single precision"),
        pytest.param([0, 0], "zeros", id="zeros"),
        pytest.param([1, np.nan], "NaN", id="nan"),
        pytest.param([1, -np.inf], "NaN or infinity", id="infinity"),
    ],
)
def test_what_an_encoder_gives_becomes_a_unit_vector_or_a_failure(vector, want):
    (made,) = encode_each([voice(1)], lambda _: vector)
    if isinstance(want, str):
        assert isinstance(made, Failure)
        assert want in made.detail
    else:
        assert made.dtype == np.float32
        assert made.tolist() == pytest.approx(want)
    assert type(unit_vector(vector)) is type(made)


def test_a_failure_of_the_encoder_is_passed_on():
    failure = Failure(UNMEASURABLE, "nobody speaks")
    assert encode_each([voice(1)], lambda _: failure) == [failure]


def test_an_encoder_that_breaks_is_dead():
    def embed(samples):
        raise RuntimeError("CUDA error: device-side assert triggered")

    with pytest.raises(EngineDied, match="device-side assert"):
        encode_each([voice(1)], embed)


@pytest.mark.parametrize(
    ("rate", "seconds", "limits", "want"),
    [
        (48_000, 1.0, (0.5, np.inf), 16_000),
        (8_000, 0.5, (0.5, 1.0), 8_000),
        (44_100, 1.0, (0.5, 1.0), 16_000),
        (16_000, 1.01, (0.5, 1.0), "at most 1 s"),
        (8_000, 0.4, (0.5, 1.0), "at least 0.5 s"),
    ],
)
def test_clips_come_at_16_khz_and_within_the_limits(rate, seconds, limits, want):
    made = samples_16_khz(voice(seconds, rate=rate), *limits)
    if isinstance(want, str):
        assert isinstance(made, Failure)
        assert want in made.detail
    else:
        assert (len(made), made.dtype) == (want, np.float32)


def test_a_quiet_clip_is_not_silence():
    samples = voice(1).samples * np.float32(0.003)
    assert isinstance(samples_16_khz(Clip(samples, RATE), 0.5), np.ndarray)
