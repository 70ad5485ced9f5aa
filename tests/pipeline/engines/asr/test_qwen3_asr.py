"""`qwen3-asr` around its package: what the package is asked, what becomes of its answers. The package is a double:
no checkpoint of this kind could be run here."""

import sys
from collections.abc import Sequence
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from manifests.errors import EngineDied, EngineUnavailable
from manifests.reasons import Reason
from pipeline.engines.asr import qwen3_asr
from pipeline.engines.asr.qwen3_asr import Qwen3ASR, Qwen3ASRModel
from pipeline.engines.contract import Clip, Failure, Transcript

NOISE = np.random.default_rng(0).uniform(-0.3, 0.3, 40 * 16_000).astype(np.float32)


class Package:
    """What `qwen_asr.Qwen3ASRModel.from_pretrained` returns; says how long each clip is, in seconds."""

    def __init__(self) -> None:
        self.loaded: dict[str, Any] = {}
        self.asked: list[tuple[list[float], list[str]]] = []
        self.error: Exception | None = None

    def from_pretrained(self, name: str, **settings: Any) -> "Package":
        if self.error:
            raise self.error
        self.loaded = {"model": name, **settings}
        return self

    def transcribe(self, audio: Sequence[Any], language: Sequence[str]) -> list[Any]:
        if self.error:
            raise self.error
        self.asked.append(([len(samples) / rate for samples, rate in audio], list(language)))
        return [SimpleNamespace(text=f" {len(samples) // rate} seconds ") for samples, rate in audio]


@pytest.fixture
def package(monkeypatch: pytest.MonkeyPatch) -> Package:
    found = Package()
    module = ModuleType("qwen_asr")
    module.Qwen3ASRModel = found  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "qwen_asr", module)
    monkeypatch.setattr(qwen3_asr, "library_version", lambda *_: "0.1")
    return found


def engine() -> Qwen3ASR:
    return Qwen3ASR(Qwen3ASRModel(engine="qwen3-asr", model="Qwen/Qwen3-ASR-1.7B", revision="7", dtype="float32"))


def clip(seconds: float) -> Clip:
    return Clip(NOISE[: round(seconds * 16_000)], 16_000)


def test_languages_are_forced_by_name_and_batches_have_one(package: Package) -> None:
    results = engine().transcribe([clip(2), clip(3), clip(2)], ["en", "zh-CN", "en"])
    assert results == [Transcript("2 seconds"), Transcript("3 seconds"), Transcript("2 seconds")]
    assert sorted(package.asked) == [([2.0, 2.0], ["English", "English"]), ([3.0], ["Chinese"])]
    assert package.loaded["model"] == "Qwen/Qwen3-ASR-1.7B" and package.loaded["revision"] == "7"
    assert package.loaded["trust_remote_code"] is False


def test_a_long_clip_is_cut_and_joined_and_silence_is_never_asked(package: Package) -> None:
    silence = Clip(np.zeros(16_000, np.float32), 16_000)
    long, none = engine().transcribe([clip(40), silence], ["en", "en"])
    assert isinstance(long, Transcript) and long.text.count("seconds") == 2
    assert none == Transcript("") and all(seconds <= 30 for lengths, _ in package.asked for seconds in lengths)


def test_an_unknown_language_is_no_recognizer(package: Package) -> None:
    (result,) = engine().transcribe([clip(2)], ["la"])
    assert isinstance(result, Failure) and result.reason is Reason.NO_RECOGNIZER


def test_a_lost_gpu_ends_the_engine_and_a_missing_checkpoint_is_a_sentence(package: Package) -> None:
    heard = engine()
    package.error = RuntimeError("CUDA error")
    with pytest.raises(EngineDied, match="qwen3-asr stopped: CUDA error"):
        heard.transcribe([clip(2)], ["en"])
    package.error = OSError("no such repository")
    with pytest.raises(EngineUnavailable, match=r"no checkpoint could be loaded as Qwen/Qwen3-ASR-1.7B@7 \(OSError\)"):
        engine()


def test_the_version_names_checkpoint_and_package(package: Package) -> None:
    assert engine().version == "Qwen/Qwen3-ASR-1.7B@7 qwen-asr 0.1 float32"
