"""The text engine of all language models: it asks, reads the answer, and asks again with what was wrong with it.

`generate` is called from several threads at once. All requests of all calls run side by side in one event loop, each
as its own conversation; the `ChatModel` decides how many are sent at once.
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
from pipeline.engines.remote.async_bridge import AsyncBridge
from pipeline.engines.text._chat.parse import answer_fields, parse_answer
from pipeline.engines.text._chat.template import Template, defuse, load_template

Guided = Literal["on_failure", "always", "never"]

SEEDS = 2**31
LONGEST_QUOTE = 1000
"""Characters of a bad answer that the model is shown again."""
NOTHING_SAID = "{}"
"""Stands for an empty answer in a conversation: some chat templates take no empty message."""


@dataclass(frozen=True, slots=True)
class _Conversation:
    """A request, its template and its first messages."""

    request: TextRequest
    template: Template
    messages: tuple[ChatMessage, ...]


class PromptedGenerator:
    """A `TextGenerator` on a `ChatModel`.

    `guided` says which tries are held to the JSON schema: "always", "never", or "on_failure", the tries after a
    malformed answer. `templates` is a prompt store; None means the store that ships.

    The constructor raises what `model.start` raises, above all EngineUnavailable.
    """

    def __init__(self, model: ChatModel, guided: Guided, templates: Path | None = None) -> None:
        self._model = model
        self._guided = guided
        self._templates = templates
        self._bridge = AsyncBridge(f"chat {model.name}", "the language model", model, self._answer)
        self.name = model.name
        self.version = model.version

    def generate(self, requests: Sequence[TextRequest]) -> list[TextAnswer | Failure]:
        """Return the answers, in the order of the requests.

        Raises UserError, before anything is sent, if a request does not fit its template; EngineDied once the model is
        gone, whichever call noticed it. An interrupt of the calling thread cancels the call's requests.
        """
        return self._bridge.run([self._conversation(request) for request in requests])

    def close(self) -> None:
        """End what is being asked, and the model. A second call does nothing."""
        self._bridge.close()

    def _conversation(self, request: TextRequest) -> _Conversation:
        if request.prompt is None:
            raise UserError(f"task {request.task}: a language model needs a prompt, template and version")
        template = load_template(request.prompt, request.language, self._templates)
        return _Conversation(request, template, template.messages(request))

    async def _answer(self, conversation: _Conversation) -> TextAnswer | Failure:
        """Ask until an answer is good. Each further try appends the bad answer and what is wrong with it."""
        request, template, messages = conversation.request, conversation.template, conversation.messages
        held = self._guided == "always"
        spent, attempt = NO_TOKENS, 0
        failure: Failure | None = None
        while failure is None or attempt <= request.retries:
            schema = template.schema if held else None
            reply = await self._model.complete(ChatRequest(messages, (request.seed + attempt) % SEEDS, schema))
            spent += reply.spent
            if isinstance(reply, Failure):
                # The first prompt was short enough, so only the talk about the answer has become too long.
                return replace(failure if failure and reply.reason is Reason.TOO_LONG else reply, spent=spent)
            result = _read(reply, template, request)
            if not isinstance(result, Complaint):
                return TextAnswer(result, spent)
            failure = Failure(result.reason, result.detail, spent)
            held = held or (self._guided == "on_failure" and result.kind == "malformed")
            messages += _correction(reply, template.complaint(result))
            attempt += 1
        return failure


def _read(reply: ChatReply, template: Template, request: TextRequest) -> dict[str, str] | Complaint:
    values = parse_answer(reply.text, reply.finish, template.answer)
    if isinstance(values, Complaint):
        return values
    fields = answer_fields(template.task, values)
    return (request.check(fields) if request.check else None) or fields


def _correction(reply: ChatReply, complaint: str) -> tuple[ChatMessage, ChatMessage]:
    quote = defuse(reply.text[:LONGEST_QUOTE])
    return ChatMessage("assistant", quote if quote.strip() else NOTHING_SAID), ChatMessage("user", complaint)
