"""Doubles for the tests of the chat engines: a prompt store made on the spot, and scripted models."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Literal

from pipeline.engines.contract import ChatReply, ChatRequest, Failure, TextRequest, Tokens
from pipeline.prompts import write_lock

COMPLAINTS = """\
malformed: Only an object with $keys.
cut_off: It broke off.
empty: Nothing is in $field.
too_long: $field has $length, more than $limit.
unpronounceable: $field has $characters.
wrong_language: $field is in another language.
repeated: $field was said.
"""

REWRITE = """\
task: rewrite
complaints: v1
system: |
  Ask it aloud in $max_length words. JSON key question.
exchange: |
  U: $question
  A: $answer
forms:
  whole: |
    Here it is:
    $instruction
  next: |
    $history
    Then:
    $instruction
answer: {question: string}
"""

RESPOND = """\
task: respond
complaints: v1
system: "Say response, at most $answer_limit."
exchange: "$question / $answer"
forms: {first: "$question", next: "$history $question"}
answer: {response: string}
"""

SCREEN = """\
task: screen
complaints: v1
system: "Judge: speakable, clear, reason."
exchange: "$question / $answer"
forms: {first: "$question", next: "$history $question"}
answer: {reason: string, speakable: boolean, clear: boolean}
"""


def make_store(root: Path, **changes: str) -> Path:
    """Make a store of the templates above in English; `changes` replaces texts by name, or adds some."""
    texts = {"complaints": COMPLAINTS, "rewrite": REWRITE, "respond": RESPOND, "screen": SCREEN, **changes}
    for name, text in texts.items():
        path = root / name / "en" / "v1.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    write_lock(root)
    return root


SPENT = Tokens(requests=1, prompt=10, cached=4, completion=2)


def reply(text: str, finish: Literal["stop", "length"] = "stop") -> ChatReply:
    return ChatReply(text, finish, SPENT)


Answer = ChatReply | Failure


class FakeChat:
    """A model that answers with a function; it keeps the requests in the order of their arrival."""

    name = "fake"
    version = "fake 1"

    def __init__(self, answer: Callable[[ChatRequest], Awaitable[Answer]]) -> None:
        self._answer = answer
        self.requests: list[ChatRequest] = []
        self.cancelled = 0
        self.started = 0
        self.closed = 0

    async def start(self) -> None:
        self.started += 1

    async def complete(self, request: ChatRequest) -> Answer:
        self.requests.append(request)
        try:
            return await self._answer(request)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise

    async def close(self) -> None:
        self.closed += 1


def scripted(*answers: Answer | BaseException) -> FakeChat:
    """Make a model that gives these answers one after the other; exceptions are raised."""
    left = list(answers)

    async def answer(request: ChatRequest) -> Answer:
        await asyncio.sleep(0)
        following = left.pop(0)
        if isinstance(following, BaseException):
            raise following
        return following

    return FakeChat(answer)


async def never(request: ChatRequest) -> Answer:
    await asyncio.Event().wait()
    raise AssertionError


GOOD = '{"question": "What now?"}'


def ask(instruction: str = "Say it.", **changes: Any) -> TextRequest:
    settings: dict[str, Any] = {
        "task": "rewrite",
        "language": "en",
        "variables": {"instruction": instruction},
        "seed": 7,
        "options": {"max_length": 60},
        "prompt": "rewrite/v1",
        "form": "whole",
        "retries": 2,
    }
    return TextRequest(**(settings | changes))


def echo(request: ChatRequest) -> Answer:
    """Answer with the instruction, which stands between the marks."""
    instruction = request.messages[1].content.split("\n")[2]
    return reply(f'{{"question": "{instruction}"}}')
