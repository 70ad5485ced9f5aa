import importlib.metadata
import importlib.util
import sys
from functools import cache

import numpy as np
import pytest

from manifests.errors import EngineUnavailable
from manifests.reasons import Reason
from pipeline.engines.contract import Clip, Failure, GenderGuess
from pipeline.engines.gender import pitch as pitch_gender
from tests.tables import each_row

HERE = importlib.util.find_spec("librosa") is not None
needs_librosa = pytest.mark.skipif(not HERE, reason="needs librosa (the extra 'voicebank')")


@cache
def predictor():
    return pitch_gender.PitchGender()


def guess(samples, sample_rate=16000):
    (guessed,) = predictor().predict([Clip(samples, sample_rate)])
    return guessed


def voice(pitch, seconds=2.0, sample_rate=16000, level=0.3):
    """Pulses at a pitch that sways by a semitone, in syllables, with a little hiss."""
    time = np.arange(round(seconds * sample_rate)) / sample_rate
    phase = 2 * np.pi * np.cumsum(pitch * 2 ** (np.sin(5 * time) / 12)) / sample_rate
    harmonics = [np.sin(k * phase) / k for k in range(1, 20) if 1.1 * k * pitch < sample_rate / 2]
    samples = sum(harmonics) * (0.2 + 0.8 * np.abs(np.sin(7 * time)))
    hiss = np.random.default_rng(0).normal(0, 0.003, len(time))
    return (level * (samples / np.abs(samples).max() + hiss)).astype(np.float32)


@needs_librosa
@each_row("sample_rate", [8000, 16000, 24000, 44100])
@each_row(
    ("pitch", "gender"),
    [(85, "male"), (120, "male"), (145, "male"), (175, "female"), (210, "female"), (300, "female")],
)
def test_the_height_of_the_voice_decides(pitch, gender, sample_rate):
    assert guess(voice(pitch, sample_rate=sample_rate), sample_rate).gender == gender


@needs_librosa
@pytest.mark.parametrize(("pitch", "expected"), [(120, 0.95), (210, 0.95), (145, 0.72), (159, 0.5), (300, 0.999)])
def test_the_confidence_grows_with_the_distance_from_the_boundary(pitch, expected):
    assert guess(voice(pitch)).confidence == pytest.approx(expected, abs=0.06)


@pytest.mark.parametrize(
    ("semitones", "expected"),
    [(0.0, ("male", 0.5)), (4.0, ("female", 0.9168)), (-4.0, ("male", 0.9168)), (1e3, ("female", 1.0))],
)
def test_guess_of_semitones(semitones, expected):
    guessed = pitch_gender.guess_of(semitones)
    assert (guessed.gender, round(guessed.confidence, 4)) == expected


@needs_librosa
@pytest.mark.parametrize("level", [0.9, 0.01])
def test_how_loud_it_is_does_not_matter(level):
    assert guess(voice(200, level=level)).confidence == pytest.approx(guess(voice(200)).confidence, abs=0.01)


@needs_librosa
def test_pauses_with_hum_and_noise_do_not_matter():
    time = np.arange(48000) / 16000
    hiss = np.random.default_rng(2).normal(0, 0.001, 48000)
    room = (0.01 * np.sin(2 * np.pi * 100 * time) + hiss).astype(np.float32)
    mixed = guess(np.concatenate([room, voice(200), room]))
    assert mixed.gender == "female"
    assert mixed.confidence == pytest.approx(guess(voice(200)).confidence, abs=0.02)


@needs_librosa
def test_only_the_first_minute_counts():
    minute = voice(100, 60.0)
    assert guess(np.concatenate([minute, voice(300, 90.0)])) == guess(minute)


NOISE = np.random.default_rng(1).normal(0, 0.1, 48000)
TIME = np.arange(48000) / 16000


@needs_librosa
@each_row(
    "samples",
    [
        pytest.param(np.zeros(0), id="empty"),
        pytest.param(np.zeros(16000), id="silence"),
        pytest.param(voice(200, 0.05), id="50 ms"),
        pytest.param(voice(200, 0.2), id="200 ms"),
        pytest.param(NOISE, id="white noise"),
        pytest.param(np.cumsum(NOISE) / 20, id="rumble"),
        pytest.param(np.sin(2 * np.pi * 50 * TIME) / 2, id="mains hum"),
        pytest.param(np.full(16000, np.nan), id="nan"),
    ],
)
def test_where_nobody_speaks_there_is_no_gender(samples):
    failed = guess(samples.astype(np.float32))
    assert isinstance(failed, Failure)
    assert failed.reason is Reason.MEASUREMENT_FAILED
    assert failed.detail


@needs_librosa
def test_results_depend_on_the_clip_alone():
    clips = [Clip(voice(110), 16000), Clip(np.zeros(9000, np.float32), 16000), Clip(voice(230, 1.0, 24000), 24000)]
    together = predictor().predict(clips)
    assert together == [predictor().predict([clip])[0] for clip in reversed(clips)][::-1]
    assert [type(one) for one in together] == [GenderGuess, Failure, GenderGuess]


@needs_librosa
def test_the_version_tells_the_numbers_that_decide():
    assert predictor().version == pitch_gender.version()
    assert pitch_gender.version().endswith("boundary=159Hz slope=0.6")


def no_such_package(_):
    raise importlib.metadata.PackageNotFoundError("librosa")


@pytest.mark.parametrize("ask", [pitch_gender.version, pitch_gender.PitchGender])
def test_a_missing_package_says_what_to_install(monkeypatch, ask):
    monkeypatch.setattr(importlib.metadata, "version", no_such_package)
    with pytest.raises(EngineUnavailable, match=r"librosa.*pip install 'parley\[voicebank\]'"):
        ask()


def test_so_does_one_that_does_not_import(monkeypatch):
    monkeypatch.setattr(importlib.metadata, "version", lambda _: "0.11.0")
    monkeypatch.setitem(sys.modules, "librosa", None)
    with pytest.raises(EngineUnavailable, match=r"librosa.*parley\[voicebank\]"):
        pitch_gender.PitchGender()
