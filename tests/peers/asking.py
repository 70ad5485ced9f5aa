"""Requests for the tests of this directory, and ways to ask them."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from pipeline.engines.contract import ChatMessage, ChatModel, ChatReply, ChatRequest, Failure, TextRequest
from pipeline.engines.text._chat.openai_model import OpenAIChat
from pipeline.engines.text.openai import OpenAIModel, OpenAIServing
from pipeline.engines.text.vllm import VllmModel, VllmServing
from tests.peers.servers import CONTEXT, Checkpoints, Server

ANSWER_S = 240
"""Long enough for a machine that is busy with other things; only what hangs takes longer."""

SCHEMA: dict[str, object] = {
    "type": "object",
    "properties": {"question": {"type": "string", "maxLength": 20}, "clear": {"type": "boolean"}},
    "required": ["question", "clear"],
    "additionalProperties": False,
}
TOO_LONG = "word " * (2 * CONTEXT)


def chat_request(text: str, seed: int = 0, schema: dict[str, object] | None = None) -> ChatRequest:
    messages = (ChatMessage("system", "Reply with one JSON object."), ChatMessage("user", text))
    return ChatRequest(messages, seed, schema)


def openai_settings(server: Server, **changes: Any) -> OpenAIModel:
    # A random model must not write for long, and its free text need not be good for anything.
    settings = OpenAIModel(
        engine="openai",
        model=server.model,
        temperature=1.0,
        max_tokens=48,
        serving=OpenAIServing(base_url=server.base_url, concurrency=16, timeout_s=ANSWER_S),
    )
    return settings.model_copy(update=changes)


def vllm_settings(checkpoints: Checkpoints, **changes: Any) -> VllmModel:
    settings = VllmModel(
        engine="vllm",
        model=str(checkpoints.directory),
        temperature=1.0,
        max_tokens=200,
        dtype="float32",
        max_model_len=CONTEXT,
        serving=VllmServing(enforce_eager=True, max_num_seqs=32),
    )
    return settings.model_copy(update=changes)


@asynccontextmanager
async def opened(settings: OpenAIModel) -> AsyncIterator[OpenAIChat]:
    chat = OpenAIChat(settings)
    try:
        await chat.start()
        yield chat
    finally:
        await chat.close()


async def ask_all(model: ChatModel, requests: Sequence[ChatRequest]) -> list[ChatReply | Failure]:
    """All at once. TimeoutError where that hangs."""
    async with asyncio.timeout(ANSWER_S):
        return await asyncio.gather(*(model.complete(request) for request in requests))


def text_requests(language: str, count: int, retries: int = 1) -> list[TextRequest]:
    """Requests to rewrite, with the template that ships."""
    texts = {"en": "Describe, in {} steps, how a kettle is descaled.", "zh": "请用{}个步骤说明如何给水壶除垢。"}
    return [
        TextRequest(
            task="rewrite",
            language=language,
            variables={"instruction": texts[language].format(number + 2)},
            seed=number,
            options={"max_length": 30},
            prompt="ke-rewrite/v2",
            form="whole",
            retries=retries,
        )
        for number in range(count)
    ]
