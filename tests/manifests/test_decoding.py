import io
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import soundfile

from manifests.audio import decode, encoded, pcm16_of, samples_of
from manifests.errors import CorpusError
from manifests.schema import Audio
from tests.tables import each_row


def clip(codec="wav", sample_rate=16000, num_samples=400, channels=1, path=None):
    samples = np.random.default_rng(0).integers(-(2**15), 2**15, (num_samples, channels), dtype=np.int16)
    file = io.BytesIO()
    soundfile.write(file, samples, sample_rate, format=codec.upper(), subtype="PCM_16")
    audio = Audio(file.getvalue(), path, codec, sample_rate, num_samples)
    return audio, samples[:, 0].astype(np.float32) / 32768


@each_row("codec", ["wav", "flac"])
@each_row("sample_rate", [8000, 16000, 22050, 24000, 48000])
def test_decodes_16_bit_clips_without_loss(codec, sample_rate):
    audio, samples = clip(codec, sample_rate)
    decoded, rate = decode(audio)
    assert (decoded.dtype, decoded.shape, rate) == (np.float32, (400,), sample_rate)
    assert np.array_equal(decoded, samples)


def test_16_bit_samples_are_found_again_and_no_others():
    every = np.arange(-(2**15), 2**15, dtype=np.int16)
    assert np.array_equal(pcm16_of(samples_of(every)), every)
    for other in (1.0, 0.3, -0.0, 1e-9, np.nan, np.inf, -2.0):
        assert pcm16_of(np.array([0.5, other], np.float32)) is None
    assert pcm16_of(np.zeros(2)) is None


@each_row("sample_rate", [8000, 16000, 22050, 48000])
@each_row("num_samples", [1, 400, 40_001])
def test_a_wav_is_encoded_as_libsndfile_does_it(sample_rate, num_samples):
    audio, samples = clip("wav", sample_rate, num_samples)
    assert encoded(samples, sample_rate, "wav") == audio.bytes


@pytest.mark.parametrize(
    ("wrong", "both"),
    [
        ({"sample_rate": 8000}, ["16000 Hz", "8000 Hz"]),
        ({"num_samples": 399}, ["400 samples", "399 samples"]),
    ],
)
def test_a_row_that_disagrees_is_named_with_both_numbers(wrong, both):
    audio, _ = clip(path="clips/a.wav")
    with pytest.raises(CorpusError) as raised:
        decode(replace(audio, **wrong))
    assert all(words in str(raised.value) for words in ["clips/a.wav", *both])


@each_row(
    "damage",
    [
        pytest.param(lambda b: b"", id="empty"),
        pytest.param(lambda b: b"<html>not found</html>", id="another kind of file"),
        pytest.param(lambda b: b[:-200], id="cut off"),
        pytest.param(lambda b: b[:20], id="header cut off"),
    ],
)
@each_row("codec", ["wav", "flac"])
def test_damaged_bytes_are_a_corpus_error(codec, damage):
    audio, _ = clip(codec)
    with pytest.raises(CorpusError):
        decode(replace(audio, bytes=damage(audio.bytes)))


def test_stereo_is_a_corpus_error():
    audio, _ = clip(channels=2)
    with pytest.raises(CorpusError, match="2 channels"):
        decode(audio)


def test_importing_costs_no_soundfile():
    code = "import sys, manifests.audio; print('soundfile' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
