"""Asking a test server through `OpenAIChat`, in few words."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.engines.contract import ChatMessage, ChatReply, ChatRequest, Failure
from pipeline.engines.remote.client import BackoffPolicy
from pipeline.engines.text._chat.openai_model import OpenAIChat
from pipeline.engines.text.openai import OpenAIModel, OpenAIServing

QUICK = BackoffPolicy(base_s=0.005, cap_s=0.05, retry_after_cap_s=0.3)
SCHEMA: Mapping[str, object] = {
    "type": "object",
    "properties": {"question": {"type": "string"}},
    "required": ["question"],
    "additionalProperties": False,
}


def settings(url: str | None, model: str = "scripted", serving: Mapping[str, Any] | None = None, **more: Any) -> Any:
    """The recipe's model for a server at `url`; `serving` changes how it is driven, `more` the rest."""
    driven = {"concurrency": 8, "timeout_s": 2, "attempts": 4, "patience_s": 5} | dict(serving or {})
    return OpenAIModel(engine="openai", model=model, serving=OpenAIServing(base_url=url, **driven), **more)


def question(text: str = "Tell me about rivers.", seed: int = 7, schema: Mapping[str, object] | None = None) -> Any:
    system = ChatMessage("system", 'Answer with an object: {"question": "what a person would ask"}')
    return ChatRequest((system, ChatMessage("user", text)), seed, schema)


def ask(
    model: OpenAIModel, requests: Sequence[ChatRequest], start: bool = True, limit_s: float = 60
) -> list[ChatReply | Failure]:
    """All requests at once; what comes back, in order. A test that hangs fails after `limit_s`."""
    return asyncio.run(asyncio.wait_for(converse(OpenAIChat(model, QUICK), requests, start), limit_s))


async def converse(chat: OpenAIChat, requests: Sequence[ChatRequest], start: bool = True) -> list[ChatReply | Failure]:
    try:
        if start:
            await chat.start()
        return await asyncio.gather(*(chat.complete(request) for request in requests))
    finally:
        await chat.close()
