"""Servers that answer with status 200 and in an odd way: read where it can be, and told in one sentence."""

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import web
from chat_doubles import ask as asked
from chat_doubles import make_store

from manifests.errors import EngineUnavailable
from pipeline.engines.contract import Failure, TextAnswer
from pipeline.engines.text._chat.generator import Asked, PromptedGenerator
from pipeline.engines.text._chat.openai_model import OpenAIChat
from tests.servers import wire
from tests.servers.asking import QUICK, ask, question, settings
from tests.servers.scripted import Answer, Body, ScriptedServer
from tests.tables import each_row

pytestmark = pytest.mark.timeout(60)
GOOD = '{"question": "What now?"}'


def message(finish: str = "stop", **fields: Any) -> Callable[[Body], dict[str, object]]:
    return lambda body: wire.completion(body, None, finish, **fields)


def call(arguments: str) -> list[dict[str, Any]]:
    return [{"id": "1", "type": "function", "function": {"name": "json", "arguments": arguments}}]


def generate(answer: Answer, store: Any, requests: int = 1, give_up_after: int = 20) -> Any:
    """Ask a server that answers so through the whole text engine."""
    with ScriptedServer(answer) as server:
        chat = OpenAIChat(settings(server.url, serving={"attempts": 1, "concurrency": 1}), QUICK)
        generator = PromptedGenerator(chat, Asked(give_up_after=give_up_after), store)
        try:
            return generator.generate([asked(retries=0) for _ in range(requests)])
        finally:
            generator.close()


@each_row(
    ("answer", "told"),
    [
        (message(reasoning_content=GOOD), "reasoning_content: start the server without a reasoning parser"),
        (message(reasoning=f"Let me see.\n{GOOD}"), "reasoning: start the server without a reasoning parser"),
        (message("tool_calls", tool_calls=call(GOOD)), "tool_calls: start the server without a tool parser"),
    ],
)
def test_an_answer_in_an_odd_place_is_read_and_told_once(
    answer: Answer, told: str, tmp_path_factory: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        answers = generate(answer, make_store(tmp_path_factory.mktemp("store")), requests=3)
    assert [a.fields for a in answers if isinstance(a, TextAnswer)] == [{"question": "What now?"}] * 3
    assert [record.getMessage() for record in caplog.records if told in record.getMessage()] == [
        f"scripted@unpinned: the answers stand in {told}"
    ]


@each_row(
    ("answer", "cause"),
    [
        (message(reasoning_content="I wonder."), "the answers stand in reasoning_content"),
        (message("length", reasoning="I wonder {"), "all tokens went into reasoning: raise max_tokens"),
        (message("tool_calls", tool_calls=call("")), "the answers stand in tool_calls"),
        (lambda body: wire.completion(body, "I cannot say."), "malformed: keys question"),
        (lambda body: web.Response(text="<html>login</html>", content_type="text/html"), "the answer is a web page"),
        (
            lambda body: web.Response(text='data: {"choices": []}\n\n', content_type="text/event-stream"),
            "stream of events although streaming is off",
        ),
        (lambda body: {"choices": []}, "no choices in the answer"),
    ],
)
def test_a_job_whose_first_answers_are_all_unusable_stops_and_says_why(
    answer: Answer, cause: str, tmp_path_factory: Any
) -> None:
    store = make_store(tmp_path_factory.mktemp("store"))
    (failure,) = generate(answer, store)
    assert isinstance(failure, Failure) and cause in failure.detail
    with pytest.raises(EngineUnavailable) as stopped:
        generate(answer, store, requests=3, give_up_after=3)
    assert cause in str(stopped.value) and "the first 3 requests all failed" in str(stopped.value)
    assert "\n" not in str(stopped.value)


NO_SYSTEM = (
    "System role not supported",
    "Conversation roles must alternate user/assistant/user/assistant/...",
    "messages[0].role: system is not supported by this model",
)


@each_row(("status", "words"), [*((400, words) for words in NO_SYSTEM), (500, NO_SYSTEM[0])])
def test_a_server_without_a_system_role_gets_the_system_message_from_the_user(status: int, words: str) -> None:
    def answer(body: Body) -> Any:
        if any(sent["role"] == "system" for sent in body["messages"]):
            return status, wire.error(words)
        return GOOD

    with ScriptedServer(answer) as server:
        replies = ask(settings(server.url, serving={"concurrency": 1}), [question(f"Tell {i}.") for i in range(3)])
    assert [reply.text for reply in replies if not isinstance(reply, Failure)] == [GOOD] * 3
    assert len(server.requests) == 4, "the refusal is met once"
    (sent,) = server.requests[-1]["messages"]
    assert sent["role"] == "user"
    assert sent["content"].startswith("Answer with an object") and sent["content"].endswith(".")


@each_row("end", ["/chat/completions", "/v1/chat/completions/", "/v1/models", "/v1/completions"])
def test_an_address_that_is_a_whole_request_s_is_refused(end: str) -> None:
    with pytest.raises(EngineUnavailable, match=f"base_url ends in {end.removeprefix('/v1').rstrip('/')}: leave"):
        OpenAIChat(settings(f"http://127.0.0.1:9{end}"))


@each_row("models", [("scripted",), None])
def test_an_address_without_its_version_says_so(models: tuple[str, ...] | None) -> None:
    with ScriptedServer(lambda body: GOOD, models=models) as server, pytest.raises(EngineUnavailable) as refused:
        ask(settings(server.url.removesuffix("/v1")), [question()])
    assert "does base_url lack its /v1, as in http://host:8000/v1?" in str(refused.value)
    assert json.dumps(str(refused.value)).count("\\n") == 0
