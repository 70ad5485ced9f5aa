"""Any server with the OpenAI chat API: OpenAI's own, vLLM, llama.cpp, SGLang, gateways.

`ServerClient` (`pipeline.engines.remote`) gets a request to the server and back; here stands what is in it. Servers
know different parts of the API: `Dialect` is what one server understands, found out by what it refuses.
"""

import importlib.metadata
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from manifests.reasons import Reason
from manifests.storage import Place
from pipeline.engines.contract import ChatMessage, ChatModel, ChatReply, ChatRequest, Failure, TextGenerator
from pipeline.engines.remote.client import Attempts, BackoffPolicy, HttpRequest, ServerClient
from pipeline.engines.remote.error_kinds import ErrorKind, ErrorResponse
from pipeline.engines.remote.limiter import Limiter
from pipeline.engines.text._chat.answers import CachedChatModel
from pipeline.engines.text._chat.completion import read_completion
from pipeline.engines.text._chat.generator import Asked, PromptedGenerator
from pipeline.engines.text._settings import HOW_TO_ASK
from pipeline.engines.text.openai import OpenAIModel

RUNGS = ("json_schema", "json_object with schema", "json_object", "plain")
"""Ways to hold an answer to a schema, the strictest first: that of OpenAI and vLLM, that of llama.cpp, that of servers
which know JSON but no schemas, and none (the prompt says it in words)."""

DROPPABLE = frozenset({"seed", "top_p"})
"""Fields that the corpus can do without. A server that refuses any other field does not suit the recipe."""

CHANGES = len(RUNGS) - 1 + len(DROPPABLE) + 2
"""The most changes that a dialect can go through."""

_PATH = "/chat/completions"
_REQUIRED = frozenset({"model", "messages", "response_format"})
"""Fields that a refusal is never about: of formats, there are others to try."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Dialect:
    """What one server understands of the API. The model starts with the full dialect and replaces it by a poorer one
    when the server refuses a field, so that each refusal is met once and not for every request."""

    rung: int = 0
    dropped: frozenset[str] = frozenset()
    limit_field: str = "max_tokens"
    system_in_user: bool = False

    @property
    def guidance(self) -> str:
        """How answers are held to a schema, for people."""
        return RUNGS[self.rung]

    def without(self, error: ErrorResponse) -> "Dialect | None":
        """Return the dialect that avoids the error; None if there is none."""
        if error.kind is ErrorKind.FORMAT and self.rung < len(RUNGS) - 1:
            return replace(self, rung=self.rung + 1)
        if error.kind is ErrorKind.SYSTEM_ROLE and not self.system_in_user:
            return replace(self, system_in_user=True)
        if error.kind is not ErrorKind.PARAMETER or error.parameter is None:
            return None
        if error.parameter == "max_tokens" == self.limit_field:
            return replace(self, limit_field="max_completion_tokens")
        if error.parameter in DROPPABLE - self.dropped:
            return replace(self, dropped=self.dropped | {error.parameter})
        return None

    def fields(self, settings: OpenAIModel, request: ChatRequest) -> dict[str, Any]:
        """Return the body of the HTTP request."""
        fields: dict[str, Any] = {
            "model": settings.model,
            "messages": [{"role": m.role, "content": m.content} for m in self._messages(request)],
            "temperature": settings.temperature if request.temperature is None else request.temperature,
            "top_p": settings.top_p,
            "seed": request.seed,
            self.limit_field: settings.max_tokens,
        }
        for name in self.dropped:
            del fields[name]
        if request.schema is not None and self.rung < len(RUNGS) - 1:
            fields["response_format"] = _response_format(self.rung, request.schema)
        if settings.template_options:
            fields["chat_template_kwargs"] = settings.template_options
        return fields | settings.extra_body

    def _messages(self, request: ChatRequest) -> tuple[ChatMessage, ...]:
        """Return the messages, those of the system put before the first one of the user if the server wants it so."""
        if not self.system_in_user:
            return request.messages
        system = [message.content for message in request.messages if message.role == "system"]
        first, *rest = (message for message in request.messages if message.role != "system")
        return (ChatMessage(first.role, "\n\n".join([*system, first.content])), *rest)


class OpenAIChat:
    """A ChatModel. The constructor raises EngineUnavailable if the address or the key cannot be right."""

    name = "openai"

    def __init__(self, settings: OpenAIModel, backoff: BackoffPolicy | None = None) -> None:
        self.version = version(settings)
        self.dialect = Dialect()
        self._settings = settings
        one_token = {"model": settings.model, "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 1}
        probe = HttpRequest(_PATH, one_token)
        self._client = ServerClient(self.name, settings, settings.serving, Reason.TEXT_ENGINE_FAILED, probe, backoff)

    @property
    def limiter(self) -> Limiter:
        return self._client.limiter

    async def start(self) -> None:
        await self._client.start()

    async def complete(self, request: ChatRequest) -> ChatReply | Failure:
        return await self._client.retry(partial(self._attempt, request))

    async def close(self) -> None:
        await self._client.close()

    async def _attempt(self, request: ChatRequest, attempts: Attempts) -> ChatReply | Failure:
        """Make one attempt. A field that the server refuses is left out and the request sent again at once: the
        request is not at fault, so this does not count as an attempt."""
        dialect = self.dialect

        def compose() -> HttpRequest:
            nonlocal dialect
            dialect = self.dialect  # other requests may have changed it while this one waited
            fields = dialect.fields(self._settings, request)
            return HttpRequest(_PATH, fields, optional=frozenset(fields.keys() - _REQUIRED))

        changes = 0
        while True:
            answer = await self._client.send(attempts, compose, read_completion)
            if not isinstance(answer, ErrorResponse):
                return answer
            changed = dialect.without(answer)
            if changed is None or changes == CHANGES:
                return self._give_up(answer)
            if self.dialect == dialect:  # otherwise another request has just changed it
                self._change(changed, answer)
            changes += 1

    def _change(self, dialect: Dialect, error: ErrorResponse) -> None:
        if error.kind is ErrorKind.FORMAT:
            _log.info("%s: answers are held to their schema as: %s", self._client.server, dialect.guidance)
        elif error.kind is ErrorKind.SYSTEM_ROLE:
            _log.warning("%s takes no system message: it is put before the user's", self._client.server)
        else:
            _log.warning("%s does not take %s: it is left out or renamed", self._client.server, error.parameter)
        self.dialect = dialect

    def _give_up(self, error: ErrorResponse) -> Failure:
        """Make the Failure of a request that no retry helps. Raises EngineUnavailable if none would fare better."""
        match error.kind:
            case ErrorKind.TOO_LONG:
                return Failure(Reason.TOO_LONG, "longer than the model's context")
            case ErrorKind.REFUSED:
                return Failure(Reason.REFUSED, self._client.quote(error))
            case _:
                return self._client.give_up(error)


def version(model: OpenAIModel | None = None) -> str:
    """Return the version of the client library, or "<model>@<revision>"."""
    return importlib.metadata.version("openai") if model is None else model.label


def identity(model: OpenAIModel) -> dict[str, Any]:
    """Return what the model's answers depend on besides the request, which is not where the model runs.

    This has the whole path of a local checkpoint, since two checkpoints of the same name are two models. Only a hash
    of it is ever written.
    """
    return model.model_dump(mode="json", exclude={"serving", *HOW_TO_ASK}) | {"model": model.model}


def open_generator(model: OpenAIModel, answers: Place | None) -> TextGenerator:
    """Open the engine that the registry names. Raises EngineUnavailable if the server cannot be used."""
    chat: ChatModel = OpenAIChat(model)
    if answers is not None:
        chat = CachedChatModel(chat, answers, identity(model))
    return PromptedGenerator(chat, Asked.of(model))


def _response_format(rung: int, schema: Mapping[str, object]) -> dict[str, Any]:
    if rung == 0:
        return {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": dict(schema)}}
    return {"type": "json_object", "schema": dict(schema)} if rung == 1 else {"type": "json_object"}
