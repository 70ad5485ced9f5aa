"""Speaks whole dialogues by a server with OpenAI's /v1/audio/speech: MOSS-TTSD and VibeVoice on vLLM-Omni.

The server's dialect says how the script is written and how each speaker's recording is given: see
`pipeline.engines.tts._dialects`. One clip comes back, and the stage `perform` cuts it into turns.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

from pydantic import Field

from manifests.errors import RecipeError, UserError
from manifests.reasons import Reason
from pipeline.engines.contract import Clip, DialogueRequest, Engine, Failure
from pipeline.engines.remote.async_bridge import AsyncBridge
from pipeline.engines.remote.client import BackoffPolicy, HttpRequest, ServerClient
from pipeline.engines.tts._dialects.dialect import Carried, ScriptRules, SpeechDialect, load_dialect
from pipeline.engines.tts._dialects.model import ServedSpeech, read_answer
from pipeline.engines.tts._dialects.script import dialogue_body, script_problem
from pipeline.settings import Server
from voicebank.inputs import VoiceInputs

NAME = "openai-dialogue"

_PATH = "/audio/speech"
_NEEDED = frozenset({"model", "input"})


class OpenAIDialogueModel(ServedSpeech):
    """A server of the OpenAI /v1/audio/speech kind whose model speaks dialogues, in its own dialect."""

    engine: Literal["openai-dialogue"]
    dialect: str = Field(description="how a dialogue is written: `parley servers dialects`, or a YAML file")
    serving: Server = Field(Server(timeout_s=600), description="where it runs")


def version(model: OpenAIDialogueModel | None = None) -> str:
    """The client library's version, or "<model>@<revision>" with the dialect and its hash.

    Raises RecipeError for a dialect that does not exist, or has no script.
    """
    if model is None:
        import importlib.metadata

        return importlib.metadata.version("openai")
    dialect, _ = script_dialect(model)
    return f"{model.label} {dialect.name}-{dialect.digest}"


def script_dialect(model: OpenAIDialogueModel) -> tuple[SpeechDialect, ScriptRules]:
    """Load the model's dialect, which must have a script; raises RecipeError."""
    dialect = load_dialect(model.dialect)
    if dialect.script is None:
        raise RecipeError(
            f"the dialect {dialect.name} has no script for whole dialogues; vllm-omni-moss-ttsd and "
            "vllm-omni-vibevoice have one"
        )
    if model.send_seed and "seed" not in dialect.fields:
        raise RecipeError(
            f"the dialect {dialect.name} sends no seed: {dialect.refused.get('seed', 'it has no field')}"
        )
    return dialect, dialect.script


class OpenAIDialogue:
    """A DialogueSynthesizer. Many requests are in flight at once, whichever threads they come from.

    The constructor raises EngineUnavailable where the server cannot be used.
    """

    name = NAME

    def __init__(self, model: OpenAIDialogueModel, backoff: BackoffPolicy | None = None) -> None:
        self.version = version(model)
        self._model = model
        self._dialect, self._script = script_dialect(model)
        probe = HttpRequest(_PATH, {"model": model.model})  # without a text it is refused at no cost
        self._client = ServerClient(NAME, model, model.serving, Reason.SYNTHESIS_FAILED, probe, backoff)
        self._bridge = AsyncBridge(NAME, "the speech server", self._client, self._speak)

    def perform(self, requests: Sequence[DialogueRequest]) -> list[Clip | Failure]:
        """The clips, in the order of the requests.

        Raises UserError, before anything is sent, for a voice that is no recording; EngineDied where the server is
        gone, EngineUnavailable where it refuses to work for us.
        """
        for voice in {voice.voice_id: voice for request in requests for voice in request.voices}.values():
            if not voice.is_recorded:
                raise UserError(f"{NAME}: voice {voice.voice_id} has no recording, and each speaker must have one")
        return self._bridge.run(requests)

    def close(self) -> None:
        """End what is being asked. A second call does nothing."""
        self._bridge.close()

    async def _speak(self, request: DialogueRequest) -> Clip | Failure:
        if problem := script_problem(self._script, request):
            return Failure(Reason.SYNTHESIS_FAILED, problem)

        def compose() -> HttpRequest:
            model, sent = self._model, sent_by(self._model, self._dialect)
            fields = dialogue_body(self._dialect, self._script, request, sent, model.base_fields, model.extra_body)
            return HttpRequest(_PATH, fields, optional=frozenset(fields.keys() - _NEEDED))

        def read(answer: bytes, headers: Mapping[str, str]) -> Clip | Failure:
            return read_answer(self._model, self._dialect.answer, answer, headers, self._client.server)

        return await self._client.ask(compose, read)


def sent_by(model: OpenAIDialogueModel, dialect: SpeechDialect) -> dict[Carried, bool]:
    """Tell what the requests of the model carry."""
    return {what: dialect.sends(what, model.send_seed, True, False) for what in dialect.fields}


def voice_inputs(model: OpenAIDialogueModel | None = None) -> VoiceInputs:
    """What it takes: recordings alone."""
    return VoiceInputs(clips=True)


ENGINE = Engine(
    "dialogue",
    NAME,
    "whole dialogues in one call, by a server with MOSS-TTSD or VibeVoice",
    open=OpenAIDialogue,
    version=version,
    settings=OpenAIDialogueModel,
    voice_inputs=voice_inputs,
)
