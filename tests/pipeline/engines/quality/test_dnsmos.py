import importlib.metadata
from functools import cache

import numpy as np
import pytest

from manifests.errors import EngineUnavailable
from manifests.reasons import Reason
from pipeline.engines.contract import Clip, Failure, SpeechRequest
from pipeline.engines.quality import dnsmos
from voicebank.voice import Voice

pytest.importorskip("speechmos", reason="needs the extra 'voicebank'")
pytest.importorskip("onnxruntime", reason="needs the extra 'voicebank'")

RATE = 16_000
NAMES = ("dnsmos_ovrl", "dnsmos_sig", "dnsmos_bak", "dnsmos_p808")


@cache
def engine():
    return dnsmos.Dnsmos()


def hum(seconds, rate=RATE, gain=0.3):
    time = np.arange(round(seconds * rate)) / rate
    tones = sum(np.sin(2 * np.pi * k * 130 * time) / k for k in range(1, 12))
    return Clip((gain * tones * np.abs(np.sin(7 * time)) / 2).astype(np.float32), rate)


def scores(clip):
    (rated,) = engine().predict([clip])
    assert not isinstance(rated, Failure), rated
    return rated


def test_scores_are_mean_opinions():
    assert engine().scores == NAMES
    rated = scores(hum(2))
    assert tuple(rated) == NAMES
    assert all(type(value) is float and 0.5 < value < 5 for value in rated.values())


def test_it_is_the_library():
    library = pytest.importorskip("speechmos.dnsmos")
    clip = hum(3)
    theirs = library.run(clip.samples, RATE)
    ours = scores(clip)
    assert [ours[name] for name in NAMES] == pytest.approx(
        [theirs[name] for name in ("ovrl_mos", "sig_mos", "bak_mos", "p808_mos")], abs=1e-4
    )


def test_scores_depend_on_the_clip_alone():
    clips = [hum(1.2), hum(10), hum(2, 24_000)]
    together = engine().predict(clips)
    assert together == [scores(clip) for clip in reversed(clips)][::-1]


def test_samples_beyond_full_scale_are_clipped():
    loud = hum(2, gain=1.5)
    assert np.abs(loud.samples).max() > 1
    assert scores(loud) == scores(Clip(np.clip(loud.samples, -1, 1), RATE))


def test_what_cannot_be_rated_is_a_failure_among_clips():
    unfit = [
        (np.zeros(0, np.float32), "at least 1 s"),
        (hum(0.99).samples, "at least 1 s"),
        (np.zeros(2 * RATE, np.float32), "silent"),
        (np.full(2 * RATE, np.nan, np.float32), "NaN"),
    ]
    *failed, rated = engine().predict([*(Clip(samples, RATE) for samples, _ in unfit), hum(1)])
    assert not isinstance(rated, Failure)
    for failure, (_, words) in zip(failed, unfit, strict=True):
        assert isinstance(failure, Failure)
        assert failure.reason is Reason.MEASUREMENT_FAILED
        assert words in failure.detail


def test_version_names_both_packages():
    assert engine().version.split()[::2] == ["speechmos", "onnxruntime"]


def test_missing_package_says_what_to_install(monkeypatch):
    def missing(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", missing)
    with pytest.raises(EngineUnavailable, match=r"needs the package speechmos: pip install 'parley\[quality\]'"):
        dnsmos.Dnsmos()


# order of degraded speech


def noisy(samples, snr_db):
    noise = np.random.default_rng(0).normal(0, 1, len(samples))
    gain = np.sqrt(np.mean(samples**2) / np.mean(noise**2)) * 10 ** (-snr_db / 20)
    return (samples + gain * noise).astype(np.float32)


def low_passed(samples, hertz):
    spectrum = np.fft.rfft(samples)
    spectrum[np.fft.rfftfreq(len(samples), 1 / RATE) > hertz] = 0
    return np.fft.irfft(spectrum, len(samples)).astype(np.float32)


def driven(samples, db):
    """So many dB louder than full scale allows, and cut off there."""
    return np.clip(samples / np.abs(samples).max() * 10 ** (db / 20), -1, 1).astype(np.float32)


def spoken():
    from pipeline.engines.tts.flite import Flite

    texts = (
        "The harbour was quiet when the first boats came home, and the gulls had not woken yet.",
        "Nobody had thought of bringing a second pair of gloves, so they took turns with the rope.",
    )
    requests = [
        SpeechRequest(text, "en", Voice(name, "flite", name, "en", "female"), rate=1.0, seed=0)
        for text, name in zip(texts, ("slt", "rms"), strict=True)
    ]
    return Flite().synthesize(requests)


@pytest.mark.offline
def test_degraded_speech_scores_less():
    for clip in spoken():
        clean = scores(clip)
        ladder = [clean] + [scores(Clip(noisy(clip.samples, snr), RATE)) for snr in (20, 10, 0)]
        for name in ("dnsmos_ovrl", "dnsmos_bak", "dnsmos_p808"):
            values = [rated[name] for rated in ladder]
            assert values == sorted(values, reverse=True), name
            assert values[0] - values[-1] > 0.5, name
        dull = scores(Clip(low_passed(clip.samples, 2000), RATE))
        assert dull["dnsmos_p808"] < clean["dnsmos_p808"]
        rough = scores(Clip(driven(clip.samples, 30), RATE))
        assert rough["dnsmos_p808"] < clean["dnsmos_p808"]
        assert rough["dnsmos_ovrl"] < clean["dnsmos_ovrl"]
