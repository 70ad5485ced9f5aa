"""Reading the body of a chat completion, whoever wrote it: nothing in it is taken for granted."""

from collections.abc import Mapping
from typing import Any

from manifests.reasons import Reason
from pipeline.engines.contract import ChatReply, Failure, Tokens

_CUT_OFF = frozenset({"length", "max_tokens", "model_length"})
"""OpenAI's word for an answer that met the token limit, and those of servers that have their own."""


class NotACompletion(ValueError):
    """The body is none; the message says what it is, in words that quote nothing of it."""


def read_completion(payload: object) -> ChatReply | Failure:
    """The reply, or Failure(REFUSED) where the model or a filter declined. NotACompletion for anything else."""
    if not isinstance(payload, dict):
        raise NotACompletion("no completion in the answer")
    choices = payload.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        raise NotACompletion("no choices in the answer")
    message, finish = choices[0].get("message"), choices[0].get("finish_reason")
    if not isinstance(message, dict):
        raise NotACompletion("no message in the answer")
    if finish == "error":
        raise NotACompletion("the server broke off")
    spent = _tokens(payload.get("usage"))
    if refusal := message.get("refusal"):
        return Failure(Reason.REFUSED, "the model declined" if isinstance(refusal, str) else "", spent)
    if finish == "content_filter":
        return Failure(Reason.REFUSED, "stopped by a content filter", spent)
    return ChatReply(_text(message.get("content")), "length" if finish in _CUT_OFF else "stop", spent)


def _text(content: object) -> str:
    """No content is an empty text: the model wrote nothing that is meant to be read."""
    if isinstance(content, list):  # a list of parts; those of other types are reasoning
        parts = [part.get("text") for part in content if isinstance(part, dict) and part.get("type") == "text"]
        return "".join(part for part in parts if isinstance(part, str))
    return content if isinstance(content, str) else ""


def _tokens(usage: object) -> Tokens:
    if not isinstance(usage, dict):
        return Tokens(requests=1)
    details = usage.get("prompt_tokens_details")
    cached = _count(details, "cached_tokens") if isinstance(details, dict) else 0
    return Tokens(
        requests=1,
        prompt=_count(usage, "prompt_tokens"),
        cached=cached,
        completion=_count(usage, "completion_tokens"),
    )


def _count(usage: Mapping[str, Any], name: str) -> int:
    number = usage.get(name)
    return max(0, number) if isinstance(number, int) else 0
