"""The text engine of all language models: templates, answers in JSON, and asking again with the complaint told.

`generate` is called from several threads at once. All requests of all calls run side by side in one event loop, each
as its own chain of tries; how many are really sent at once is the `ChatModel`'s business.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from manifests.errors import UserError
from manifests.reasons import Reason
from pipeline.engines.contract import (
    NO_TOKENS,
    ChatMessage,
    ChatModel,
    ChatReply,
    ChatRequest,
    Complaint,
    Failure,
    TextAnswer,
    TextRequest,
)
from pipeline.engines.remote.async_bridge import Batches
from pipeline.engines.text.chat.parse import parse_answer
from pipeline.engines.text.chat.spotlighting import defuse
from pipeline.engines.text.chat.template import Template, load_template

Guided = Literal["on_failure", "always", "never"]

SEEDS = 2**31
LONGEST_QUOTE = 1000
"""Characters of a bad answer that its author is shown again."""
NOTHING_SAID = "{}"
"""Stands for an empty answer in a conversation: some chat templates take no empty message."""


@dataclass(frozen=True, slots=True)
class _Asked:
    request: TextRequest
    template: Template
    messages: tuple[ChatMessage, ...]


class PromptedGenerator:
    """A `TextGenerator` on a `ChatModel`.

    `guided`: "on_failure" lets the first try run free and holds the tries after a malformed answer to the schema;
    "always" and "never" are what they say. `templates` is a prompt store; None: the one that ships.

    Raises what `model.start` raises, EngineUnavailable above all.
    """

    def __init__(self, model: ChatModel, guided: Guided, templates: Path | None = None) -> None:
        self._model = model
        self._guided = guided
        self._templates = templates
        self._batches = Batches(f"chat {model.name}", "the language model", model, self._answer)
        self.name = model.name
        self.version = model.version

    def generate(self, requests: Sequence[TextRequest]) -> list[TextAnswer | Failure]:
        """The answers, in the order of the requests.

        Raises UserError, before anything is sent, where a request does not fit its template; EngineDied where the
        model is gone, whichever call noticed. An interrupt of the calling thread cancels the call's requests.
        """
        return self._batches.run([self._asked(request) for request in requests])

    def close(self) -> None:
        """End what is being asked, and the model. A second call does nothing."""
        self._batches.close()

    def _asked(self, request: TextRequest) -> _Asked:
        if request.prompt is None:
            raise UserError(f"task {request.task}: a language model needs a prompt, template and version")
        template = load_template(request.prompt, request.language, self._templates)
        return _Asked(request, template, template.messages(request))

    async def _answer(self, asked: _Asked) -> TextAnswer | Failure:
        """One chain of tries: the conversation grows by the bad answer and what is wrong with it."""
        request, template, messages = asked.request, asked.template, asked.messages
        spent, attempt, malformed = NO_TOKENS, 0, False
        failure: Failure | None = None
        while failure is None or attempt <= request.retries:
            schema = template.schema if self._is_guided(malformed) else None
            reply = await self._model.complete(ChatRequest(messages, (request.seed + attempt) % SEEDS, schema))
            spent += reply.spent
            if isinstance(reply, Failure):
                # If the first prompt had room, it is the talk about the answer that has become too long.
                return replace(failure if failure and reply.reason is Reason.TOO_LONG else reply, spent=spent)
            result = _judge(reply, template, request)
            if not isinstance(result, Complaint):
                return TextAnswer(result, spent)
            failure = Failure(result.reason, result.detail, spent)
            malformed = malformed or result.kind == "malformed"
            messages += _told(reply, template.complaint(result))
            attempt += 1
        return failure

    def _is_guided(self, malformed: bool) -> bool:
        return self._guided == "always" or (self._guided == "on_failure" and malformed)


def _judge(reply: ChatReply, template: Template, request: TextRequest) -> dict[str, str] | Complaint:
    values = parse_answer(reply.text, reply.finish, template.answer)
    if isinstance(values, Complaint):
        return values
    fields = template.task.fields(values)
    return (request.check(fields) if request.check else None) or fields


def _told(reply: ChatReply, complaint: str) -> tuple[ChatMessage, ChatMessage]:
    quote = defuse(reply.text[:LONGEST_QUOTE])
    return ChatMessage("assistant", quote if quote.strip() else NOTHING_SAID), ChatMessage("user", complaint)
