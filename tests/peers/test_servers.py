"""`OpenAIChat`, and the text engine on it, against real servers."""

import asyncio
import json
from typing import Any

import pytest

from manifests.errors import EngineUnavailable
from manifests.reasons import Reason
from pipeline.engines.contract import ChatReply, Failure, TextAnswer
from pipeline.engines.text._chat.openai_model import open_generator
from tests.peers.asking import (
    ANSWER_S,
    SCHEMA,
    TOO_LONG,
    ask_all,
    chat_request,
    openai_settings,
    opened,
    text_requests,
)
from tests.peers.servers import Server

pytestmark = [pytest.mark.slow, pytest.mark.timeout(2 * ANSWER_S)]

REQUESTS = 48
SHAPED = {"vllm", "llama-cpp"}
"""Servers that hold an answer to its schema."""

DIALECTS = {
    # As measured on vLLM 0.32, llama.cpp of October 2026 and transformers 5.19 (which ignores it).
    "vllm": "json_schema",
    "llama-cpp": "json_schema",
    "transformers": "json_schema",
}


def test_free_requests_all_at_once(server: Server) -> None:
    requests = [chat_request(f"Question {number}?", seed=number) for number in range(REQUESTS)]
    replies = asyncio.run(_ask(server, requests))
    assert [reply for reply in replies if not isinstance(reply, ChatReply)] == []
    assert all(reply.spent.requests == 1 and reply.spent.prompt > 0 for reply in replies)
    assert {reply.finish for reply in replies if isinstance(reply, ChatReply)} <= {"stop", "length"}


def test_requests_with_a_schema_all_at_once(server: Server) -> None:
    async def ask() -> tuple[list[ChatReply | Failure], str]:
        async with opened(openai_settings(server, max_tokens=200)) as chat:
            requests = [chat_request(f"Question {number}?", number, SCHEMA) for number in range(REQUESTS)]
            return await ask_all(chat, requests), chat.dialect.guidance

    replies, dialect = asyncio.run(ask())
    assert dialect == DIALECTS[server.kind]
    assert [reply for reply in replies if not isinstance(reply, ChatReply)] == []
    whole = [reply.text for reply in replies if isinstance(reply, ChatReply) and reply.finish == "stop"]
    if server.kind in SHAPED:
        assert whole and all(_is_shaped(text) for text in whole)


def test_prompt_longer_than_the_context(server: Server) -> None:
    short, long = asyncio.run(_ask(server, [chat_request("Short?"), chat_request(TOO_LONG)]))
    assert isinstance(short, ChatReply)
    if server.kind == "transformers":  # it takes prompts of any length
        assert isinstance(long, ChatReply)
    else:
        assert isinstance(long, Failure) and long.reason is Reason.TOO_LONG
        assert "word word" not in long.detail


def test_model_that_the_server_has_not(server: Server) -> None:
    settings = openai_settings(server).model_copy(update={"model": "no-such-model"})
    if server.kind == "llama-cpp":  # it has one model and takes any name for it
        assert isinstance(asyncio.run(_ask_one(settings)), ChatReply)
        return
    with pytest.raises(EngineUnavailable, match="no-such-model") as raised:
        asyncio.run(_ask_one(settings))
    assert "\n" not in str(raised.value) and "tmp" not in str(raised.value)


@pytest.mark.parametrize("server", ["vllm", "llama-cpp"], indirect=True)  # that of transformers has its own seed
def test_the_seed_decides(server: Server) -> None:
    requests = [chat_request("The same question?", seed) for seed in (5, 5, 6)]
    first, again, other = asyncio.run(_ask_in_turn(server, requests))
    assert isinstance(first, ChatReply) and isinstance(again, ChatReply) and isinstance(other, ChatReply)
    assert first.text == again.text != other.text


@pytest.mark.parametrize("guided", ["on_failure", "always", "never"])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_text_engine_with_the_shipped_template(server: Server, language: str, guided: str) -> None:
    generator: Any = open_generator(openai_settings(server, guided=guided, max_tokens=200), None)
    try:
        answers = generator.generate(text_requests(language, 8))
    finally:
        generator.close()
    assert len(answers) == 8
    for answer in answers:
        assert isinstance(answer, TextAnswer | Failure)
        if isinstance(answer, TextAnswer):
            assert set(answer.fields) == {"question"} and answer.fields["question"]
        else:
            assert answer.reason is Reason.TEXT_ENGINE_FAILED and answer.spent.requests == 2
        assert answer.spent.completion > 0
    if guided == "always" and server.kind in SHAPED:
        assert any(isinstance(answer, TextAnswer) for answer in answers)


def _is_shaped(text: str) -> bool:
    # Guided decoders let raw control characters into strings.
    value = json.loads(text, strict=False)
    return set(value) == {"question", "clear"} and isinstance(value["clear"], bool)


async def _ask(server: Server, requests: list[Any]) -> list[ChatReply | Failure]:
    async with opened(openai_settings(server)) as chat:
        return await ask_all(chat, requests)


async def _ask_in_turn(server: Server, requests: list[Any]) -> list[ChatReply | Failure]:
    async with opened(openai_settings(server)) as chat:
        return [(await ask_all(chat, [request]))[0] for request in requests]


async def _ask_one(settings: Any) -> ChatReply | Failure:
    async with opened(settings) as chat:
        return (await ask_all(chat, [chat_request("Anybody there?")]))[0]
