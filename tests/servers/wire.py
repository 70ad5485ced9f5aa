"""What goes over the wire: a chat completion as servers of the OpenAI kind write it."""

from collections.abc import Mapping
from typing import Any

_BYTES_PER_TOKEN = 4
_BLOCK = 16
"""Tokens of a block of a prefix cache, as vLLM counts them."""


def completion(
    body: Mapping[str, Any], content: str | None, finish: str = "stop", **message: object
) -> dict[str, object]:
    """The whole answer to the request `body`; the usage is plausible and depends on the texts alone."""
    prompt = sum(map(_tokens, _contents(body)))
    cached = _tokens(_contents(body)[0]) // _BLOCK * _BLOCK if _contents(body) else 0
    written = _tokens(content or "")
    return {
        "id": "chatcmpl-test",
        "object": "chat.completion",
        "created": 1,
        "model": body.get("model", ""),
        "choices": [
            {"index": 0, "finish_reason": finish, "message": {"role": "assistant", "content": content, **message}}
        ],
        "usage": {
            "prompt_tokens": prompt,
            "completion_tokens": written,
            "total_tokens": prompt + written,
            "prompt_tokens_details": {"cached_tokens": cached},
        },
    }


def error(message: str, **fields: object) -> dict[str, object]:
    return {"error": {"message": message, **fields}}


def models(names: tuple[str, ...]) -> dict[str, object]:
    return {"object": "list", "data": [{"id": name, "object": "model", "owned_by": "tests"} for name in names]}


def _contents(body: Mapping[str, Any]) -> list[str]:
    return [str(message.get("content", "")) for message in body.get("messages", [])]


def _tokens(text: str) -> int:
    return -(-len(text.encode("utf-8", "replace")) // _BYTES_PER_TOKEN)
