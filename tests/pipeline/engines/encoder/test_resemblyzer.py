import importlib.metadata
import subprocess
import sys
from functools import cache

import numpy as np
import pytest
from encoder_laws import (
    check_bad_clips_are_failures,
    check_other_rates_are_resampled,
    check_results_depend_on_the_clip_alone,
    check_unit_vectors,
    check_voices_differ,
)
from speech_doubles import RATE, voice

from manifests.errors import EngineUnavailable
from pipeline.engines.contract import Clip, Failure, SpeechRequest
from pipeline.engines.encoder import resemblyzer
from voicebank.voice import Voice

pytest.importorskip("resemblyzer", reason="needs the extra 'voicebank' and resemblyzer")

SENTENCES = (
    "The harbour was quiet when the first boats came home.",
    "Nobody had thought of bringing a second pair of gloves.",
    "She counted the lamps along the road and lost her place.",
)


@cache
def encoder():
    return resemblyzer.Resemblyzer("cpu")


def test_laws():
    check_unit_vectors(encoder())
    check_voices_differ(encoder())
    check_other_rates_are_resampled(encoder(), 0.99)
    check_bad_clips_are_failures(encoder())


def test_results_depend_on_the_clip_alone():
    check_results_depend_on_the_clip_alone(encoder())


def test_a_clip_without_speech_has_no_embedding():
    """Upstream gives the embedding of an empty clip padded with zeros."""
    click = np.zeros(2 * RATE, np.float32)
    click[RATE : RATE + 40] = 0.9
    (result,) = encoder().encode([Clip(click, RATE)])
    assert isinstance(result, Failure)
    assert "of speech" in result.detail


def test_it_is_upstream():
    library = pytest.importorskip("resemblyzer")
    clip = voice(3, 140)
    upstream = library.VoiceEncoder("cpu", verbose=False).embed_utterance(library.preprocess_wav(clip.samples, RATE))
    assert encoder().encode([clip])[0].tolist() == pytest.approx(upstream.tolist(), abs=1e-6)


def test_loading_prints_nothing():
    code = "from pipeline.engines.encoder.resemblyzer import Resemblyzer; Resemblyzer('cpu')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")


@pytest.mark.offline
def test_synthetic_speakers_are_told_apart():
    from pipeline.engines.tts.flite import Flite

    speak, names = Flite(), ("rms", "slt", "awb")
    requests = [
        SpeechRequest(text, "en", Voice(name, "flite", name, "en", "male"), rate=1.0, seed=0)
        for name in names
        for text in SENTENCES
    ]
    vectors = np.stack(encoder().encode(speak.synthesize(requests)))
    similarities = vectors @ vectors.T
    same = np.kron(np.eye(3), np.ones((3, 3))).astype(bool)
    assert similarities[same].min() > similarities[~same].max()


def missing(_):
    raise importlib.metadata.PackageNotFoundError("resemblyzer")


@pytest.mark.parametrize("ask", [resemblyzer.version, resemblyzer.Resemblyzer])
def test_missing_package_says_what_to_install(monkeypatch, ask):
    monkeypatch.setattr(importlib.metadata, "version", missing)
    with pytest.raises(
        EngineUnavailable, match=r"pip install 'parley\[voicebank\]' && .*--no-deps resemblyzer==0\.1\.4"
    ):
        ask()


def test_a_device_that_is_not_there_is_no_other_one(monkeypatch):
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    with pytest.raises(EngineUnavailable, match="cannot run on 'cuda'"):
        resemblyzer.Resemblyzer("cuda")


def test_pytorch_that_runs_code_of_weight_files_is_refused(monkeypatch):
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(torch, "__version__", "2.5.1+cu124")
    with pytest.raises(EngineUnavailable, match=r"2\.6"):
        resemblyzer.Resemblyzer("cpu")
