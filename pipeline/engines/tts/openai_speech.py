"""Speaks by any server with OpenAI's /v1/audio/speech: OpenAI's own, vLLM-Omni, sglang-omni, Kokoro-FastAPI, gateways.

Which field of a request carries what is the server's dialect (`_dialects`): a file of data, and no code. A voice is
given as the dialect takes it: by its `speaker`, the server's name for it, by its recording, or by its embedding.
"""

import importlib.metadata
import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import Field

from manifests.errors import EngineUnavailable, RecipeError, UserError
from manifests.reasons import Reason
from pipeline.engines.contract import Clip, Engine, Failure, SpeechRequest
from pipeline.engines.remote.async_bridge import AsyncBridge
from pipeline.engines.remote.client import BackoffPolicy, HttpRequest, ServerClient
from pipeline.engines.remote.error_kinds import ErrorResponse
from pipeline.engines.tts._dialects.compose import body, style_text, voice_problem
from pipeline.engines.tts._dialects.dialect import PLAIN, Carried, SpeechDialect, load_dialect
from pipeline.engines.tts._dialects.headers import word_times
from pipeline.engines.tts._dialects.model import ServedSpeech, read_answer
from pipeline.settings import SpeechServer
from voicebank.inputs import VoiceInputs
from voicebank.voice import Voice

NAME = "openai-speech"

_PATH = "/audio/speech"
_NEEDED = frozenset({"model", "input", "voice"})
_REFUSING = frozenset({400, 404, 422})
_NO_VOICE = re.compile(
    r"voice_not_found|(?:unknown|invalid|unsupported|no such|not a valid) (?:voice|speaker)"
    r"|\b(?:voice|speaker)\b.{0,80}"
    r"(?:not found|not exist|not available|not supported|unknown|invalid|input should be)",
    re.IGNORECASE | re.DOTALL,
)


class OpenAISpeechModel(ServedSpeech):
    """Any server of the OpenAI /v1/audio/speech kind, in its own dialect."""

    engine: Literal["openai-speech"]
    send_reference: bool | None = Field(
        None, description="send a voice's recording and its text; none: as the dialect does"
    )
    send_word_times: bool = Field(
        False, description="ask for the times of words, where the dialect has a field for it"
    )
    serving: SpeechServer = Field(SpeechServer(), description="where it runs")


def version(model: OpenAISpeechModel | None = None) -> str:
    """The client library's version, or "<model>@<revision>", with the dialect and its hash where it is not OpenAI's.

    Raises RecipeError for a dialect that does not exist, or lacks what the model asks for.
    """
    if model is None:
        return importlib.metadata.version("openai")
    dialect = dialect_of(model)
    return model.label if dialect.name == PLAIN else f"{model.label} {dialect.name}-{dialect.digest}"


def dialect_of(model: OpenAISpeechModel) -> SpeechDialect:
    """Load the model's dialect; raises RecipeError where there is none, or it has no field for what is asked for."""
    dialect = load_dialect(model.dialect)
    if dialect.script and dialect.script.always:
        raise RecipeError(
            f"the dialect {dialect.name} is for whole dialogues: the engine is openai-dialogue, the stage perform"
        )
    wanted: dict[Carried, bool | None] = {
        "seed": model.send_seed,
        "recording": model.send_reference,
        "word_times": model.send_word_times,
    }
    for what, asked in wanted.items():
        if asked and what not in dialect.fields:
            why = dialect.refused.get(what, "the server has no field for it")
            raise RecipeError(f"the dialect {dialect.name} sends no {what.replace('_', ' ')}: {why}")
    return dialect


def sent_by(model: OpenAISpeechModel, dialect: SpeechDialect) -> dict[Carried, bool]:
    """Tell what the requests of the model carry."""
    settings = model.send_seed, model.send_reference, model.send_word_times
    return {what: dialect.sends(what, *settings) for what in dialect.fields}


class OpenAISpeech:
    """A SpeechSynthesizer. Many requests are in flight at once, whichever threads they come from.

    The constructor raises EngineUnavailable where the server cannot be used.
    """

    name = NAME

    def __init__(self, model: OpenAISpeechModel, backoff: BackoffPolicy | None = None) -> None:
        self.version = version(model)
        self._model = model
        self._dialect = dialect_of(model)
        self._sent = sent_by(model, self._dialect)
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
        for request in requests:
            self._check_request(request)
        return self._bridge.run(requests)

    def close(self) -> None:
        """End what is being asked. A second call does nothing."""
        self._bridge.close()

    def _check(self, voice: Voice) -> None:
        problem = voice_problem(self._dialect, voice, self._model.model, bool(self._sent.get("recording")))
        if problem:
            raise UserError(f"{NAME}: voice {voice.voice_id} {problem}")

    def _check_request(self, request: SpeechRequest) -> None:
        """Refuse what would be left out of the request without a word."""
        wanted: dict[Carried, bool] = {"speed": _speed(request) != 1, "style": bool(style_text(request.style))}
        for what, asked in wanted.items():
            if asked and what not in self._dialect.fields:
                why = self._dialect.refused.get(what, "the server has no field for it")
                raise UserError(f"{NAME}: the dialect {self._dialect.name} carries no {what}: {why}")

    async def _speak(self, request: SpeechRequest) -> Clip | Failure:
        if not request.text.strip():
            return Failure(Reason.SYNTHESIS_FAILED, "the text is empty")
        speed = _speed(request)
        slowest, fastest = self._dialect.speeds
        if not slowest <= speed <= fastest:
            return Failure(Reason.SYNTHESIS_FAILED, f"speed {speed:.3g} is not in {slowest}..{fastest}")

        def compose() -> HttpRequest:
            fields = speech_fields(self._model, self._dialect, request)
            return HttpRequest(_PATH, fields, optional=frozenset(fields.keys() - _NEEDED))

        def read(answer: bytes, headers: Mapping[str, str]) -> Clip | Failure:
            return self._read(answer, headers, request.language)

        result = await self._client.ask(compose, read, lambda error: self._give_up(error, request))
        if isinstance(result, Clip):
            self._spoken.add(request.voice.speaker)
        return result

    def _read(self, answer: bytes, headers: Mapping[str, str], language: str) -> Clip | Failure:
        rules = self._dialect.answer
        clip = read_answer(self._model, rules, answer, headers, self._client.server)
        if isinstance(clip, Failure):
            return clip
        found = word_times(rules, headers, clip, language, f"{NAME} {self.version}")
        return clip if found is None else Clip(clip.samples, clip.sample_rate, found)

    def _give_up(self, error: ErrorResponse, request: SpeechRequest) -> Failure:
        """A bank that does not fit its server would fail every row; better to say so at the first."""
        voice = request.voice.speaker
        # Servers may quote the text, and no text of a data set may stop a job.
        words = error.message.replace(request.text, "")
        if error.status in _REFUSING and voice not in self._spoken and _NO_VOICE.search(words):
            raise EngineUnavailable(f"{self._client.server} has no voice {voice!r} ({self._client.quote(error)})")
        return self._client.give_up(error)


def voice_inputs(model: OpenAISpeechModel | None = None) -> VoiceInputs:
    """What the model's dialect sends: clips, embeddings, or only the server's names of voices."""
    if model is None:
        return VoiceInputs()
    dialect = dialect_of(model)
    sent = sent_by(model, dialect)
    return VoiceInputs(
        clips=sent.get("recording", False),
        embeddings=sent.get("embedding", False),
        width=dialect.size_for(model.model),
        raw=dialect.embedding.norm == "raw",
    )


def speech_fields(model: OpenAISpeechModel, dialect: SpeechDialect, request: SpeechRequest) -> dict[str, Any]:
    """The body of the request. A speed of 1 is not sent: some servers know no other, and refuse the field."""
    sent = sent_by(model, dialect)
    return body(dialect, request, _speed(request), sent, model.base_fields, model.extra_body)


def _speed(request: SpeechRequest) -> float:
    return round(request.voice.rate * request.rate, 4)


ENGINE = Engine(
    "tts",
    "openai-speech",
    "any server of the OpenAI speech kind",
    open=OpenAISpeech,
    version=version,
    settings=OpenAISpeechModel,
    voice_inputs=voice_inputs,
)
