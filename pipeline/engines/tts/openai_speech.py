"""Speaks by any server with OpenAI's /v1/audio/speech: OpenAI's own, vLLM-Omni, Kokoro-FastAPI, Speaches, gateways.

The voice's `speaker` is the server's name for it. A voice given by a recording can be used where the server accepts
recordings (`send_reference`): `ref_audio`, a data URL, and `ref_text`, as vLLM-Omni has them.
"""

import base64
import importlib.metadata
import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import Field

from manifests.errors import EngineUnavailable, UserError
from manifests.reasons import Reason
from pipeline.engines.contract import Clip, Engine, Failure, SpeechRequest
from pipeline.engines.remote.async_bridge import AsyncBridge
from pipeline.engines.remote.client import BackoffPolicy, HttpRequest, ServerClient
from pipeline.engines.remote.clip import UnusableFormat, read_clip
from pipeline.engines.remote.error_kinds import ErrorResponse
from pipeline.settings import Checkpoint, Server
from voicebank.inputs import VoiceInputs
from voicebank.voice import Voice

NAME = "openai-speech"
SLOWEST, FASTEST = 0.25, 4.0
"""Limits of `speed` in OpenAI's API reference."""

_PATH = "/audio/speech"
_NEEDED = frozenset({"model", "input", "voice"})
_SEEDS = 2**31
_REFUSING = frozenset({400, 404, 422})
_NO_VOICE = re.compile(
    r"voice_not_found|(?:unknown|invalid|unsupported|no such|not a valid) (?:voice|speaker)"
    r"|\b(?:voice|speaker)\b.{0,80}"
    r"(?:not found|not exist|not available|not supported|unknown|invalid|input should be)",
    re.IGNORECASE | re.DOTALL,
)


class OpenAISpeechModel(Checkpoint):
    """Any server of the OpenAI /v1/audio/speech kind. The voice's `speaker` is the server's name for it."""

    engine: Literal["openai-speech"]
    response_format: Literal["wav", "flac", "pcm"] = Field("wav", description="of the answer; lossless ones only")
    pcm_sample_rate: int = Field(24_000, gt=0, description="of raw pcm whose media type tells no rate, Hz")
    send_seed: bool = Field(False, description="send a `seed`, for servers that take one")
    send_reference: bool = Field(
        False,
        description="send a voice's recording as `ref_audio` and its text as `ref_text`, as vLLM-Omni takes them",
    )
    extra_body: dict[str, Any] = Field({}, description="further fields of every request, for this server")
    serving: Server = Field(Server(), description="where it runs")


def version(model: OpenAISpeechModel | None = None) -> str:
    """The client library's version, or "<model>@<revision>"."""
    return importlib.metadata.version("openai") if model is None else model.label


class OpenAISpeech:
    """A SpeechSynthesizer. Many requests are in flight at once, whichever threads they come from.

    The constructor raises EngineUnavailable where the server cannot be used.
    """

    name = NAME

    def __init__(self, model: OpenAISpeechModel, backoff: BackoffPolicy | None = None) -> None:
        self.version = version(model)
        self._model = model
        self._spoken: set[str] = set()
        # Without a text it is refused at no cost, and how it is refused tells whether key and model are accepted.
        probe = HttpRequest(_PATH, {"model": model.model})
        self._client = ServerClient(NAME, model, model.serving, Reason.SYNTHESIS_FAILED, probe, backoff)
        self._bridge = AsyncBridge(NAME, "the speech server", self._client, self._speak)

    def synthesize(self, requests: Sequence[SpeechRequest]) -> list[Clip | Failure]:
        """The clips, in the order of the requests.

        Raises UserError, before anything is sent, where a voice is none that the server can speak with; EngineDied
        where the server is gone, EngineUnavailable where it refuses to work for us or has no such voice.
        """
        for voice in {request.voice.voice_id: request.voice for request in requests}.values():
            self._check(voice)
        return self._bridge.run(requests)

    def close(self) -> None:
        """End what is being asked. A second call does nothing."""
        self._bridge.close()

    def _check(self, voice: Voice) -> None:
        what = f"{NAME}: voice {voice.voice_id}"
        if voice.pitch != 1:
            raise UserError(f"{what} has a pitch of its own, and servers of this kind cannot change the pitch")
        if voice.prompt_audio is not None:
            if not self._model.send_reference:
                raise UserError(f"{what} is a recording; set send_reference if the server of the model takes those")
        elif voice.embedding is not None:
            raise UserError(f"{what} is an embedding; servers of this kind take names or recordings")

    async def _speak(self, request: SpeechRequest) -> Clip | Failure:
        if not request.text.strip():
            return Failure(Reason.SYNTHESIS_FAILED, "the text is empty")
        speed = _speed(request)
        if not SLOWEST <= speed <= FASTEST:
            return Failure(Reason.SYNTHESIS_FAILED, f"speed {speed:.3g} is not in {SLOWEST}..{FASTEST}")

        def compose() -> HttpRequest:
            fields = speech_fields(self._model, request)
            return HttpRequest(_PATH, fields, optional=frozenset(fields.keys() - _NEEDED))

        result = await self._client.ask(compose, self._read, lambda error: self._give_up(error, request))
        if isinstance(result, Clip):
            self._spoken.add(request.voice.speaker)
        return result

    def _read(self, body: bytes, headers: Mapping[str, str]) -> Clip:
        model = self._model
        try:
            return read_clip(body, headers, model.pcm_sample_rate if model.response_format == "pcm" else None)
        except UnusableFormat as error:
            asked = model.response_format
            raise EngineUnavailable(
                f"{self._client.server} answers with {error} where {asked} was asked for; {error.hint}"
            ) from None

    def _give_up(self, error: ErrorResponse, request: SpeechRequest) -> Failure:
        """A bank that does not fit its server would fail every row; better to say so at the first."""
        voice = request.voice.speaker
        # Servers may quote the text, and no text of a data set may stop a job.
        words = error.message.replace(request.text, "")
        if error.status in _REFUSING and voice not in self._spoken and _NO_VOICE.search(words):
            raise EngineUnavailable(f"{self._client.server} has no voice {voice!r} ({self._client.quote(error)})")
        return self._client.give_up(error)


def voice_inputs(model: OpenAISpeechModel | None = None) -> VoiceInputs:
    """Clips, where the model's server takes them."""
    return VoiceInputs(clips=model is not None and model.send_reference)


def speech_fields(model: OpenAISpeechModel, request: SpeechRequest) -> dict[str, Any]:
    """The body of the request. A speed of 1 is not sent: some servers know no other, and refuse the field."""
    voice, speed = request.voice, _speed(request)
    fields: dict[str, Any] = {
        "model": model.model,
        "input": request.text,
        "response_format": model.response_format,
    }
    if voice.prompt_audio is None:
        fields["voice"] = voice.speaker
    else:  # no `voice`: vLLM-Omni refuses names that it does not know, whatever else is there
        fields["ref_audio"] = _data_url(voice.prompt_audio)
        if voice.prompt_text:
            fields["ref_text"] = voice.prompt_text
    if speed != 1:
        fields["speed"] = speed
    if model.send_seed:
        fields["seed"] = request.seed % _SEEDS
    return fields | model.extra_body


def _speed(request: SpeechRequest) -> float:
    return round(request.voice.rate * request.rate, 4)


def _data_url(audio: bytes) -> str:
    kind = "flac" if audio.startswith(b"fLaC") else "wav"
    return f"data:audio/{kind};base64,{base64.b64encode(audio).decode('ascii')}"


ENGINE = Engine(
    "tts",
    "openai-speech",
    "any server of the OpenAI speech kind",
    open=OpenAISpeech,
    version=version,
    settings=OpenAISpeechModel,
    voice_inputs=voice_inputs,
)
