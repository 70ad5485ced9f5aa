"""Bandwidth and the level of the end, on tones and noise whose answer is known and on clips that synthesizers made."""

from functools import cache

import numpy as np
import pytest

from pipeline.audio.bandwidth import bandwidth_hz
from pipeline.audio.levels import end_level_db
from pipeline.audio.samples import loud_span, pad_silence, resample
from pipeline.engines.contract import Clip, Samples, SpeechRequest
from pipeline.engines.registry import load_engine
from tests.tables import each_row
from voicebank.voice import Voice

RATE = 16_000
TEXT = "She sells six fresh fish now."
SPEAKERS = [("flite", "rms", "en"), ("flite", "slt", "en"), ("espeak-ng", "en-us", "en")]


def sine(hz: float, seconds: float = 1.0, level_db: float = -6.0, rate: int = RATE) -> Samples:
    time = np.arange(round(seconds * rate)) / rate
    return (10 ** (level_db / 20) * np.sin(2 * np.pi * hz * time)).astype(np.float32)


def noise(seconds: float = 1.0, level_db: float = -20.0, seed: int = 0) -> Samples:
    drawn = np.random.default_rng(seed).standard_normal(round(seconds * RATE))
    return (10 ** (level_db / 20) * drawn).astype(np.float32)


@cache
def spoken(engine: str, speaker: str, language: str) -> Clip:
    """What the synthesizer gives, at its own rate."""
    voice = Voice("v", engine, speaker, language, "male")
    (made,) = load_engine("tts", engine).synthesize([SpeechRequest(TEXT, language, voice, 1.0, 0)])
    assert isinstance(made, Clip), made
    return made


def at_16_khz(clip: Clip) -> Samples:
    return resample(clip.samples, clip.sample_rate, RATE)


def through(samples: Samples, rate: int) -> Samples:
    return resample(resample(samples, RATE, rate), rate, RATE)


@each_row("rate", [8_000, 16_000, 24_000, 48_000])
@each_row("hz", [500.0, 3_000.0])
def test_a_tone_has_the_bandwidth_of_its_frequency(hz: float, rate: int) -> None:
    assert bandwidth_hz(sine(hz, rate=rate), rate) == pytest.approx(hz, abs=130), "a window widens a tone by some bins"


@each_row(("level_db", "expected"), [(-40.0, 5_000.0), (-62.0, 500.0)])
def test_what_is_50_db_below_the_peak_counts_as_nothing(level_db: float, expected: float) -> None:
    both = sine(500, level_db=-6) + sine(5_000, level_db=level_db)
    assert bandwidth_hz(both, RATE) == pytest.approx(expected, abs=130)


def test_noise_reaches_to_the_top_and_filtered_noise_to_its_filter() -> None:
    assert bandwidth_hz(noise(), RATE) == pytest.approx(8_000, abs=50)
    assert bandwidth_hz(through(noise(), 8_000), RATE) == pytest.approx(4_000, abs=200)


def test_silence_and_an_offset_change_nothing_and_have_no_bandwidth() -> None:
    tone = sine(3_000) * np.hanning(RATE).astype(np.float32)  # a tone that begins at once is a click, and wide
    assert bandwidth_hz(pad_silence(tone, RATE, 3_000, 3_000), RATE) == bandwidth_hz(tone, RATE)
    assert bandwidth_hz(sine(3_000, level_db=-62) + np.float32(0.5), RATE) == pytest.approx(3_000, abs=130)
    assert bandwidth_hz(np.zeros(RATE, np.float32), RATE) is None
    assert bandwidth_hz(np.zeros(0, np.float32), RATE) is None


@each_row(("engine", "speaker", "language"), SPEAKERS)
def test_real_speech_is_told_from_the_same_through_8_khz(engine: str, speaker: str, language: str) -> None:
    whole = at_16_khz(spoken(engine, speaker, language))
    wide, narrow = bandwidth_hz(whole, RATE), bandwidth_hz(through(whole, 8_000), RATE)
    assert wide is not None and wide > 6_500
    assert narrow is not None and 3_500 < narrow < 4_000
    level = 20 * np.log10(np.sqrt(np.mean(np.square(whole))))
    quiet = through(whole, 8_000) + noise(len(whole) / RATE, level - 45)[: len(whole)]
    assert bandwidth_hz(quiet, RATE) == pytest.approx(narrow, abs=100), "noise 45 dB below hides nothing"


@each_row(("engine", "speaker", "language"), SPEAKERS)
@each_row("cut_s", [0.08, 0.1, 0.12])
def test_real_speech_that_is_cut_off_ends_loud(engine: str, speaker: str, language: str, cut_s: float) -> None:
    clip = spoken(engine, speaker, language)
    whole = end_level_db(clip.samples, clip.sample_rate)
    end = loud_span(clip.samples)[1] - round(cut_s * clip.sample_rate)
    cut = end_level_db(clip.samples[:end], clip.sample_rate)
    assert whole is not None and whole < -40
    assert cut is not None and cut > -40


def test_the_end_is_held_against_the_loudest_part() -> None:
    loud, soft = sine(500, level_db=0), sine(500, seconds=0.1, level_db=-30)
    assert end_level_db(np.concatenate([loud, soft]), RATE) == pytest.approx(-30, abs=0.5)
    assert end_level_db(pad_silence(loud, RATE, 0, 20), RATE) == -120
    assert end_level_db(loud, RATE) == pytest.approx(0, abs=0.5)
    assert end_level_db(np.zeros(RATE, np.float32), RATE) is None
    assert end_level_db(np.zeros(0, np.float32), RATE) is None
