"""Whisper by transformers in large batches: its features, a limit for each window, memory that is too little."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from sounds import SEVERAL, sound

from pipeline.engines.asr import _whisper_ct2
from pipeline.engines.asr._whisper_mel import LogMel
from pipeline.engines.asr.whisper import MOST_WINDOWS, Whisper, WhisperModel, open_recognizer
from pipeline.engines.contract import Samples


@pytest.fixture(scope="module")
def recognizer(whisper: dict[str, Path]) -> Whisper:
    checkpoint = str(whisper["transformers"])
    return open_recognizer(WhisperModel.model_validate({"engine": "whisper", "model": checkpoint}))


@pytest.fixture
def converted(whisper: dict[str, Path]) -> Whisper:
    settings = {"engine": "whisper", "backend": "ctranslate2", "model": str(whisper["ctranslate2"])}
    return open_recognizer(WhisperModel.model_validate(settings))


def samples(*seconds: float) -> list[Samples]:
    return [sound(second, rate=16_000).samples.astype(np.float32) for second in seconds]


def texts(recognizer: Whisper) -> list[str]:
    return [getattr(heard, "text", "") for heard in recognizer.transcribe(SEVERAL, ["en"] * len(SEVERAL))]


def test_the_features_are_those_of_the_library(recognizer: Whisper) -> None:
    import torch
    from transformers import WhisperFeatureExtractor

    extractor = WhisperFeatureExtractor(feature_size=80)
    windows = [*samples(1.0, 7.3, 0.2), np.zeros(9000, np.float32)]
    expected = extractor(windows, sampling_rate=16_000, return_tensors="pt", return_attention_mask=True)
    features, mask = LogMel(extractor, torch, "cpu")(windows)
    torch.testing.assert_close(features, expected["input_features"], atol=2e-4, rtol=0)
    assert torch.equal(mask, expected["attention_mask"].long())


@pytest.mark.parametrize("beams", [1, 2])
def test_each_window_ends_at_its_own_limit(whisper: dict[str, Path], beams: int) -> None:
    checkpoint = str(whisper["transformers"])
    model = WhisperModel.model_validate({"engine": "whisper", "model": checkpoint, "beams": beams})
    backend = open_recognizer(model)._backend
    windows, languages, limits = samples(1.0, 2.0, 1.5), ["en", "zh", "en"], [3, 40, 5]
    together = backend.decode(windows, languages, limits, 30)
    assert [(one.tokens, one.ended) for one in together[::2]] == [(3, False), (5, False)]
    for window, language, limit, one in zip(windows, languages, limits, together, strict=True):
        (alone,) = backend.decode([window], [language], [limit], 30)
        assert (alone.text, alone.tokens, alone.ended) == (one.text, one.tokens, one.ended)
        assert alone.log_probability == pytest.approx(one.log_probability, abs=1e-4)


def test_windows_of_all_lengths_share_a_batch(recognizer: Whisper, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes, decode = [], recognizer._backend.decode
    monkeypatch.setattr(recognizer._backend, "decode", lambda w, *rest: sizes.append(len(w)) or decode(w, *rest))
    recognizer.transcribe([sound(1.0), sound(6.0), sound(12.0)], ["en"] * 3)
    assert sizes == [3]


def test_a_batch_that_does_not_fit_is_halved(recognizer: Whisper, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    backend: Any = recognizer._backend
    expected = texts(recognizer)
    sizes, decode = [], backend._decode

    def with_little_memory(windows: Any, *rest: Any) -> Any:
        sizes.append(len(windows))
        if len(windows) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return decode(windows, *rest)

    monkeypatch.setattr(backend, "_decode", with_little_memory)
    assert texts(recognizer) == expected
    assert max(sizes) > 2 and sizes[-1] <= 2


def test_a_batch_takes_what_the_card_has_room_for(recognizer: Whisper, monkeypatch: pytest.MonkeyPatch) -> None:
    backend: Any = recognizer._backend
    assert backend.batch_seconds() is None, "on the CPU nothing is measured"
    held = iter([1000, 1000 + 8 * 50])
    cuda = SimpleNamespace(
        reset_peak_memory_stats=lambda device: None,
        memory_allocated=lambda device: next(held),
        max_memory_allocated=lambda device: next(held),
        empty_cache=lambda: None,
        mem_get_info=lambda device: (1000, 9999),
    )
    monkeypatch.setattr(backend, "_device", "cuda")
    monkeypatch.setattr(backend, "_torch", SimpleNamespace(cuda=cuda, OutOfMemoryError=MemoryError))
    monkeypatch.setattr(backend, "decode", lambda *given: [])
    assert backend.batch_seconds() == 12 * 30  # 0.6 of 1000 bytes for windows of 50
    held = iter([0, 8])
    assert backend.batch_seconds() == MOST_WINDOWS * 30


def test_ctranslate2s_batch_takes_what_the_card_has_room_for(
    converted: Whisper, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend: Any = converted._backend
    assert backend.batch_seconds() is None, "on the CPU nothing is measured"
    free, decoded = iter([1000, 1000 - 8 * 50]), []
    monkeypatch.setattr(_whisper_ct2, "_free_memory", lambda index: next(free))
    monkeypatch.setattr(backend, "_model", SimpleNamespace(device="cuda", device_index=[0]))
    monkeypatch.setattr(backend, "_decode", lambda windows, *rest: decoded.append(len(windows)))
    assert backend.batch_seconds() == 12 * 30  # 0.6 of 1000 bytes for windows of 50
    assert decoded == [8]


def test_a_batch_of_ctranslate2_that_does_not_fit_is_halved(
    converted: Whisper, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend: Any = converted._backend
    expected = texts(converted)
    sizes, decode = [], backend._decode

    def with_little_memory(windows: Any, *rest: Any) -> Any:
        sizes.append(len(windows))
        if len(windows) > 1:
            raise RuntimeError("CUDA failed with error out of memory")
        return decode(windows, *rest)

    monkeypatch.setattr(backend, "_decode", with_little_memory)
    assert texts(converted) == expected
    assert max(sizes) > 1
