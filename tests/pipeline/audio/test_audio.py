import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifests.audio import decode
from manifests.schema import Audio
from pipeline.audio import levels
from pipeline.audio import samples as audio
from tests.tables import each_row

RATES = [8000, 11025, 16000, 22050, 24000, 32000, 44100, 48000]


def sine(amplitude=0.5, num_samples=1600, hz=440.0, sample_rate=16000):
    return (amplitude * np.sin(2 * np.pi * hz * np.arange(num_samples) / sample_rate)).astype(np.float32)


def floats(*values):
    return np.array(values, np.float32)


# encode


@pytest.mark.parametrize("codec", ["wav", "flac"])
def test_encoded_clip_describes_itself(codec):
    made = audio.encode(sine(num_samples=777), 22050, codec, path="clips/x")
    assert made == Audio(made.bytes, "clips/x", codec, 22050, 777)
    assert decode(made)[0].shape == (777,)


@pytest.mark.parametrize("codec", ["wav", "flac"])
def test_encoding_is_within_half_a_step(codec):
    decoded, _ = decode(audio.encode(sine(), 16000, codec))
    assert np.abs(decoded - sine()).max() <= 0.5 / 32768


@pytest.mark.parametrize("codec", ["wav", "flac"])
def test_same_samples_same_bytes_again_and_again(codec):
    first = audio.encode(sine(), 16000, codec)
    assert audio.encode(sine(), 16000, codec).bytes == first.bytes
    assert audio.encode(decode(first)[0], 16000, codec).bytes == first.bytes


def test_samples_out_of_range_are_clipped():
    decoded, _ = decode(audio.encode(floats(1.5, 1.0, -1.0, -7.0), 16000, "wav"))
    assert decoded.tolist() == [32767 / 32768, 32767 / 32768, -1.0, -1.0]


def test_formats_are_what_they_say():
    wav, flac = (audio.encode(sine(), 16000, codec).bytes for codec in ("wav", "flac"))
    assert (wav[:4], flac[:4]) == (b"RIFF", b"fLaC")
    assert len(wav) == 44 + 2 * 1600


@pytest.mark.parametrize(
    ("samples", "codec", "words"),
    [
        pytest.param(floats(0.1, math.nan), "wav", "NaN", id="nan"),
        pytest.param(floats(0.1, math.inf), "flac", "infinite", id="infinity"),
        pytest.param(floats(), "wav", "T >= 1", id="empty"),
        pytest.param(np.zeros((5, 2), np.float32), "wav", "mono", id="stereo"),
        pytest.param(floats(0.1), "mp3", "expected one of wav, flac", id="unknown codec"),
    ],
)
def test_samples_without_a_16_bit_value_are_refused(samples, codec, words):
    with pytest.raises(ValueError, match=words):
        audio.encode(samples, 16000, codec)


# resample


@each_row(
    ("num_samples", "from_rate", "to_rate", "expected"),
    [
        (16000, 16000, 24000, 24000),
        (1, 8000, 48000, 6),
        (1, 48000, 8000, 0),
        (3, 16000, 8000, 2),
        (441, 22050, 16000, 320),
        (100, 44100, 16000, 36),
        (3000, 24000, 44100, 5513),
    ],
)
def test_resampled_length_rounds_halves_up(num_samples, from_rate, to_rate, expected):
    assert audio.resampled_length(num_samples, from_rate, to_rate) == expected
    assert len(audio.resample(np.ones(num_samples, np.float32), from_rate, to_rate)) == expected


@given(st.integers(0, 5000), st.sampled_from(RATES) | st.integers(8000, 48000), st.sampled_from(RATES))
def test_resampled_length_is_exact_at_any_rates(num_samples, from_rate, to_rate):
    made = audio.resample(np.ones(num_samples, np.float32), from_rate, to_rate)
    assert made.shape == (audio.resampled_length(num_samples, from_rate, to_rate),)
    assert made.dtype == np.float32


def test_same_rate_changes_nothing():
    samples = sine()
    assert audio.resample(samples, 16000, 16000) is samples


@pytest.mark.parametrize("to_rate", [8000, 22050, 24000, 48000])
def test_resampling_keeps_a_tone_in_time_and_level(to_rate):
    made = audio.resample(sine(num_samples=16000), 16000, to_rate)
    expected = sine(num_samples=to_rate, sample_rate=to_rate)
    inner = slice(to_rate // 10, -to_rate // 10)
    assert np.abs(made - expected)[inner].max() < 1e-3


# levels


@pytest.mark.parametrize(
    ("samples", "peak", "level"),
    [
        (np.ones(9, np.float32), 0.0, 0.0),
        (np.full(9, -0.1, np.float32), -20.0, -20.0),
        (sine(1.0), 0.0, -3.01),
        (np.zeros(9, np.float32), -math.inf, -math.inf),
        (floats(), -math.inf, -math.inf),
    ],
)
def test_levels(samples, peak, level):
    assert levels.peak_dbfs(samples) == pytest.approx(peak, abs=0.01)
    assert levels.level_dbfs(samples) == pytest.approx(level, abs=0.01)


@each_row("amplitude", [0.001, 0.5, 3.0])
@each_row("peak", [-1.0, -20.0])
def test_peak_is_set(amplitude, peak):
    made = levels.normalize_peak(sine(amplitude), peak)
    assert levels.peak_dbfs(made) == pytest.approx(peak, abs=1e-4)
    assert made.dtype == np.float32


@pytest.mark.parametrize("samples", [np.zeros(5, np.float32), floats()], ids=["silence", "nothing"])
def test_silence_has_no_peak_to_set(samples):
    assert np.array_equal(levels.normalize_peak(samples, -1.0), samples)


# edges


@each_row(
    ("samples", "kept"),
    [
        pytest.param([0, 0, 0.5, 0, -0.4, 0], [0.5, 0, -0.4], id="zeros"),
        pytest.param([0.001, 0.5, 0.2, -0.001], [0.5, 0.2], id="hiss 54 dB below the peak"),
        pytest.param([0.002, 0.5, 0.2, -0.002], [0.002, 0.5, 0.2, -0.002], id="sound 48 dB below the peak"),
        pytest.param([0, 0.00001, 0], [0.00001], id="a quiet clip"),
        pytest.param([0.5], [0.5], id="nothing to trim"),
        pytest.param([0, 0], [], id="silence"),
        pytest.param([], [], id="nothing"),
    ],
)
def test_silence_is_trimmed_at_the_edges(samples, kept):
    assert audio.trim_silence(floats(*samples)).tolist() == floats(*kept).tolist()


def test_threshold_can_be_set():
    assert audio.trim_silence(floats(0.05, 1.0), threshold_db=-20.0).tolist() == [1.0]


@pytest.mark.parametrize(
    ("sample_rate", "leading_ms", "trailing_ms", "leading", "trailing"),
    [(16000, 100, 50, 1600, 800), (22050, 1, 3, 22, 66), (8000, 0, 0, 0, 0)],
)
def test_silence_is_added_in_whole_samples(sample_rate, leading_ms, trailing_ms, leading, trailing):
    made = audio.pad_silence(np.ones(3, np.float32), sample_rate, leading_ms, trailing_ms)
    assert made.tolist() == [0.0] * leading + [1.0] * 3 + [0.0] * trailing
    assert made.dtype == np.float32


@pytest.mark.parametrize(
    "function",
    [
        lambda x: audio.encode(x, 16000, "wav"),
        lambda x: audio.resample(x, 16000, 8000),
        lambda x: levels.normalize_peak(x, -1.0),
        audio.trim_silence,
        lambda x: audio.pad_silence(x, 16000, 1, 1),
    ],
)
def test_inputs_are_left_alone(function):
    samples = sine(2.0)
    samples.flags.writeable = False
    before = samples.copy()
    function(samples)
    assert np.array_equal(samples, before)
