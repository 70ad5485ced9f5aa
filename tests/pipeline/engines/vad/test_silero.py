import builtins
import importlib
import importlib.metadata
import importlib.util
import subprocess
import sys
from functools import cache

import numpy as np
import pytest

from manifests.errors import EngineUnavailable
from pipeline.audio.samples import resample, trim_silence
from pipeline.engines.contract import Clip, Failure, SpeechRequest
from pipeline.engines.tts.flite import Flite
from pipeline.engines.vad import silero
from tests.tables import each_row
from voicebank.voice import Voice

TEXT = "The baker opens her shop before the sun is up."
HERE = all(importlib.util.find_spec(name) for name in ("silero_vad", "onnxruntime", "torch"))
needs_silero = pytest.mark.skipif(not HERE, reason="needs silero-vad and onnxruntime (the extra 'voicebank')")


@cache
def detector():
    return silero.SileroDetector()


def spans(clip):
    (found,) = detector().detect_speech([clip])
    assert not isinstance(found, Failure)
    return found


@cache
def sentence():
    """Synthetic speech: float32 [T] at 16 kHz, about 2 s, without silence around it."""
    voice = Voice("v", "flite", "rms", "en", "male")
    (clip,) = Flite().synthesize([SpeechRequest(TEXT, "en", voice, rate=1.0, seed=7)])
    assert isinstance(clip, Clip)
    return trim_silence(resample(clip.samples, clip.sample_rate, 16000), -30.0)


def speech(seconds, sample_rate=16000):
    said = np.tile(sentence(), 3)[: round(seconds * 16000)]
    return resample(said, 16000, sample_rate)


def between_silences(before, seconds, after, sample_rate=16000):
    quiet = np.random.default_rng(0).normal(0, 1e-4, round((before + after) * sample_rate)).astype(np.float32)
    head = round(before * sample_rate)
    return Clip(np.concatenate([quiet[:head], speech(seconds, sample_rate), quiet[head:]]), sample_rate)


@pytest.mark.offline
@needs_silero
@each_row("sample_rate", [8000, 16000, 22050, 24000, 44100, 48000])
@each_row(("before", "seconds", "after"), [(1.0, 2.0, 1.5), (0.3, 1.0, 3.0)])
def test_speech_is_found_where_it_is(before, seconds, after, sample_rate):
    found = spans(between_silences(before, seconds, after, sample_rate))
    assert abs(found[0][0] - before) < 0.2
    assert abs(found[-1][1] - before - seconds) < 0.3
    assert sum(end - start for start, end in found) > 0.7 * seconds


@pytest.mark.offline
@needs_silero
def test_two_stretches_are_two_spans_in_order():
    one, two = between_silences(0.5, 1.0, 1.0), between_silences(0.5, 1.0, 0.5)
    found = spans(Clip(np.concatenate([one.samples, two.samples]), 16000))
    ends = [end for _, end in found]
    assert any(start > 2.5 for start, _ in found)
    assert all(end <= start for end, (start, _) in zip(ends, found[1:], strict=False))


@pytest.mark.offline
@needs_silero
@each_row("sample_rate", [11025, 16000, 44100])
@each_row("extra", range(3))
def test_spans_end_with_the_clip_at_the_latest(sample_rate, extra):
    samples = resample(speech(1.0), 16000, sample_rate)
    clip = Clip(samples[: len(samples) - extra], sample_rate)
    found = spans(clip)
    assert 0.9 < found[-1][1] <= len(clip.samples) / sample_rate
    assert found[0][0] >= 0


@needs_silero
@pytest.mark.parametrize(
    "samples",
    [
        pytest.param(np.zeros(0, np.float32), id="empty"),
        pytest.param(np.zeros(1, np.float32), id="one sample"),
        pytest.param(np.zeros(32000, np.float32), id="silence"),
        pytest.param(np.random.default_rng(1).normal(0, 0.05, 32000).astype(np.float32), id="hiss"),
    ],
)
def test_there_is_no_speech_where_nobody_speaks(samples):
    assert spans(Clip(samples, 16000)) == ()


@pytest.mark.offline
@needs_silero
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_are_no_samples_is_a_failure_among_clips(value):
    bad = speech(1.0)
    bad[5] = value
    failed, good = detector().detect_speech([Clip(bad, 16000), Clip(speech(1.0), 16000)])
    assert isinstance(failed, Failure)
    assert len(good) >= 1


@pytest.mark.offline
@needs_silero
def test_results_depend_on_the_clip_alone():
    clips = [between_silences(0.5, 1.0, 0.5), Clip(speech(0.7), 16000), between_silences(0.2, 2.0, 0.9, 24000)]
    together = detector().detect_speech(clips)
    assert together == [spans(clip) for clip in reversed(clips)][::-1]
    assert together == detector().detect_speech(clips)
    assert together == silero.SileroDetector().detect_speech(clips)


@needs_silero
def test_it_loads_where_torchaudio_does_not():
    code = """
import sys
sys.modules["torchaudio"] = None
import numpy as np
from pipeline.engines.contract import Clip
from pipeline.engines.vad.silero import SileroDetector
print(SileroDetector().detect_speech([Clip(np.zeros(16000, np.float32), 16000)]))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[()]"


@needs_silero
def test_the_version_names_every_setting():
    assert detector().version == silero.version()
    assert all(f"{name}={value:g}" in silero.version() for name, value in silero.SETTINGS.items())


def no_such_package(_):
    raise importlib.metadata.PackageNotFoundError("silero-vad")


@pytest.mark.parametrize("ask", [silero.version, silero.SileroDetector])
def test_a_missing_package_says_what_to_install(monkeypatch, ask):
    monkeypatch.setattr(importlib.metadata, "version", no_such_package)
    with pytest.raises(EngineUnavailable, match=r"silero-vad.*pip install 'parley\[voicebank\]'"):
        ask()


@pytest.mark.parametrize("package", ["onnxruntime", "silero_vad"])
def test_so_does_one_that_is_only_half_there(monkeypatch, package):
    monkeypatch.setattr(importlib.metadata, "version", lambda _: "6.2.3")
    monkeypatch.setitem(sys.modules, package, None)
    if package != "onnxruntime":
        monkeypatch.setitem(sys.modules, "onnxruntime", builtins)
    with pytest.raises(EngineUnavailable, match=rf"{package}.*parley\[voicebank\]"):
        silero.SileroDetector()
