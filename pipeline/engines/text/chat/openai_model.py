"""Any server of the OpenAI chat kind: OpenAI's own, vLLM, llama.cpp, SGLang, gateways.

How a request gets there and back is the line's business (`pipeline.engines.remote`); what is said in it, and to which
server in which dialect, is decided here.
"""

import importlib.metadata
import json
import logging
from collections.abc import Mapping
from typing import Any

from manifests.reasons import Reason
from manifests.storage import Place
from pipeline.engines.contract import ChatModel, ChatReply, ChatRequest, Failure, TextGenerator
from pipeline.engines.remote.client import ErrorWithin, Line, Message, status_within
from pipeline.engines.remote.error_kinds import Meaning, Problem
from pipeline.engines.remote.limiter import Limiter
from pipeline.engines.remote.retry import Course, Fault, Pace
from pipeline.engines.text.chat.answers import Remembering
from pipeline.engines.text.chat.completion import NotACompletion, read_completion
from pipeline.engines.text.chat.dialect import CHANGES, Dialect, optional_fields
from pipeline.engines.text.openai import OpenAIModel

_PATH = "/chat/completions"

_log = logging.getLogger(__name__)


class OpenAIChat:
    """A ChatModel. The constructor raises EngineUnavailable where address or key cannot be right."""

    name = "openai"

    def __init__(self, settings: OpenAIModel, pace: Pace | None = None) -> None:
        self.version = version(settings)
        self.dialect = Dialect()
        self._settings = settings
        one_token = {"model": settings.model, "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 1}
        probe = Message(_PATH, one_token)
        self._line = Line(self.name, settings, settings.serving, Reason.TEXT_ENGINE_FAILED, probe, pace)

    @property
    def limiter(self) -> Limiter:
        return self._line.limiter

    async def start(self) -> None:
        await self._line.start()

    async def complete(self, request: ChatRequest) -> ChatReply | Failure:
        return await self._line.repeat(lambda course: self._try(request, course))

    async def close(self) -> None:
        await self._line.close()

    async def _try(self, request: ChatRequest, course: Course) -> ChatReply | Failure:
        """One try. A refused field is left out at once: that is no fault of the request and costs no attempt."""
        dialect = self.dialect

        def message() -> Message:
            nonlocal dialect
            dialect = self.dialect  # what others have found out while this one waited is in it
            fields = dialect.fields(self._settings, request)
            return Message(_PATH, fields, optional=optional_fields(fields))

        changes = 0
        while True:
            answer = await self._line.send(course, message, _read)
            if not isinstance(answer, Problem):
                return answer
            changed = dialect.without(answer)
            if changed is None or changes == CHANGES:
                return self._give_up(answer)
            if self.dialect == dialect:  # else another request has just found it out
                self._change(changed, answer)
            changes += 1

    def _change(self, dialect: Dialect, problem: Problem) -> None:
        if problem.meaning is Meaning.FORMAT:
            _log.info("%s: answers are held to their schema as: %s", self._line.server, dialect.guidance)
        else:
            _log.warning("%s does not take %s: it is left out or renamed", self._line.server, problem.parameter)
        self.dialect = dialect

    def _give_up(self, problem: Problem) -> Failure:
        """The Failure of a request that no repetition helps; EngineUnavailable where none would fare better."""
        match problem.meaning:
            case Meaning.TOO_LONG:
                return Failure(Reason.TOO_LONG, "longer than the model's context")
            case Meaning.REFUSED:
                return Failure(Reason.REFUSED, self._line.said(problem))
            case _:
                return self._line.give_up(problem)


def _read(body: bytes, headers: Mapping[str, str]) -> ChatReply | Failure:
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError):
        raise Fault("the answer is not JSON") from None
    has_choices = isinstance(payload, dict) and payload.get("choices")
    if not has_choices and (status := status_within(payload)) is not None:
        raise ErrorWithin(status, payload)
    try:
        return read_completion(payload)
    except NotACompletion as error:
        raise Fault(str(error)) from None


def version(model: OpenAIModel | None = None) -> str:
    """The client library's version, or "<model>@<revision>"."""
    return importlib.metadata.version("openai") if model is None else model.label


def identity(model: OpenAIModel) -> dict[str, Any]:
    """What the model's answers depend on besides the request; not where it runs.

    With the whole path of a local checkpoint: two of one name are two models. Only a hash of this is ever written.
    """
    return model.model_dump(mode="json", exclude={"serving", "guided"}) | {"model": model.model}


def open_generator(model: OpenAIModel, answers: Place | None) -> TextGenerator:
    """The engine of the table. EngineUnavailable where the server cannot be had."""
    from pipeline.engines.text.chat.generator import (
        PromptedGenerator,  # it knows templates, which this module does not
    )

    chat: ChatModel = OpenAIChat(model)
    if answers is not None:
        chat = Remembering(chat, answers, identity(model))
    return PromptedGenerator(chat, model.guided)
