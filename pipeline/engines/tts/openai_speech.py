"""Speaks by any server with OpenAI's /v1/audio/speech: OpenAI's own, vLLM-Omni, Kokoro-FastAPI, Speaches, gateways.

The voice's `speaker` is the server's name for it. A voice given by a recording can be used where the server accepts
recordings (`send_reference`): `ref_audio`, a data URL, and `ref_text`, as vLLM-Omni has them.
"""

import base64
import importlib.metadata
import re
from collections.abc import Mapping, Sequence
from typing import Any

from manifests.errors import EngineUnavailable, UserError
from manifests.reasons import Reason
from pipeline.engines.contract import Clip, Failure, SpeechRequest
from pipeline.engines.remote.async_bridge import Batches
from pipeline.engines.remote.client import Line, Message
from pipeline.engines.remote.clip import LossyAudio, read_clip
from pipeline.engines.remote.error_kinds import Problem
from pipeline.engines.remote.retry import Pace
from pipeline.models import OpenAISpeechModel
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


def version(model: OpenAISpeechModel | None = None) -> str:
    """The client library's version, or "<model>@<revision>"."""
    return importlib.metadata.version("openai") if model is None else model.label


class OpenAISpeech:
    """A SpeechSynthesizer. Many requests are in flight at once, whichever threads they come from.

    The constructor raises EngineUnavailable where the server cannot be used.
    """

    name = NAME

    def __init__(self, model: OpenAISpeechModel, pace: Pace | None = None) -> None:
        self.version = version(model)
        self._model = model
        self._spoken: set[str] = set()
        # Without a text it is refused at no cost, and how it is refused tells whether key and model are accepted.
        probe = Message(_PATH, {"model": model.model})
        self._line = Line(NAME, model, model.serving, Reason.SYNTHESIS_FAILED, probe, pace)
        self._batches = Batches(NAME, "the speech server", self._line, self._speak)

    def synthesize(self, requests: Sequence[SpeechRequest]) -> list[Clip | Failure]:
        """The clips, in the order of the requests.

        Raises UserError, before anything is sent, where a voice is none that the server can speak with; EngineDied
        where the server is gone, EngineUnavailable where it refuses to work for us or has no such voice.
        """
        for voice in {request.voice.voice_id: request.voice for request in requests}.values():
            self._check(voice)
        return self._batches.run(requests)

    def close(self) -> None:
        """End what is being asked. A second call does nothing."""
        self._batches.close()

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

        def message() -> Message:
            fields = speech_fields(self._model, request)
            return Message(_PATH, fields, optional=frozenset(fields.keys() - _NEEDED))

        result = await self._line.ask(message, self._read, lambda problem: self._give_up(problem, request))
        if isinstance(result, Clip):
            self._spoken.add(request.voice.speaker)
        return result

    def _read(self, body: bytes, headers: Mapping[str, str]) -> Clip:
        model = self._model
        try:
            return read_clip(body, headers, model.pcm_sample_rate if model.response_format == "pcm" else None)
        except LossyAudio as error:
            asked = model.response_format
            raise EngineUnavailable(f"{self._line.server} answers with {error} where {asked} was asked for") from None

    def _give_up(self, problem: Problem, request: SpeechRequest) -> Failure:
        """A bank that does not fit its server would fail every row; better to say so at the first."""
        voice = request.voice.speaker
        # Servers may quote the text, and no text of a data set may stop a job.
        words = problem.message.replace(request.text, "")
        if problem.status in _REFUSING and voice not in self._spoken and _NO_VOICE.search(words):
            raise EngineUnavailable(f"{self._line.server} has no voice {voice!r} ({self._line.said(problem)})")
        return self._line.give_up(problem)


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
