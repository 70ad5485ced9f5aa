"""Any server with OpenAI's /v1/audio/transcriptions: OpenAI's own, vLLM, whisper.cpp, Speaches, gateways."""

import importlib.metadata
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from pydantic import Field

from manifests.reasons import Reason
from pipeline.audio.samples import encode
from pipeline.engines.contract import Clip, Engine, Failure, Transcript
from pipeline.engines.remote.async_bridge import AsyncBridge
from pipeline.engines.remote.client import BackoffPolicy, HttpRequest, ServerClient
from pipeline.engines.remote.transcript import read_transcript
from pipeline.settings import Checkpoint, Server

NAME = "openai-transcription"

_PATH = "/audio/transcriptions"
_NEEDED = frozenset({"model"})

_Asked = tuple[Clip, str]


class OpenAITranscriptionModel(Checkpoint):
    """Any server of the OpenAI /v1/audio/transcriptions kind."""

    engine: Literal["openai-transcription"]
    temperature: float = Field(0.0, ge=0, le=1, description="of the sampling")
    extra_body: dict[str, Any] = Field({}, description="further fields of every request, for this server")
    serving: Server = Field(Server(), description="where it runs")


def version(model: OpenAITranscriptionModel | None = None) -> str:
    """The client library's version, or "<model>@<revision>"."""
    return importlib.metadata.version("openai") if model is None else model.label


class OpenAITranscription:
    """A SpeechRecognizer. Many requests are in flight at once, whichever threads they come from.

    The clip is sent as 16-bit FLAC at its own rate, with its language. The server does not say which languages it
    knows. The constructor raises EngineUnavailable where the server cannot be used.
    """

    name = NAME
    languages: frozenset[str] | None = None

    def __init__(self, model: OpenAITranscriptionModel, backoff: BackoffPolicy | None = None) -> None:
        self.version = version(model)
        self._model = model
        # Without a clip it is refused at no cost, and how it is refused tells whether key and model are accepted.
        probe = HttpRequest(_PATH, {"model": model.model}, form=True)
        self._client = ServerClient(NAME, model, model.serving, Reason.RECOGNITION_FAILED, probe, backoff)
        self._bridge = AsyncBridge(NAME, "the transcription server", self._client, self._hear)

    def transcribe(self, clips: Sequence[Clip], languages: Sequence[str]) -> list[Transcript | Failure]:
        """What is heard in each clip, in order; `Transcript("")` where the server hears nothing.

        Raises EngineDied where the server is gone, EngineUnavailable where it refuses to work for us.
        """
        return self._bridge.run(list(zip(clips, languages, strict=True)))

    def close(self) -> None:
        """End what is being asked. A second call does nothing."""
        self._bridge.close()

    async def _hear(self, asked: _Asked) -> Transcript | Failure:
        clip, language = asked
        if not clip.samples.size or not np.isfinite(clip.samples).all():
            return Failure(Reason.RECOGNITION_FAILED, "the clip is empty or holds NaN or infinite samples")

        def compose() -> HttpRequest:
            # Only now, when its turn has come: a block's clips need not all be in memory twice. 4 ms for ten seconds.
            data = encode(clip.samples, clip.sample_rate, "flac").bytes
            fields = transcription_fields(self._model, language)
            optional = frozenset(fields.keys() - _NEEDED)
            return HttpRequest(_PATH, fields, optional, form=True, file=("clip.flac", data, "audio/flac"))

        return await self._client.ask(compose, read_transcript)


def transcription_fields(model: OpenAITranscriptionModel, language: str) -> dict[str, Any]:
    """The form's fields beside the file. `language` is an ISO 639-1 code."""
    fields = {
        "model": model.model,
        "language": language,
        "temperature": model.temperature,
        "response_format": "json",
    }
    return fields | model.extra_body


ENGINE = Engine(
    "asr",
    "openai-transcription",
    "any server of the OpenAI transcription kind",
    open=OpenAITranscription,
    version=version,
    settings=OpenAITranscriptionModel,
)
