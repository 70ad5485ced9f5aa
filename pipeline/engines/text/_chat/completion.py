"""Reads the body of a chat completion, whichever server wrote it."""

import json
import re
from collections.abc import Mapping
from typing import Any

from manifests.reasons import Reason
from pipeline.engines.contract import ChatReply, Failure, Tokens
from pipeline.engines.remote.error_kinds import EmbeddedError, TransientError, embedded_status

_CUT_OFF = frozenset({"length", "max_tokens", "model_length"})
"""`finish_reason` of an answer that met the token limit: OpenAI's word, and those of servers that have their own."""


def read_completion(body: bytes, headers: Mapping[str, str]) -> ChatReply | Failure:
    """Read the body of a chat completion, whichever server wrote it: nothing in it is taken for granted.

    Returns Failure(REFUSED) if the model or a filter declined. Raises EmbeddedError for an error in the body,
    TransientError for anything else that is not a completion.
    """
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError):
        raise TransientError(_not_json(body)) from None
    choice = _choice(payload)
    message, finish = choice.get("message"), choice.get("finish_reason")
    if not isinstance(message, dict):
        raise TransientError("no message in the answer")
    if finish == "error":
        raise TransientError("the server broke off")
    spent = _tokens(payload.get("usage"))
    if refusal := message.get("refusal"):
        return Failure(Reason.REFUSED, "the model declined" if isinstance(refusal, str) else "", spent)
    if finish == "content_filter":
        return Failure(Reason.REFUSED, "stopped by a content filter", spent)
    cut_off = finish in _CUT_OFF
    text, note = _said(message, cut_off)
    return ChatReply(text, "length" if cut_off else "stop", spent, note)


def _choice(payload: object) -> Mapping[str, Any]:
    choices = payload.get("choices") if isinstance(payload, dict) else None
    if not choices and (status := embedded_status(payload)) is not None:
        raise EmbeddedError(status, payload)
    if not isinstance(payload, dict):
        raise TransientError("no completion in the answer")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        raise TransientError("no choices in the answer")
    choice: Mapping[str, Any] = choices[0]
    return choice


def _said(message: Mapping[str, Any], cut_off: bool) -> tuple[str, str]:
    """Return the text of a message and a note: where it stands in an odd place, and how to have it in the right one.

    An answer in an odd place is read: whether it is one is seen when it is parsed.
    """
    if (text := _text(message.get("content"))).strip():
        return text, ""
    calls = message.get("tool_calls")
    called = [call["function"] for call in calls if _is_call(call)] if isinstance(calls, list) else []
    if arguments := [function.get("arguments") for function in called]:
        said = arguments[0] if len(arguments) == 1 and isinstance(arguments[0], str) else ""
        return said, "the answers stand in tool_calls: start the server without a tool parser"
    for name in ("reasoning_content", "reasoning"):
        thought = message.get(name)
        if isinstance(thought, str) and thought.strip():
            if cut_off:
                return "", (
                    f"all tokens went into {name}: raise max_tokens, or switch the thinking off"
                    " (template_options: {enable_thinking: false})"
                )
            return thought, f"the answers stand in {name}: start the server without a reasoning parser"
    return text, ""


def _is_call(call: object) -> bool:
    return isinstance(call, dict) and isinstance(call.get("function"), dict)


def _not_json(body: bytes) -> str:
    """Say what a body is that is no JSON, and what to do."""
    start = body.lstrip(b"\xef\xbb\xbf \r\n\t")[:200]
    if re.match(rb"(?:data|event|id|retry):|: ", start):
        return (
            "the answer is a stream of events although streaming is off: switch it off at the server or the gateway,"
            " or set extra_body: {stream: false}"
        )
    if start.startswith(b"<"):
        return "the answer is a web page, not JSON: check base_url, and whether a login page stands before the API"
    return "the answer is not JSON"


def _text(content: object) -> str:
    """Return the text of a message. No content is an empty text: the model wrote nothing that is meant to be read."""
    if isinstance(content, list):  # a list of parts; parts of other types are reasoning
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
