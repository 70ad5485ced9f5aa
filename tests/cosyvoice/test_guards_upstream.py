"""What goes wrong in upstream, or would, is a Failure with its true reason, and leaves nothing behind."""

import logging
from typing import Any

import numpy as np
import pytest
from speaking import LONG, ask, inner, named, prompted, recording, speak, vector, virtual

from manifests.errors import EngineDied, EngineUnavailable
from manifests.reasons import Reason
from pipeline.engines.contract import Failure
from pipeline.engines.tts.cosyvoice import checkpoint

WRONG = {
    "no letters": (ask(virtual(), "。。。"), "no letters"),
    "nothing": (ask(virtual(), "   "), "no letters"),
    "a control token": (ask(virtual(), "hello <|endofprompt|>"), "control token"),
    "NaN": (ask(virtual(embedding=vector(1) * np.float32(np.nan))), "NaN"),
    "zeros": (ask(virtual(embedding=np.zeros(192, np.float32))), "all zeros"),
    "narrow": (ask(virtual(embedding=vector(1)[:100])), "100; the model takes 192"),
    "two dimensions": (ask(virtual(embedding=vector(1)[None])), "1 x 192; the model"),
    "an unknown speaker": (ask(named("nobody")), "it has: sample speaker"),
    "no audio file": (ask(prompted(prompt_audio=b"RIFF")), "cannot be decoded"),
    "a long prompt": (ask(prompted(prompt_audio=recording(30.5, 16_000))), "lasts 30.50 s"),
    "a short prompt": (ask(prompted(prompt_audio=recording(0.1))), "lasts 0.10 s"),
    "a prompt of too low a rate": (ask(prompted(prompt_audio=recording(1, 8_000))), "8000 Hz"),
    "too fast": (ask(virtual(), rate=3.0), "outside"),
    "another pitch": (ask(virtual(pitch=1.2)), "pitch"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_request_is_a_failure_and_its_neighbour_is_spoken(engine: Any, case: str) -> None:
    request, detail = WRONG[case]
    wrong, right = engine.synthesize([request, ask(virtual(), "hi there")])
    assert isinstance(wrong, Failure)
    assert detail in wrong.detail
    assert not isinstance(right, Failure)


def test_what_upstreams_thread_raises_is_the_reason(engine: Any, monkeypatch: Any, capfd: Any) -> None:
    def inference(**inputs: Any) -> Any:
        yield 3
        raise RuntimeError("the true reason")

    with monkeypatch.context() as patch:
        patch.setattr(inner(engine).llm, "inference", inference)
        (failure,) = engine.synthesize([ask(virtual())])
    assert isinstance(failure, Failure)
    assert failure.detail.endswith("RuntimeError: the true reason")
    assert capfd.readouterr() == ("", "")
    assert_nothing_is_left(engine)
    speak(engine, ask(virtual()))


def assert_nothing_is_left(engine: Any) -> None:
    model = inner(engine)
    tables = ("tts_speech_token_dict", "llm_end_dict", "hift_cache_dict", "mel_overlap_dict", "flow_cache_dict")
    assert [getattr(model, table, {}) for table in tables] == [{}] * 5
    assert not [name for name in engine._upstream.frontend.spk2info if name.startswith("parley-")]


def test_no_speech_tokens_is_a_failure(engine: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(inner(engine).llm, "inference", lambda **inputs: iter(()))
    (failure,) = engine.synthesize([ask(virtual())])
    assert "and gave no speech tokens" in failure.detail


@pytest.mark.parametrize("part", ["llm", "flow"])
def test_out_of_memory_ends_the_worker_wherever_it_happens(engine: Any, monkeypatch: Any, part: str) -> None:
    import torch

    def inference(*args: Any, **inputs: Any) -> Any:
        raise torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")

    monkeypatch.setattr(getattr(inner(engine), part), "inference", inference)
    with pytest.raises(EngineDied, match="out of memory"):
        engine.synthesize([ask(virtual())])


def test_audio_that_is_not_finite_is_a_failure(engine: Any, monkeypatch: Any) -> None:
    original = inner(engine).token2wav
    monkeypatch.setattr(inner(engine), "token2wav", lambda *args, **inputs: original(*args, **inputs) * float("nan"))
    (failure,) = engine.synthesize([ask(virtual())])
    assert failure == Failure(Reason.SYNTHESIS_FAILED, "cosyvoice gave NaN or infinite samples")


def test_nothing_yielded_is_a_failure(engine: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(engine._upstream.frontend, "text_normalize", lambda *args, **inputs: [])
    (failure,) = engine.synthesize([ask(virtual())])
    assert failure == Failure(Reason.SYNTHESIS_FAILED, "cosyvoice gave no audio")


def test_upstream_is_quiet(open_engine: Any, capfd: Any) -> None:
    level, handlers = logging.getLogger().level, list(logging.getLogger().handlers)
    engine = open_engine()
    speak(engine, ask(virtual(), LONG))
    speak(engine, ask(prompted(), "short"))
    assert capfd.readouterr() == ("", "")
    assert (logging.getLogger().level, logging.getLogger().handlers) == (level, handlers)


def test_the_registry_of_speakers_does_not_grow(engine: Any) -> None:
    before = list(engine._upstream.frontend.spk2info)
    for seed in range(5):
        speak(engine, ask(virtual(seed), "hi"))
    assert list(engine._upstream.frontend.spk2info) == before


def test_a_second_version_in_the_process_is_refused(open_engine: Any, version: int, monkeypatch: Any) -> None:
    monkeypatch.setattr(checkpoint, "_version_here", version % 3 + 1)
    with pytest.raises(EngineUnavailable, match=f"version {version % 3 + 1} is loaded in this process"):
        open_engine()


@pytest.mark.parametrize("settings", [{"fp16": True}, {"serving": {"tensorrt": True}}], ids=["fp16", "tensorrt"])
def test_what_needs_a_gpu_is_refused_without_one(open_engine: Any, settings: Any) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    with pytest.raises(EngineUnavailable, match="needs a GPU"):
        open_engine(**settings)
