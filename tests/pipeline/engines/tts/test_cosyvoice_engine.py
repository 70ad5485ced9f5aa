"""The engine of CosyVoice on a double of upstream's model: batches, seeds, threads, errors, the registry."""

import random
import threading
from collections.abc import Iterator
from io import BytesIO
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import soundfile

from manifests.errors import EngineDied
from pipeline.engines.contract import Clip, Failure, SpeechRequest
from pipeline.engines.tts.cosyvoice import CosyVoiceModel
from pipeline.engines.tts.cosyvoice.checkpoint import Loaded
from pipeline.engines.tts.cosyvoice.synthesizer import CosyVoiceSynthesizer
from voicebank.voice import Voice

torch = pytest.importorskip("torch")


class Upstream:
    """Speaks one sample for each character, drawn from all generators; "raise X" raises the message X."""

    sample_rate = 24_000

    def __init__(self) -> None:
        self.frontend = SimpleNamespace(
            spk2info={"known": {"embedding": torch.ones(1, 4)}},
            device="cpu",
            tokenizer=SimpleNamespace(special_tokens={"additional_special_tokens": ["[laughter]"]}),
            frontend_zero_shot=self.read,
            text_normalize=lambda text, split, text_frontend: text,
            _extract_text_token=lambda text: (torch.tensor([[len(text)]]), torch.tensor([1])),
        )
        self.model = SimpleNamespace(flow=SimpleNamespace(spk_embed_affine_layer=SimpleNamespace(in_features=4)))
        self.spoken: list[str] = []
        self.registered: list[int] = []
        self.reads = 0
        self.meeting: threading.Barrier | None = None

    def read(self, *arguments: Any) -> dict[str, Any]:
        self.reads += 1
        return {"text": 0, "prompt_text": 0, "prompt_speech_feat": torch.zeros(1), "flow_embedding": torch.zeros(1)}

    def inference_zero_shot(self, text: str, *arguments: Any, zero_shot_spk_id: str, **settings: Any) -> Iterator[Any]:
        assert zero_shot_spk_id in self.frontend.spk2info
        self.spoken.append(text)
        self.registered.append(len(self.frontend.spk2info))
        if self.meeting:
            self.meeting.wait(timeout=60)
        if text.startswith("raise "):
            raise RuntimeError(text.removeprefix("raise "))
        drawn = torch.rand(1, len(text)) / 4 + random.random() / 4 + float(np.random.rand()) / 4
        yield {"tts_speech": drawn}
        yield {"tts_speech": drawn[:, :1]}


def open_double(**settings: Any) -> tuple[CosyVoiceSynthesizer, Upstream]:
    upstream = Upstream()
    model = CosyVoiceModel(engine="cosyvoice", model="iic/x", decoder="upstream", **settings)
    return CosyVoiceSynthesizer(model, Loaded(upstream, 1), "1"), upstream


def ask(text: str, seed: int = 1, **voice: Any) -> SpeechRequest:
    held = voice or {"embedding": np.ones(4, np.float32)}
    return SpeechRequest(text, "en", Voice("v", "cosyvoice", "known", "en", "female", **held), 1.0, seed)


def samples(result: Clip | Failure) -> list[float]:
    assert isinstance(result, Clip), result
    return list(result.samples.tolist())


def test_longest_first_but_in_the_order_of_the_requests() -> None:
    engine, upstream = open_double()
    texts = ["aa", "aaaa", "a", "aaa"]
    results = engine.synthesize([ask(text) for text in texts])
    assert upstream.spoken == ["aaaa", "aaa", "aa", "a"]
    assert [len(samples(result)) for result in results] == [3, 5, 2, 4]


def test_a_clip_is_the_same_alone_and_the_generators_are_put_back() -> None:
    engine, _ = open_double()
    torch.manual_seed(3)
    before = torch.get_rng_state(), random.getstate()
    batch = engine.synthesize([ask("one", 1), ask("twooo", 2), ask("one", 3)])
    assert samples(batch[0]) == samples(engine.synthesize([ask("one", 1)])[0])
    assert samples(batch[0]) != samples(batch[2])
    assert torch.equal(torch.get_rng_state(), before[0]) and random.getstate() == before[1]


def test_a_seed_of_63_bits_is_taken() -> None:
    engine, _ = open_double()
    assert samples(engine.synthesize([ask("a", 2**63 - 1)])[0])


def test_an_error_is_the_failure_of_its_row_alone() -> None:
    engine, _ = open_double()
    wrong, right = engine.synthesize([ask("raise at /srv/models/x.pt"), ask("fine")])
    assert isinstance(wrong, Failure) and wrong.detail == "RuntimeError: at x.pt"
    assert isinstance(right, Clip)


@pytest.mark.parametrize("threads", [1, 2])
def test_a_broken_gpu_ends_the_worker(threads: int) -> None:
    engine, _ = open_double(serving={"threads": threads, "vllm": True})
    with pytest.raises(EngineDied, match="CUDA error: illegal address"):
        engine.synthesize([ask("fine"), ask("raise CUDA error: illegal address")])


def test_threads_speak_at_the_same_time() -> None:
    engine, upstream = open_double(serving={"threads": 3, "vllm": True})
    upstream.meeting = threading.Barrier(3)
    results = engine.synthesize([ask("a"), ask("bb"), ask("ccc")])
    assert [len(samples(result)) for result in results] == [2, 3, 4]
    assert list(upstream.frontend.spk2info) == ["known"]


def test_the_registry_holds_one_entry_at_a_time() -> None:
    engine, upstream = open_double()
    engine.synthesize([ask(f"text {number}") for number in range(20)])
    assert set(upstream.registered) == {2}
    assert list(upstream.frontend.spk2info) == ["known"]


def recording(seed: int) -> bytes:
    file = BytesIO()
    soundfile.write(file, np.random.default_rng(seed).normal(size=16_000) * 0.1, 16_000, format="FLAC")
    return file.getvalue()


def test_a_recording_is_read_once_and_only_the_last_are_kept() -> None:
    engine, upstream = open_double()
    heard = [recording(seed) for seed in range(66)]
    assert samples(engine.synthesize([ask("a", prompt_audio=heard[0])] * 3)[0])
    assert upstream.reads == 1
    engine.synthesize([ask("a", prompt_audio=audio) for audio in heard])
    assert upstream.reads == 66
    assert len(engine._timbres._prompts) == 64


def test_the_models_own_speakers_are_listed_where_one_is_unknown() -> None:
    engine, upstream = open_double()
    voice = Voice("v", "cosyvoice", "nobody", "en", "female")
    (failure,) = engine.synthesize([SpeechRequest("hello", "en", voice, 1.0, 1)])
    assert isinstance(failure, Failure)
    assert failure.detail == "the model has no speaker 'nobody'; it has: known"
    assert upstream.spoken == []


@pytest.mark.parametrize("text", ["...", "", "ha [laughter] ha", "x <|endofprompt|>"])
def test_what_cannot_be_said_never_reaches_upstream(text: str) -> None:
    engine, upstream = open_double()
    (failure,) = engine.synthesize([ask(text)])
    assert isinstance(failure, Failure)
    assert upstream.spoken == []
