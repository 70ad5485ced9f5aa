import importlib.metadata
import subprocess
import sys
from collections.abc import Sequence

import numpy as np
import pytest
import soxr

from manifests.errors import EngineDied, EngineUnavailable
from manifests.reasons import Reason
from pipeline.engines.asr import pocketsphinx
from pipeline.engines.asr.pocketsphinx import PocketSphinx
from pipeline.engines.contract import Clip, Failure, SpeechRequest, Transcript
from pipeline.engines.tts.flite import Flite
from voicebank.voice import Voice

pytestmark = pytest.mark.offline

TEXTS = ("It is better to run in the morning.", "Thank you very much.")


@pytest.fixture(scope="module")
def engine() -> PocketSphinx:
    return PocketSphinx()


@pytest.fixture(scope="module")
def clips() -> list[Clip]:
    """Two sentences by two speakers: a running mean would notice."""
    voices = [Voice("v", "flite", speaker, "en", "male", rate=0.9) for speaker in ("rms", "slt")]
    spoken = Flite().synthesize(
        [SpeechRequest(text, "en", voice, 1.0, 3) for text, voice in zip(TEXTS, voices, strict=True)]
    )
    return [clip for clip in spoken if isinstance(clip, Clip)]


def _hear(engine: PocketSphinx, clips: Sequence[Clip]) -> list[Transcript | Failure]:
    return engine.transcribe(clips, ["en"] * len(clips))


def _score(engine: PocketSphinx, clip: Clip) -> tuple[Transcript | Failure, int]:
    (heard,) = _hear(engine, [clip])
    hypothesis = engine._decoder.hyp()
    return heard, hypothesis.score if hypothesis else 0


def _tone(seconds: float, sample_rate: int) -> Clip:
    time = np.arange(round(seconds * sample_rate)) / sample_rate
    return Clip((0.3 * np.sin(2 * np.pi * 220 * time)).astype(np.float32), sample_rate)


def test_hears_words(engine: PocketSphinx, clips: list[Clip]) -> None:
    assert _hear(engine, clips[:1]) == [Transcript("it is better to run in the morning")]


def test_a_decode_does_not_depend_on_clips_before(engine: PocketSphinx, clips: list[Clip]) -> None:
    """The acoustic score moves with any state that a clip leaves behind, long before the words do."""
    a, b = clips
    fresh_a, fresh_b = (_score(PocketSphinx(), clip) for clip in clips)
    assert fresh_a != fresh_b
    assert [_score(engine, clip) for clip in (a, b, a, _tone(3.0, 16_000), b)][::4] == [fresh_a, fresh_b]
    again = PocketSphinx()
    assert [_score(again, clip) for clip in (b, a, b, a)] == [fresh_b, fresh_a] * 2


@pytest.mark.parametrize("gain", [0.05, 2.5])
def test_the_level_does_not_matter(engine: PocketSphinx, clips: list[Clip], gain: float) -> None:
    changed = Clip(clips[1].samples * np.float32(gain), clips[1].sample_rate)
    assert _hear(engine, [changed]) == _hear(engine, clips[1:])


@pytest.mark.parametrize("sample_rate", [22_050, 48_000])
def test_other_sample_rates(engine: PocketSphinx, clips: list[Clip], sample_rate: int) -> None:
    clip = Clip(soxr.resample(clips[0].samples, clips[0].sample_rate, sample_rate), sample_rate)
    assert _hear(engine, [clip]) == _hear(engine, clips[:1])


@pytest.mark.parametrize(
    ("clip", "detail"),
    [
        (Clip(np.zeros(0, np.float32), 16_000), "empty"),
        (_tone(0.09, 16_000), "too short"),
        (_tone(0.09, 48_000), "too short"),
        (_tone(301.0, 16_000), "too long"),
        (Clip(np.full(16_000, np.nan, np.float32), 16_000), "NaN or infinite"),
        (Clip(np.full(16_000, np.inf, np.float32), 16_000), "NaN or infinite"),
    ],
    ids=["empty", "90 ms", "90 ms at 48 kHz", "five minutes", "nan", "inf"],
)
def test_what_cannot_be_heard_is_a_failure(engine: PocketSphinx, clip: Clip, detail: str) -> None:
    (failure,) = _hear(engine, [clip])
    assert isinstance(failure, Failure)
    assert failure.reason is Reason.RECOGNITION_FAILED
    assert detail in failure.detail


@pytest.mark.parametrize(
    "samples",
    [np.zeros(1_600), np.zeros(16_000), np.full(16_000, 9.0), np.random.default_rng(0).normal(size=16_000)],
    ids=["shortest", "silence", "overdriven", "noise"],
)
def test_odd_clips_are_transcribed(engine: PocketSphinx, samples: np.ndarray) -> None:
    (transcript,) = _hear(engine, [Clip(samples.astype(np.float32), 16_000)])
    assert isinstance(transcript, Transcript)
    assert len(transcript.text.split()) <= 2


def test_other_languages_and_order(engine: PocketSphinx, clips: list[Clip]) -> None:
    results = engine.transcribe([clips[1]] * 3, ["zh", "en", "fr"])
    assert [getattr(result, "reason", None) for result in results] == [
        Reason.NO_RECOGNIZER,
        None,
        Reason.NO_RECOGNIZER,
    ]
    assert engine.languages == {"en"}
    assert engine.transcribe([], []) == []


def test_version_records_the_settings(engine: PocketSphinx) -> None:
    assert engine.version == pocketsphinx.version()
    assert engine.version == "5.1.1 en-us cmn=batch peak=0.9 lw=5 fwdflatlw=7 bestpathlw=8 maxhmmpf=5000"
    assert engine._decoder.config["cmn"] == "batch"
    assert engine._decoder.config["lw"] == 5


def test_a_decoder_that_breaks_is_a_dead_engine(clips: list[Clip]) -> None:
    engine = PocketSphinx()
    engine._decoder.start_utt()
    with pytest.raises(EngineDied, match="pocketsphinx stopped"):
        _hear(engine, clips[:1])


def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "pocketsphinx", None)
        with pytest.raises(
            EngineUnavailable, match=r"needs the package pocketsphinx: pip install 'parley\[offline\]'"
        ):
            PocketSphinx()

    def missing(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", missing)
    with pytest.raises(EngineUnavailable, match=r"needs the package pocketsphinx: pip install 'parley\[offline\]'"):
        pocketsphinx.version()


@pytest.mark.parametrize("module", ["tts.flite", "tts.festival", "tts.espeak_ng", "asr.pocketsphinx"])
def test_importing_an_engine_is_light(module: str) -> None:
    script = (
        f"import sys, pipeline.engines.{module}\n"
        "loaded = open('/proc/self/maps').read()\n"
        "print('pocketsphinx' in sys.modules, 'libflite' in loaded, 'libespeak' in loaded)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split() == ["False"] * 3
