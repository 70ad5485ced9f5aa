import importlib.metadata
import importlib.util
import subprocess
import sys
from functools import cache

import numpy as np
import pytest

from manifests.audio import decode
from manifests.errors import EngineUnavailable
from manifests.reasons import Reason
from pipeline.audio.levels import normalize_peak
from pipeline.audio.samples import encode, resample
from pipeline.engines.asr.tone import ToneRecognizer
from pipeline.engines.contract import Clip, Detection, Failure, SpeechRequest
from pipeline.engines.tts.tone import ToneSynthesizer
from pipeline.engines.watermark import perth
from tests.tables import each_row
from voicebank.voice import Voice

HERE = all(importlib.util.find_spec(name) for name in ("perth", "torch"))
VOICE = Voice("anna", "tone", "1", "en", "female")
needs_perth = pytest.mark.skipif(not HERE, reason="needs resemble-perth and torch (the extra 'offline')")


@cache
def marker():
    return perth.PerthWatermarker()


def voiced(seconds, sample_rate=16000, pitch=120):
    """A gliding pulse-like tone with syllables and a little hiss: enough of a voice for the networks."""
    time = np.arange(round(seconds * sample_rate)) / sample_rate
    phase = 2 * np.pi * np.cumsum(pitch * (1 + 0.1 * np.sin(4 * np.pi * time))) / sample_rate
    harmonics = [np.sin(k * phase) / k for k in range(1, 20) if 1.1 * k * pitch < sample_rate / 2]
    hiss = np.random.default_rng(0).normal(0, 0.01, len(time))
    samples = sum(harmonics) * (0.3 + 0.7 * np.abs(np.sin(6 * np.pi * time))) + hiss
    return Clip(normalize_peak(samples.astype(np.float32), -3.0), sample_rate)


def mark(clip):
    (marked,) = marker().embed([clip], [0])
    assert isinstance(marked, Clip)
    return marked


def score(samples, sample_rate):
    (detection,) = marker().detect([Clip(samples, sample_rate)])
    assert isinstance(detection, Detection)
    return detection.score


@needs_perth
@each_row("sample_rate", [8000, 16000, 22050, 24000, 44100, 48000])
@each_row("seconds", [0.5, 2.0])
def test_mark_is_found_where_it_is(sample_rate, seconds):
    clip = voiced(seconds, sample_rate)
    assert score(clip.samples, sample_rate) < 0.1
    assert score(mark(clip).samples, sample_rate) > 0.95


@needs_perth
@pytest.mark.parametrize(
    "delivered",
    [
        pytest.param(lambda x: decode(encode(x, 16000, "flac")), id="flac"),
        pytest.param(lambda x: decode(encode(normalize_peak(x, -20.0), 16000, "wav")), id="quieter"),
        pytest.param(lambda x: (resample(x, 16000, 8000), 8000), id="8 kHz"),
        pytest.param(lambda x: (x[: len(x) // 2], 16000), id="second half cut off"),
    ],
)
def test_mark_survives_delivery(delivered):
    clip = voiced(2.0)
    assert score(*delivered(mark(clip).samples)) > 0.95
    assert score(*delivered(clip.samples)) < 0.1


@needs_perth
@each_row("sample_rate", [8000, 16000, 22050, 24000, 44100])
@each_row("extra", [0, 1, 79, 159, 160])
def test_marked_clip_has_the_length_of_its_input(sample_rate, extra):
    clip = voiced(0.3 + extra / sample_rate, sample_rate)
    marked = mark(clip)
    assert (marked.samples.shape, marked.sample_rate) == (clip.samples.shape, sample_rate)
    assert marked.samples.dtype == np.float32


@needs_perth
def test_the_last_samples_are_marked_too():
    clip = voiced(1.0 + 159 / 16000)
    tail = slice(-140, None)
    change = mark(clip).samples[tail] - clip.samples[tail]
    assert 0.001 < np.sqrt(np.mean(change**2)) < 0.1


@needs_perth
def test_the_mark_is_small_and_below_2_khz():
    clip = voiced(2.0, 24000)
    power = np.abs(np.fft.rfft(mark(clip).samples - clip.samples)) ** 2
    above = power[2200 * 2 :].sum()
    assert above < 1e-3 * power.sum()
    assert power.sum() < 0.1 * (np.abs(np.fft.rfft(clip.samples)) ** 2).sum()


@needs_perth
@pytest.mark.parametrize("text", ["Is it true, 3 > 2?", "今天下雨吗？", "𠮷"])
def test_tone_voices_stay_intelligible(text):
    spoken = ToneSynthesizer().synthesize([SpeechRequest(text, "en", VOICE, rate=1.0, seed=0)])
    marked = mark(spoken[0])
    assert ToneRecognizer().transcribe([marked], ["en"])[0].text == text


@needs_perth
def test_marked_samples_stay_in_range():
    assert np.abs(mark(Clip(normalize_peak(voiced(1.0).samples, 0.0), 16000)).samples).max() <= 1


@needs_perth
def test_results_depend_on_the_clip_alone():
    clips = [voiced(0.4), voiced(2.0, 24000, pitch=200), voiced(0.7, pitch=90)]
    together = marker().embed(clips, [0] * len(clips))
    alone = [mark(clip) for clip in reversed(clips)][::-1]
    assert [c.samples.tobytes() for c in together] == [c.samples.tobytes() for c in alone]
    assert marker().detect(together) == [marker().detect([clip])[0] for clip in alone]


@needs_perth
@pytest.mark.parametrize(
    ("samples", "words"),
    [
        pytest.param(np.zeros(0, np.float32), "too short", id="empty"),
        pytest.param(np.ones(512, np.float32), "too short", id="32 ms"),
        pytest.param(np.zeros(16000, np.float32), "silent", id="silence"),
        pytest.param(np.full(16000, np.nan, np.float32), "NaN", id="nan"),
    ],
)
def test_what_cannot_be_marked_is_a_failure_among_clips(samples, words):
    failed, marked = marker().embed([Clip(samples, 16000), voiced(0.5)], [0, 0])
    assert isinstance(failed, Failure)
    assert failed.reason is Reason.WATERMARK_FAILED
    assert words in failed.detail
    assert isinstance(marked, Clip)


@needs_perth
def test_detect_on_silence_and_on_too_little():
    silence, short = marker().detect([Clip(np.zeros(16000, np.float32), 16000), Clip(np.ones(512, np.float32), 16000)])
    assert silence == Detection(0.0)
    assert isinstance(short, Failure)
    assert short.reason is Reason.WATERMARK_FAILED


@needs_perth
def test_shortest_clip_can_be_marked():
    assert len(mark(Clip(voiced(0.1).samples[:513], 16000)).samples) == 513


# loading


@needs_perth
def test_loads_where_the_package_itself_would_be_none():
    """Without torchaudio, librosa, scipy and pkg_resources the package says None; its networks still work."""
    code = """
import sys, warnings
warnings.simplefilter("ignore")
for missing in ("torchaudio", "librosa", "scipy", "pkg_resources"):
    sys.modules[missing] = None
try:
    import perth as package
except ImportError:
    package = None
import numpy as np
from pipeline.engines.watermark.perth import PerthWatermarker
from pipeline.engines.contract import Clip
clip = Clip(np.random.default_rng(0).normal(0, 0.1, 16000).astype(np.float32), 16000)
marked = PerthWatermarker().embed([clip], [0])[0]
print(getattr(package, "PerthImplicitWatermarker", None), np.array_equal(marked.samples, clip.samples))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["None", "False"]


def missing_package(_):
    raise importlib.metadata.PackageNotFoundError("resemble-perth")


@pytest.mark.parametrize("ask", [perth.version, perth.PerthWatermarker])
def test_missing_package_says_what_to_install(monkeypatch, ask):
    monkeypatch.setattr(importlib.metadata, "version", missing_package)
    with pytest.raises(EngineUnavailable, match=r"pip install resemble-perth==1\.0\.1"):
        ask()


def test_another_release_is_refused(monkeypatch):
    monkeypatch.setattr(importlib.metadata, "version", lambda _: "1.1.0")
    with pytest.raises(EngineUnavailable, match=r"1\.0\.1 of its package only, not 1\.1\.0"):
        perth.PerthWatermarker()


def test_missing_torch_says_so(monkeypatch):
    monkeypatch.setattr(importlib.metadata, "version", lambda _: "1.0.1")
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(EngineUnavailable, match=r"the package torch: pip install .parley\[offline\]"):
        perth.PerthWatermarker()


@pytest.mark.parametrize("find", [lambda root: None, lambda root: importlib.util.spec_from_loader("perth", None)])
def test_package_without_files_is_unavailable(monkeypatch, find):
    pytest.importorskip("torch")
    monkeypatch.setattr(importlib.metadata, "version", lambda _: "1.0.1")
    monkeypatch.setattr(importlib.util, "find_spec", find)
    with pytest.raises(EngineUnavailable, match="damaged"):
        perth.PerthWatermarker()


@needs_perth
def test_missing_weights_are_unavailable(monkeypatch):
    monkeypatch.setattr(perth, "_WEIGHTS", "pretrained/none.pth.tar")
    with pytest.raises(EngineUnavailable, match=r"damaged.*none\.pth\.tar"):
        perth.PerthWatermarker()


@needs_perth
def test_name_and_version():
    assert (marker().name, marker().version) == ("perth", perth.version()) == ("perth", "1.0.1")


def test_asking_for_the_version_loads_no_torch():
    code = (
        "import sys\nfrom pipeline.engines.watermark import perth\n"
        "try: perth.version()\nfinally: print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=HERE)
    assert done.stdout.strip() == "False"
