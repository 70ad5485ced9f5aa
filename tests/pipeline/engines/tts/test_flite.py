import ctypes
import itertools
import threading

import numpy as np
import pytest

from manifests.errors import EngineUnavailable
from manifests.reasons import Reason
from pipeline.engines.contract import Clip, Failure, SpeechRequest
from pipeline.engines.tts import flite
from pipeline.engines.tts._prosody import MAX_CHARACTERS
from pipeline.engines.tts.flite import Flite
from tests.tables import each_row
from voicebank.voice import Voice

pytestmark = pytest.mark.offline

TEXT = "The baker opens her shop before the sun is up."
SPEAKERS = ("rms", "slt", "awb", "kal16")


@pytest.fixture(scope="module")
def engine() -> Flite:
    return Flite()


def _request(
    text: str = TEXT, speaker: str = "rms", rate: float = 1.0, seed: int = 7, own_rate: float = 1.0, pitch: float = 1.0
) -> SpeechRequest:
    voice = Voice("v", "flite", speaker, "en", "male", rate=own_rate, pitch=pitch)
    return SpeechRequest(text, "en", voice, rate, seed)


def _say(engine: Flite, **changes: object) -> Clip:
    (clip,) = engine.synthesize([_request(**changes)])
    assert isinstance(clip, Clip), clip
    return clip


def _f0(clip: Clip) -> float:
    """Median over voiced 40 ms frames of the strongest autocorrelation lag between 60 and 300 Hz."""
    width, rate = clip.sample_rate // 25, clip.sample_rate
    lags = np.arange(rate // 300, rate // 60)
    found = []
    for start in range(0, len(clip.samples) - 2 * width, width):
        frame = clip.samples[start : start + 2 * width].astype(np.float64)
        power = frame[:width] @ frame[:width]
        scores = np.array([frame[:width] @ frame[lag : lag + width] for lag in lags])
        if power > 0.5 and scores.max() > 0.7 * power:
            found.append(rate / lags[scores.argmax()])
    return float(np.median(found))


@pytest.mark.parametrize("speaker", SPEAKERS)
def test_clip(engine: Flite, speaker: str) -> None:
    clip = _say(engine, speaker=speaker)
    assert clip.sample_rate == 16_000
    assert clip.samples.dtype == np.float32
    assert clip.samples.ndim == 1
    assert 1.5 < len(clip.samples) / clip.sample_rate < 5
    assert 0.1 < np.abs(clip.samples).max() <= 1.0


@pytest.mark.parametrize("speaker", SPEAKERS)
def test_no_call_leaks_into_the_next(engine: Flite, speaker: str) -> None:
    first = _say(engine, speaker=speaker)
    for other, rate, pitch in itertools.product(SPEAKERS, (0.7, 1.4), (0.8, 1.3)):
        _say(engine, text="Something else entirely!", speaker=other, rate=rate, pitch=pitch, seed=99)
    assert np.array_equal(_say(engine, speaker=speaker).samples, first.samples)
    assert np.array_equal(_say(Flite(), speaker=speaker).samples, first.samples)


def test_another_seed_is_another_take(engine: Flite) -> None:
    lengths = {len(_say(engine, seed=seed).samples) for seed in (0, 1, 2, 3, -4, 2**63)}
    assert len(lengths) == 6
    assert max(lengths) / min(lengths) < 1.1


@each_row("speaker", SPEAKERS)
@each_row("change", [{"rate": 0.7}, {"own_rate": 0.7}, {"rate": 1.4, "own_rate": 0.5}], ids=["asked", "own", "both"])
def test_rate(engine: Flite, speaker: str, change: dict[str, float]) -> None:
    normal, slow = _say(engine, speaker=speaker), _say(engine, speaker=speaker, **change)
    assert len(slow.samples) / len(normal.samples) == pytest.approx(1 / 0.7, rel=0.05)


@each_row(("speaker", "mean_hz"), [("rms", 103), ("slt", 160), ("awb", 123), ("kal16", 88)])
@each_row("pitch", [0.85, 1.0, 1.25])
def test_pitch_is_relative_to_the_speaker(engine: Flite, speaker: str, mean_hz: float, pitch: float) -> None:
    text = "We go along with our yellow umbrellas in the morning rain, all the way home."
    assert _f0(_say(engine, text=text, speaker=speaker, pitch=pitch)) == pytest.approx(mean_hz * pitch, rel=0.06)


@each_row(
    "text",
    ["“Don’t wait – it’s a café…”", "Line one.\nLine two.\tThe end.", "x", "42", "a" * 60, "Well-known; (sic)"[:12]],
)
def test_unusual_text_that_can_be_said(engine: Flite, text: str) -> None:
    assert len(_say(engine, text=text).samples) > 0


@each_row(
    ("changes", "detail"),
    [
        ({"text": ""}, "no letters"),
        ({"text": " ...!"}, "no letters"),
        ({"text": "one\0two"}, "U+0000"),
        ({"text": "one\x1btwo"}, "U+001B"),
        ({"text": "你好"}, "U+4F60"),
        ({"text": "five € please"}, "U+20AC"),
        ({"text": "a {b} c"}, "U+007B"),
        ({"text": "a" * 61}, "more than 60"),
        ({"text": "word " * (MAX_CHARACTERS // 5 + 1)}, "limit"),
        ({"speaker": "nobody"}, "'nobody'"),
        ({"rate": 0.0}, "rate 0 "),
        ({"rate": 3.0}, "rate 3 "),
        ({"rate": 2.0, "own_rate": 2.0}, "rate 4 "),
    ],
)
def test_what_cannot_be_said_is_a_failure(engine: Flite, changes: dict[str, object], detail: str) -> None:
    failure, clip = engine.synthesize([_request(**changes), _request()])
    assert isinstance(failure, Failure)
    assert failure.reason is Reason.SYNTHESIS_FAILED
    assert detail in failure.detail
    assert isinstance(clip, Clip)


def test_the_longest_text_is_said(engine: Flite) -> None:
    clip = _say(engine, text="word " * (MAX_CHARACTERS // 5), speaker="kal16")
    assert len(clip.samples) > 100 * clip.sample_rate


def test_version_names_program_and_takes() -> None:
    assert flite.version().split()[0][0].isdigit()
    assert Flite().version == flite.version()


def test_another_thread_that_draws_random_numbers_changes_nothing(engine: Flite) -> None:
    """Workers have other threads, and the C library's generator is one for the whole process."""
    libc, stop = ctypes.CDLL(None), threading.Event()

    def draw() -> None:
        while not stop.is_set():
            libc.rand()

    quiet = [_say(engine, speaker="rms").samples for _ in range(3)]
    thread = threading.Thread(target=draw)
    thread.start()
    try:
        disturbed = [_say(engine, speaker="rms").samples for _ in range(3)]
    finally:
        stop.set()
        thread.join()
    assert all(np.array_equal(samples, quiet[0]) for samples in [*quiet, *disturbed])


def test_without_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flite, "_COMMAND", "no-such-program")
    with pytest.raises(EngineUnavailable, match="Debian package flite"):
        flite.version()
    with pytest.raises(EngineUnavailable, match="Debian package flite"):
        Flite()
