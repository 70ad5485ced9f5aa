"""What an HTTP error of a server means. Servers agree on little: the same trouble has many codes and wordings.

The order of the questions matters: an over-long prompt may be quoted in the message and contain any word at all, so
what is specific is asked first.
"""

import json
import re
from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any


class Meaning(Enum):
    TRY_AGAIN = auto()
    AWAY = auto()
    """A gateway speaks for a server that is not there (yet)."""
    TOO_LONG = auto()
    REFUSED = auto()
    FORMAT = auto()
    """The server does not take this `response_format`."""
    PARAMETER = auto()
    """The server does not take the field that `Problem.parameter` names."""
    NO_ACCESS = auto()
    NO_CREDIT = auto()
    NO_MODEL = auto()
    BAD_REQUEST = auto()


@dataclass(frozen=True, slots=True)
class Problem:
    """`message` is the server's, unscrubbed; `slow_down`: it has too much to do."""

    meaning: Meaning
    status: int
    message: str = ""
    parameter: str | None = None
    slow_down: bool = False


_LONGEST_MESSAGE = 2000

_CONTEXT = re.compile(
    r"context_length|context (?:length|window|size)|max_model_len|string_above_max_length|too many tokens"
    r"|(?:prompt|input|inputs|message|request)\b.{0,60}(?:too long|exceed|longer than|must be <=)"
    r"|requested tokens.{0,30}exceed|range of input length|maximum (?:input|sequence|model) length"
    r"|上下文|(?:输入|prompt).{0,20}(?:超长|超过|过长)",
    re.IGNORECASE | re.DOTALL,
)
_FORMAT = re.compile(
    r"response_format|json_schema|json_object|structured.?output|guided.?(?:json|decoding)|grammar|invalid.{0,10}schema",
    re.IGNORECASE | re.DOTALL,
)
_NOT_TAKEN = re.compile(
    r"unsupported|not supported|(?:does|do) not support|unknown|unrecogni[sz]ed|unexpected|not permitted|not allowed"
    r"|extra (?:inputs|fields)|extra_forbidden|不支持",
    re.IGNORECASE,
)
_FILTERED = re.compile(
    r"content.?filter|content.?polic|content management|responsibleai|data_inspection|inappropriate content|moderation"
    r"|flagged|safety.?(?:system|polic|violation)|敏感|不安全",
    re.IGNORECASE,
)
_MODEL = re.compile(
    r"model_not_found|(?:unknown|no such|invalid) model|model\b.{0,120}(?:not found|not exist|mismatch|not available)"
    r"|pinned to|模型不存在",
    re.IGNORECASE | re.DOTALL,
)
_NO_CREDIT = re.compile(r"insufficient.(?:quota|balance)|arrearage|余额不足", re.IGNORECASE)

_AWAY = frozenset({502, 503})
_SLOW_DOWN = frozenset({408, 429, 503, 504, 529})
_PASSING = frozenset({408, 409, 425, 429})
_ABOUT_FIELDS = frozenset({400, 404, 415, 422, 500, 501})
"""500 too: servers that check the request with pydantic inside the handler answer so (llama-cpp-python)."""


def diagnose(status: int, body: bytes | object, fields: Collection[str] = (), formatted: bool = False) -> Problem:
    """The problem behind an error's status and body (its bytes, or what its JSON held).

    `fields` are the optional fields that the request had, `formatted`: a `response_format` was among them.
    """
    error = _error_of(_decoded(body))
    message = _message_of(error)[:_LONGEST_MESSAGE]
    words = f"{message} {_word(error, 'code')} {_word(error, 'type')}"
    parameter = _rejected_field(error, words, fields) if status in _ABOUT_FIELDS else None
    meaning = _meaning(status, words, formatted and status in _ABOUT_FIELDS, parameter)
    return Problem(
        meaning,
        status,
        message,
        parameter if meaning is Meaning.PARAMETER else None,
        slow_down=status in _SLOW_DOWN and meaning in (Meaning.TRY_AGAIN, Meaning.AWAY),
    )


def _meaning(status: int, words: str, about_format: bool, parameter: str | None) -> Meaning:
    # These are what their status says: "rate limit of input tokens exceeded" is no over-long prompt.
    if status == 402 or _NO_CREDIT.search(words):
        return Meaning.NO_CREDIT
    if status == 401:
        return Meaning.NO_ACCESS
    if status in _PASSING:
        return Meaning.TRY_AGAIN
    if status == 413 or _CONTEXT.search(words):
        return Meaning.TOO_LONG
    if status in _AWAY:
        return Meaning.AWAY
    if about_format and _FORMAT.search(words):
        return Meaning.FORMAT
    if parameter:
        return Meaning.PARAMETER
    if status < 500 and _FILTERED.search(words):
        return Meaning.REFUSED
    if status in (404, 405) or (status in (400, 422) and _MODEL.search(words)):
        return Meaning.NO_MODEL
    if status == 403:
        return Meaning.NO_ACCESS
    return Meaning.TRY_AGAIN if status >= 500 else Meaning.BAD_REQUEST


def _rejected_field(error: Any, words: str, fields: Collection[str]) -> str | None:
    if not _NOT_TAKEN.search(words):
        return None
    named = _word(error, "param")
    if named in fields:
        return named
    places = {name: match.start() for name in fields if (match := re.search(rf"(?<![\w-]){re.escape(name)}\b", words))}
    return min(places, key=lambda name: places[name]) if places else None


def _decoded(body: bytes | object) -> Any:
    if not isinstance(body, bytes):
        return body
    text = body.decode("utf-8", "replace")
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _error_of(payload: Any) -> Any:
    """OpenAI wraps the error in {"error": ...}, FastAPI in {"detail": ...}, others do not wrap it."""
    for key in ("error", "detail"):
        if isinstance(payload, dict) and payload.get(key):
            payload = payload[key]
    return payload


def _message_of(error: Any) -> str:
    if isinstance(error, dict):
        error = error.get("message") or error.get("msg") or error.get("error") or ""
    if isinstance(error, list):  # pydantic's problems: place and message, not the input that they quote
        return "; ".join(_problem_text(one) for one in error)
    return str(error)


def _problem_text(problem: Any) -> str:
    if not isinstance(problem, dict):
        return str(problem)
    place = problem.get("loc")
    steps = [str(step) for step in place] if isinstance(place, (list, tuple)) else []
    return f"{'.'.join(steps)}: {problem.get('msg', '')} {problem.get('type', '')}"


def _word(error: Any, key: str) -> str:
    value = error.get(key) if isinstance(error, dict) else None
    return value if isinstance(value, str) else ""
