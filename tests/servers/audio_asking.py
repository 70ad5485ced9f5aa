"""Speech and transcription engines for a test server, in few words."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from pipeline.engines.asr.openai_transcription import OpenAITranscription, OpenAITranscriptionModel
from pipeline.engines.contract import SpeechRequest
from pipeline.engines.tts.openai_speech import OpenAISpeech, OpenAISpeechModel
from pipeline.settings import SpeechServer
from tests.servers.asking import QUICK
from voicebank.voice import Voice


def serving(url: str | None, changes: Mapping[str, Any] | None = None) -> SpeechServer:
    driven = {"concurrency": 8, "timeout_s": 2, "attempts": 4, "patience_s": 5} | dict(changes or {})
    return SpeechServer(base_url=url, **driven)


@contextmanager
def speech(
    url: str | None, model: str = "scripted", driven: Mapping[str, Any] | None = None, **more: Any
) -> Iterator[OpenAISpeech]:
    settings = OpenAISpeechModel(engine="openai-speech", model=model, serving=serving(url, driven), **more)
    engine = OpenAISpeech(settings, QUICK)
    try:
        yield engine
    finally:
        engine.close()


@contextmanager
def transcription(
    url: str | None, model: str = "scripted", driven: Mapping[str, Any] | None = None, **more: Any
) -> Iterator[OpenAITranscription]:
    settings = OpenAITranscriptionModel(
        engine="openai-transcription", model=model, serving=serving(url, driven), **more
    )
    engine = OpenAITranscription(settings, QUICK)
    try:
        yield engine
    finally:
        engine.close()


def voice(speaker: str = "anna", **more: Any) -> Voice:
    return Voice(f"voice-{speaker}", "openai-speech", speaker, "en", "female", **more)


def say(text: str = "Rivers run.", speaker: str = "anna", rate: float = 1.0, **more: Any) -> SpeechRequest:
    return SpeechRequest(text, "en", voice(speaker, **more), rate, seed=7)
