"""The text engine of all language models: it asks, reads the answer, and asks again with what was wrong with it.

`generate` is called from several threads at once. All requests of all calls run side by side in one event loop, each
as its own conversation; the `ChatModel` decides how many are sent at once.
"""

import logging
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from manifests.errors import EngineUnavailable, UserError
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
from pipeline.engines.text._chat.parse import read_reply
from pipeline.engines.text._chat.template import Template, defuse, load_template
from pipeline.engines.text._settings import ChatSettings
from pipeline.text.repeated import is_nearly

Guided = Literal["on_failure", "always", "never"]

SEEDS = 2**31
LONGEST_QUOTE = 1000
"""Characters of a bad answer that the model is shown again."""
LONGEST_CAUSE = 60
"""Characters of an error that tell its cause; behind them, messages quote what was sent."""
WARMER, HOTTEST = 0.5, 1.5
"""What is added to the temperature after the same answer again, and where that ends (our choice)."""
NOTHING_SAID = "{}"
"""Stands for an empty answer in a conversation: some chat templates take no empty message."""
TOLD_AFTER = 3
"""Requests without a success after which the user is told; one alone may be the fault of its row."""

# Of the model, its server or the prompt; what else may fail depends on the row.
_OF_THE_MODEL = frozenset({Reason.TEXT_ENGINE_FAILED, Reason.WRONG_LANGUAGE, Reason.REFUSED})
_NUMBERS = re.compile(r"\d+")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Conversation:
    """A request, its template and its first messages."""

    request: TextRequest
    template: Template
    messages: tuple[ChatMessage, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """How a model is asked; the settings of the same names say more (`ChatSettings`).

    `guided` says which tries are held to the JSON schema: "always", "never", or "on_failure", the tries after a
    malformed answer. `temperature` is the model's own.
    """

    guided: Guided = "on_failure"
    on_repeat: Literal["warmer", "stop"] = "warmer"
    give_up_after: int = 20
    temperature: float = 0.7

    @classmethod
    def of(cls, model: ChatSettings) -> "Asked":
        return cls(model.guided, model.on_repeat, model.give_up_after, model.temperature)


class PromptedGenerator:
    """A `TextGenerator` on a `ChatModel`. `templates` is a prompt store; None means the store that ships.

    The constructor raises what `model.start` raises, above all EngineUnavailable.
    """

    def __init__(self, model: ChatModel, asked: Asked = Asked(), templates: Path | None = None) -> None:
        self._model = model
        self._asked = asked
        self._first = _FirstRequests(f"{model.name}: {model.version}", asked.give_up_after)
        self._noted: set[str] = set()
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
        """Ask until an answer is good. Raises EngineUnavailable if none of the model's first answers is."""
        answer, cause, note = await self._converse(conversation)
        if isinstance(answer, TextAnswer):
            self._first.succeeded()
        else:
            self._first.failed(answer, cause, note)
        return answer

    async def _converse(self, conversation: _Conversation) -> tuple[TextAnswer | Failure, str, str]:
        """Ask until an answer is good; with a failure come its cause, the same for all rows, and a note.

        Each further try appends the bad answer and what is wrong with it. A model that says nearly the same, runs
        in circles again, or copies its prompt is asked afresh, as if for the first time, at a higher temperature: weak
        models copy what stands before them, and that would be their own bad answer too.
        """
        request, template, messages = conversation.request, conversation.template, conversation.messages
        held = self._asked.guided == "always"
        spent, attempt, temperature = NO_TOKENS, 0, None
        failure: Failure | None = None
        kind, said, note = "", "", ""
        while failure is None or attempt <= request.retries:
            schema = template.schema if held else None
            seed = (request.seed + attempt) % SEEDS
            reply = await self._model.complete(ChatRequest(messages, seed, schema, temperature))
            spent += reply.spent
            if isinstance(reply, Failure):
                # The first prompt was short enough, so only the talk about the answer has become too long.
                ended = replace(failure if failure and reply.reason is Reason.TOO_LONG else reply, spent=spent)
                return ended, _NUMBERS.sub("", ended.detail)[:LONGEST_CAUSE], ""
            self._tell(reply.note)
            result = read_reply(reply, template, request, conversation.messages[-1].content)
            if not isinstance(result, Complaint):
                return TextAnswer(result, spent), "", ""
            detail = f"{result.detail}; {reply.note}" if reply.note else result.detail
            failure = Failure(result.reason, detail, spent)
            same = result.kind == kind and (reply.text == said or is_nearly(reply.text, said))
            stuck = result.kind == "repeated" or (result.kind == kind == "cut_off")
            kind, said, note = result.kind, reply.text, reply.note
            if same and (self._asked.on_repeat == "stop" or temperature is not None):
                break
            if (same or stuck) and self._asked.on_repeat == "warmer":
                temperature, messages = min(HOTTEST, self._asked.temperature + WARMER), conversation.messages
            else:
                messages = _corrected(messages, reply, kind, template.complaint(result))
            held = held or (self._asked.guided == "on_failure" and kind == "malformed")
            attempt += 1
        return failure, f"{failure.reason} {kind} {note}", note

    def _tell(self, note: str) -> None:
        """Log what is odd about the model's answers, once."""
        if note and note not in self._noted:
            self._noted.add(note)
            _log.warning("%s: %s", self.version, note)


class _FirstRequests:
    """Counts the first `limit` requests of the model that messages call `name`; 0: counts nothing.

    One good answer ends the watch. Which requests come first depends on the server, so this may stop a job, but never
    changes what a row becomes.
    """

    def __init__(self, name: str, limit: int) -> None:
        self._name = name
        self._limit = limit
        self._causes: Counter[str] = Counter()

    def succeeded(self) -> None:
        self._limit = 0

    def failed(self, failure: Failure, cause: str, note: str) -> None:
        """Count a failure, and log it once; `cause` is the same text for like failures, `note` what the user can do.

        Raises EngineUnavailable if this was the last of the first requests, and all had the same cause.
        """
        if failure.reason not in _OF_THE_MODEL or not self._limit:
            return
        self._causes[cause] += 1
        failed, limit = sum(self._causes.values()), self._limit
        said = f"{failure.detail}{f'; {note}' if note and note not in failure.detail else ''}"
        if failed == TOLD_AFTER < limit and len(self._causes) == 1:
            _log.warning("%s: so far every request has failed for one cause, %s", self._name, said)
        if failed < limit:
            return
        self._limit = 0
        if len(self._causes) == 1:
            raise EngineUnavailable(
                f"{self._name}: the first {limit} requests all failed for one cause, {said} "
                "(give_up_after: 0 goes on regardless)"
            )


def _corrected(
    messages: tuple[ChatMessage, ...], reply: ChatReply, kind: str, complaint: str
) -> tuple[ChatMessage, ...]:
    """Return the conversation with what is wrong with its last answer.

    An answer that broke off is not shown again: it is long, and a model that ran in circles would take them up.
    """
    if kind == "cut_off":
        *before, last = messages
        return (*before, ChatMessage(last.role, f"{last.content}\n\n{complaint}"))
    quote = defuse(reply.text[:LONGEST_QUOTE])
    said = ChatMessage("assistant", quote if quote.strip() else NOTHING_SAID)
    return (*messages, said, ChatMessage("user", complaint))
