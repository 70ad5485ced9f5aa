"""Guard, windows and batches, without any model."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sounds import silence, sound

from pipeline.audio.levels import loudest_dbfs
from pipeline.engines.asr._chunked_decoding import AudioWindow, WindowDecoder, WindowTranscript, transcribe
from pipeline.engines.asr._windows import SHORTEST_S, WINDOW_S, cut_windows
from pipeline.engines.contract import Clip, Failure, Transcript
from pipeline.engines.shared.batches import cut_batches
from pipeline.engines.shared.silence_guard import SAMPLE_RATE, prepare
from tests.tables import each_row


@pytest.mark.parametrize(
    ("seconds", "batch_s", "expected"),
    [
        pytest.param([], 10, [], id="nothing"),
        pytest.param([1, 5, 3], 100, [[1, 2, 0]], id="all in one, the longest first"),
        pytest.param([1, 5, 3], 10, [[1, 2], [0]], id="each counts as the longest"),
        pytest.param([20, 1, 1], 10, [[0], [1, 2]], id="one that is too long is alone"),
        pytest.param([2, 2, 2, 2], 4, [[0, 1], [2, 3]], id="equals keep their order"),
    ],
)
def test_batches(seconds: list[float], batch_s: float, expected: list[list[int]]) -> None:
    assert cut_batches(seconds, batch_s) == expected


@given(st.lists(st.floats(0.1, 40), max_size=60), st.floats(1, 300))
def test_every_clip_is_in_one_batch_and_none_costs_too_much(seconds: list[float], batch_s: float) -> None:
    batches = cut_batches(seconds, batch_s)
    assert sorted(i for batch in batches for i in batch) == list(range(len(seconds)))
    assert all(len(batch) * max(seconds[i] for i in batch) <= batch_s or len(batch) == 1 for batch in batches)


@each_row("seconds", [0.5, 29.9, 30.0, 30.1, 34.9, 35.1, 60.0, 95.5])
def test_windows_together_are_the_clip(seconds: float) -> None:
    samples = sound(seconds).samples
    windows = cut_windows(samples)
    assert np.array_equal(np.concatenate(windows), samples)
    assert all(len(window) <= WINDOW_S * SAMPLE_RATE for window in windows)
    assert len(windows) == 1 or min(len(w) for w in windows) >= SHORTEST_S * SAMPLE_RATE
    assert len(windows) <= int(seconds / 20) + 1


@pytest.mark.parametrize("pause_at", [21.0, 24.3, 28.7])
def test_a_clip_is_cut_in_its_pause(pause_at: float) -> None:
    samples = np.concatenate([sound(pause_at).samples, silence(0.3).samples, sound(40 - pause_at).samples])
    first = cut_windows(samples)[0]
    assert pause_at < len(first) / SAMPLE_RATE < pause_at + 0.3


@pytest.mark.parametrize(
    ("level_dbfs", "heard"), [(-20.0, True), (-50.0, True), (-58.0, True), (-62.0, False), (-96.0, False)]
)
def test_the_level_of_the_loudest_50_ms_decides(level_dbfs: float, heard: bool) -> None:
    amplitude = 2**0.5 * 10 ** (level_dbfs / 20)
    tone = amplitude * np.sin(2 * np.pi * 400 * np.arange(1600) / 16_000)
    clip = Clip(np.concatenate([np.zeros(20_000), tone, np.zeros(20_000)]).astype(np.float32), 16_000)
    assert loudest_dbfs(clip.samples, 16_000) == pytest.approx(level_dbfs, abs=0.5)
    assert (prepare(clip) == Transcript("")) is not heard if not heard else isinstance(prepare(clip), np.ndarray)


def decoder(results: dict[int, WindowTranscript | Failure]) -> WindowDecoder:
    """Hears, in a window of so many seconds, what the table says."""
    return WindowDecoder(
        decode=lambda windows: [results[round(window.seconds)] for window in windows],
        group=lambda seconds, language: language,
        refuse=lambda language: None,
        batch_s=100,
    )


def test_what_the_windows_hold_is_joined() -> None:
    long = Clip(np.concatenate([sound(25).samples, silence(0.4).samples, sound(9.6).samples]), 16_000)
    heard: dict[int, WindowTranscript | Failure] = {
        25: WindowTranscript(" one two ", -0.2, 0.9, 3),
        10: WindowTranscript("three", -0.8, 0.1, 1),
    }
    assert transcribe([long], ["en"], decoder(heard)) == [Transcript("one two three", pytest.approx(-0.35), 0.1)]
    assert transcribe([long], ["zh"], decoder(heard)) == [Transcript("one twothree", pytest.approx(-0.35), 0.1)]


def test_a_window_without_a_sound_is_not_heard() -> None:
    long = Clip(np.concatenate([sound(25).samples, silence(30).samples]), 16_000)
    seen: list[float] = []

    def hear(windows: object) -> list[WindowTranscript]:
        seen.extend(window.seconds for window in windows)  # type: ignore[attr-defined]
        return [WindowTranscript("yes")]

    one = WindowDecoder(hear, lambda seconds, language: language, lambda language: None, 100)
    assert transcribe([long], ["en"], one) == [Transcript("yes")]
    assert len(seen) == 1


def test_a_broken_clip_fails_alone_however_the_clips_are_batched() -> None:
    """Each window is heard as its length; three clips to a batch, some of several windows."""
    clips = [sound(seconds) for seconds in (3.0, 41.0, 7.0, 12.0, 9.0, 1.0, 30.0, 65.0)]
    clips[3] = Clip(np.full(48_000, np.nan, np.float32), 16_000)
    clips[5] = Clip(np.zeros(0, np.float32), 16_000)
    clips[6] = silence(30.0)
    batches: list[int] = []

    def hear(windows: Sequence[AudioWindow]) -> list[WindowTranscript]:
        batches.append(len(windows))
        return [WindowTranscript(f"{window.seconds:.2f}") for window in windows]

    def heard(batch_s: float) -> list[Transcript | Failure]:
        one = WindowDecoder(hear, lambda seconds, language: language, lambda language: None, batch_s)
        return transcribe(clips, ["en"] * len(clips), one)

    results = heard(30.0)
    assert len(batches) > 3
    assert results == heard(1000.0) and batches[-1] == 8
    assert [type(result) for result in results].count(Failure) == 2
    assert isinstance(results[3], Failure) and isinstance(results[5], Failure)
    assert results[0] == Transcript("3.00") and results[6] == Transcript("")


def test_a_loop_that_was_cut_off_tells_more_than_the_cut() -> None:
    loop = WindowTranscript("and then " * 30, -0.1, 0.0, 60, ended=False)
    (result,) = transcribe([sound(10)], ["en"], decoder({10: loop}))
    assert isinstance(result, Transcript)
    (result,) = transcribe(
        [sound(10)], ["en"], decoder({10: WindowTranscript("I was about to", -0.1, 0.0, 4, ended=False)})
    )
    assert isinstance(result, Failure)
