"""Channels: where clips lie, and what noise, rooms and telephones do to them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.audio.active import active_dbfs
from pipeline.audio.channels import delayed, laid_out, limited
from pipeline.audio.convolve import convolve
from pipeline.audio.levels import level_dbfs, peak_dbfs
from pipeline.audio.noise import MadeNoise, at_snr, made_noise, repeated
from pipeline.audio.room import in_room
from pipeline.audio.telephone import Line, by_telephone
from pipeline.engines.contract import Samples

RATE = 16_000


def white(num_samples: int, seed: int = 0) -> Samples:
    return np.random.default_rng(seed).uniform(-0.4, 0.4, num_samples).astype(np.float32)


def tone(hz: float, num_samples: int = RATE, level: float = 0.1) -> Samples:
    return (level * np.sin(2 * np.pi * hz * np.arange(num_samples) / RATE)).astype(np.float32)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 400), st.integers(1, 200)), max_size=5), st.integers(600, 900))
def test_each_sample_of_a_clip_lies_where_it_starts(clips: list[tuple[int, int]], length: int) -> None:
    sounds = [(start, white(size, i)) for i, (start, size) in enumerate(clips)]
    expected = np.zeros(length, np.float32)
    for start, samples in sounds:
        for i, sample in enumerate(samples):
            expected[start + i] += sample
    assert np.array_equal(laid_out(sounds, length), expected)


@pytest.mark.parametrize(("start", "length"), [(-1, 10), (95, 6), (100, 1)])
def test_a_clip_that_sticks_out_is_refused(start: int, length: int) -> None:
    with pytest.raises(ValueError, match=f"a clip from {start}"):
        laid_out([(start, white(length))], 100)


def test_an_echo_is_later_and_ends_with_the_channel() -> None:
    assert delayed(np.arange(1, 5, dtype=np.float32), 3).tolist() == [0, 0, 0, 1]
    assert delayed(np.ones(3, np.float32), 9).tolist() == [0, 0, 0]


def test_a_channel_beyond_full_scale_becomes_quieter_as_a_whole() -> None:
    loud = tone(440, level=4.0)
    made, change_db = limited(loud)
    assert peak_dbfs(made) == pytest.approx(-1.0, abs=1e-3)
    assert made == pytest.approx(loud * 10 ** (change_db / 20), abs=1e-6)
    assert limited(tone(440))[1] == 0.0


@pytest.mark.parametrize("kind", ["white", "pink"])
@pytest.mark.parametrize("snr_db", [-10.0, 0.0, 17.3])
def test_the_ratio_is_that_of_active_speech_alone(kind: MadeNoise, snr_db: float) -> None:
    """A tone with as much silence around it, whose level while it sounds is known: -23.01 dBFS."""
    speech = np.concatenate([np.zeros(2 * RATE, np.float32), tone(400, 2 * RATE), np.zeros(4 * RATE, np.float32)])
    assert active_dbfs(speech, RATE) == pytest.approx(-23.01, abs=0.01)
    noise = at_snr(made_noise(kind, len(speech), RATE, np.random.default_rng(1)), speech, RATE, snr_db)
    assert level_dbfs(noise) == pytest.approx(-23.01 - snr_db, abs=0.1)


def test_silence_has_no_ratio() -> None:
    silence, some = np.zeros(RATE, np.float32), white(RATE)
    for noise, speech in ((silence, some), (some, silence)):
        with pytest.raises(ValueError, match="digital silence"):
            at_snr(noise, speech, RATE, 20)


def test_pink_noise_loses_three_decibels_an_octave() -> None:
    power = np.abs(np.fft.rfft(made_noise("pink", 1 << 18, RATE, np.random.default_rng(2)))) ** 2
    bands = [power[int(lo * 16) : int(2 * lo * 16)].mean() for lo in (250, 500, 1000, 2000)]
    assert np.diff(10 * np.log10(bands)) == pytest.approx([-3.01] * 3, abs=0.3)


def test_a_short_recording_is_repeated_without_a_gap() -> None:
    made = repeated(white(5_000), 40_000, RATE)
    levels = np.sqrt(np.square(made.reshape(-1, 400)).mean(axis=1))
    assert len(made) == 40_000
    assert levels.min() > 0.7 * levels.mean() and levels.max() < 1.3 * levels.mean()
    assert np.array_equal(repeated(white(5_000), 3_000, RATE), white(5_000)[:3_000])


@pytest.mark.parametrize(("length", "taps", "delay"), [(40_000, 700, 100), (5, 9, 8), (20_000, 16_000, 0)])
def test_blocks_give_what_one_convolution_gives(length: int, taps: int, delay: int) -> None:
    samples, kernel = white(length), white(taps, 1)
    whole = np.convolve(samples.astype(np.float64), kernel)[delay : delay + length]
    assert convolve(samples, kernel, delay) == pytest.approx(whole, abs=1e-4)


def test_a_room_adds_to_the_sound_and_does_not_move_it() -> None:
    response = np.zeros(4_000, np.float32)
    response[[120, 900, 2_500]] = -0.5, 0.25, 0.1  # the direct sound may come late, quiet and upside down
    dry = tone(300, 8_000)
    made = in_room(dry, response)
    assert made[:780] == pytest.approx(dry[:780], abs=1e-6)
    assert made[780:2_380] == pytest.approx(dry[780:2_380] - 0.5 * dry[:1_600], abs=1e-6)
    with pytest.raises(ValueError, match="silent"):
        in_room(dry, np.zeros(10, np.float32))


@pytest.mark.parametrize("line", ["band", "mu-law", "a-law", "gsm"])
@pytest.mark.parametrize("rate", [8_000, 16_000, 24_000])
def test_a_line_keeps_its_band_and_its_time(line: Line, rate: int) -> None:
    seconds = np.arange(2 * rate) / rate
    sweep = (0.3 * np.sin(2 * np.pi * (400 + 500 * seconds) * seconds)).astype(np.float32)
    made = by_telephone(sweep, rate, line)
    assert made.shape == sweep.shape
    assert np.corrcoef(made[rate // 8 : -rate // 8], sweep[rate // 8 : -rate // 8])[0, 1] > 0.9
    hum = (0.3 * np.sin(2 * np.pi * 100 * seconds)).astype(np.float32)
    if line != "gsm":  # GSM fills what is nearly silent with noise of its own
        assert level_dbfs(by_telephone(hum, rate, line)) < level_dbfs(hum) - 40
