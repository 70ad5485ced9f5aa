"""Voices, requests, and spies on upstream's modules."""

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any

import numpy as np
import soundfile
from tiny_cosyvoice import NAMED_SPEAKER

from pipeline.engines.contract import Clip, Samples, SpeechRequest
from pipeline.engines.tts.cosyvoice.synthesizer import CosyVoiceSynthesizer
from voicebank.voice import Voice

TEXT = "hello world, how are you?"
LONG = "This is quite a long sentence about nothing at all, and it goes on and on. " * 4


def vector(seed: int) -> Samples:
    drawn = np.random.default_rng(seed).normal(size=192).astype(np.float32)
    return drawn / np.linalg.norm(drawn)


def recording(seconds: float = 2.0, sample_rate: int = 24_000, codec: str = "WAV") -> bytes:
    noise = np.random.default_rng(3).normal(size=int(seconds * sample_rate)) * 0.1
    file = BytesIO()
    soundfile.write(file, noise, sample_rate, format=codec)
    return file.getvalue()


def virtual(seed: int = 1, **more: Any) -> Voice:
    return Voice(f"v{seed}", "cosyvoice", "", "en", "female", **{"embedding": vector(seed), **more})


def prompted(**more: Any) -> Voice:
    told = {"prompt_audio": recording(), "prompt_text": "this is what was said"}
    return Voice("p", "cosyvoice", "", "en", "female", **{**told, **more})


def named(speaker: str = NAMED_SPEAKER) -> Voice:
    return Voice("n", "cosyvoice", speaker, "en", "female")


def ask(voice: Voice, text: str = TEXT, seed: int = 5, language: str = "en", rate: float = 1.0) -> SpeechRequest:
    return SpeechRequest(text, language, voice, rate, seed)


def speak(engine: CosyVoiceSynthesizer, request: SpeechRequest) -> Samples:
    (clip,) = engine.synthesize([request])
    assert isinstance(clip, Clip), clip
    return clip.samples


def inner(engine: CosyVoiceSynthesizer) -> Any:
    """Upstream's object that holds the networks."""
    return engine._upstream.model


@contextmanager
def pieces_of(engine: CosyVoiceSynthesizer) -> Iterator[list[dict[str, Any]]]:
    """What is sent to upstream's `model.tts` for each piece of text, while the block lasts."""
    model, sent = inner(engine), []
    original = model.tts

    def tts(**inputs: Any) -> Any:
        sent.append(inputs)
        return original(**inputs)

    model.tts = tts
    try:
        yield sent
    finally:
        model.tts = original


@contextmanager
def tokens_of(engine: CosyVoiceSynthesizer) -> Iterator[list[list[int]]]:
    """The speech tokens that the language model gave, for each piece of text."""
    model, heard = inner(engine), []
    original = model.token2wav

    def token2wav(token: Any, **inputs: Any) -> Any:
        heard.append(token.flatten().tolist())
        return original(token=token, **inputs)

    model.token2wav = token2wav
    try:
        yield heard
    finally:
        model.token2wav = original


@contextmanager
def inputs_of(layer: Any) -> Iterator[list[Samples]]:
    """The inputs of a layer, while the block lasts."""
    seen: list[Samples] = []
    hook = layer.register_forward_hook(lambda _, inputs, __: seen.append(inputs[0].detach().cpu().numpy().copy()))
    try:
        yield seen
    finally:
        hook.remove()
