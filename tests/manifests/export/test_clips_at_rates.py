"""Clips at another rate: exact lengths, the same sound, the same bytes."""

import io

import numpy as np
import pytest
import soundfile

from manifests.audio import decode
from manifests.export._audio import flac_bytes, samples_at, wav_bytes
from manifests.resampling import resampled_length
from parley.testing.corpora import make_audio


def test_a_clip_at_its_own_rate_is_what_it_decodes_to() -> None:
    audio = make_audio(3)
    assert np.array_equal(samples_at(audio, audio.sample_rate), decode(audio)[0])


@pytest.mark.parametrize("rate", [8_000, 22_050, 24_000, 44_100])
def test_a_clip_at_another_rate_has_the_exact_length_and_pitch(rate: int) -> None:
    audio = make_audio(10, 16_001)  # one second of 300 Hz
    samples = samples_at(audio, rate)
    assert samples.dtype == np.float32
    assert len(samples) == resampled_length(16_001, audio.sample_rate, rate)
    spectrum = np.abs(np.fft.rfft(samples))
    assert abs(int(spectrum.argmax()) * rate / len(samples) - 300) < 1


@pytest.mark.parametrize(("encode", "kind"), [(wav_bytes, "WAV"), (flac_bytes, "FLAC")])
def test_a_file_gives_the_samples_back(encode: object, kind: str) -> None:
    assert callable(encode)
    samples = samples_at(make_audio(), 16_000)
    data = encode(samples, 16_000)
    with soundfile.SoundFile(io.BytesIO(data)) as file:
        assert (file.format, file.subtype, file.channels, file.samplerate) == (kind, "PCM_16", 1, 16_000)
        assert np.array_equal(file.read(dtype="float32"), samples)
    assert encode(samples, 16_000) == data
