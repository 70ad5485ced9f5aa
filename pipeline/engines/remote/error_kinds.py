"""What may be wrong with an answer over HTTP. Servers agree on little: a problem has many status codes and wordings.

The order of the tests in `_kind` matters: a message may quote the prompt that was too long, and so contain any word at
all. Specific patterns are therefore tried first.
"""

import json
import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum, auto
from typing import Any


class ErrorKind(Enum):
    TRANSIENT = auto()
    UNAVAILABLE = auto()
    """A gateway answers for a server that is not there (yet)."""
    TOO_LONG = auto()
    REFUSED = auto()
    FORMAT = auto()
    """The server does not take this `response_format`."""
    PARAMETER = auto()
    """The server does not take the field that `ErrorResponse.parameter` names."""
    SYSTEM_ROLE = auto()
    """The server's chat template knows no system message."""
    NO_ACCESS = auto()
    NO_CREDIT = auto()
    NO_MODEL = auto()
    BAD_REQUEST = auto()


@dataclass(frozen=True, slots=True)
class ErrorResponse:
    """`message` is the server's own, not redacted; `slow_down`: the server has too much to do."""

    kind: ErrorKind
    status: int
    message: str = ""
    parameter: str | None = None
    slow_down: bool = False


class EmbeddedError(Exception):
    """An error that a gateway wraps in an answer with status 200."""

    def __init__(self, status: int, payload: object) -> None:
        super().__init__(f"HTTP {status} within an answer")
        self.status = status
        self.payload = payload


class TransientError(Exception):
    """An attempt that may succeed next time. The message says what happened, in none of the server's own words.

    `unreachable`: the request did not reach the server; `answered`: the server sent something, if only an error;
    `slow_down`: it has too much to do; `retry_after_s`: the seconds that it asked us to wait.
    """

    def __init__(
        self,
        what: str,
        *,
        unreachable: bool = False,
        answered: bool = True,
        slow_down: bool = False,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(what)
        self.unreachable = unreachable
        self.answered = answered
        self.slow_down = slow_down
        self.retry_after_s = retry_after_s


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
_SYSTEM_ROLE = re.compile(
    r"system (?:role|messages?|prompts?|instructions?)\b.{0,40}(?:not|n't|unsupported|invalid|only)"
    r"|(?:not|n't|un)\s?(?:support|allow|accept).{0,30}\bsystem\b.{0,10}(?:role|message|prompt)"
    r"|(?:only|must be).{0,40}user.{0,20}(?:and|or|,|/).{0,10}assistant.{0,20}role|roles must alternate user"
    r"|(?:role|角色).{0,20}system.{0,20}(?:not|invalid|unsupported|不)|developer instruction is not enabled",
    re.IGNORECASE | re.DOTALL,
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

_UNAVAILABLE = frozenset({502, 503})
_SLOW_DOWN = frozenset({408, 429, 503, 504, 529})
_PASSING = frozenset({408, 409, 425, 429})
_ABOUT_FIELDS = frozenset({400, 404, 415, 422, 500, 501})
"""500 as well: servers that validate the request with pydantic inside the handler answer with it
(llama-cpp-python)."""


def classify_error(
    status: int, body: bytes | object, fields: Collection[str] = (), formatted: bool = False
) -> ErrorResponse:
    """Classify an error by its status and its body (the bytes, or what their JSON held).

    `fields` are the optional fields of the request; `formatted`: it had a `response_format` that may be changed.
    """
    error = _error_of(_decoded(body))
    message = _message_of(error)[:_LONGEST_MESSAGE]
    words = f"{message} {_word(error, 'code')} {_word(error, 'type')}"
    parameter = _rejected_field(error, words, fields) if status in _ABOUT_FIELDS else None
    kind = _kind(status, words, formatted and status in _ABOUT_FIELDS, parameter)
    return ErrorResponse(
        kind,
        status,
        message,
        parameter if kind is ErrorKind.PARAMETER else None,
        slow_down=status in _SLOW_DOWN and kind in (ErrorKind.TRANSIENT, ErrorKind.UNAVAILABLE),
    )


def embedded_status(payload: object) -> int | None:
    """Return the status of an error that a gateway wraps in an answer with status 200."""
    if not isinstance(payload, dict) or not isinstance(payload.get("error"), dict):
        return None
    code = payload["error"].get("code")
    return code if isinstance(code, int) and 400 <= code < 600 else None


def retry_after_s(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Return the seconds that `Retry-After` asks for, as a number or an HTTP date; None if it is absent or odd."""
    value = headers.get("retry-after", "").strip()
    try:
        seconds = float(value)
    except ValueError:
        seconds = _seconds_until(value, now or datetime.now(UTC))
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _seconds_until(date: str, now: datetime) -> float:
    try:
        moment = parsedate_to_datetime(date)
    except ValueError:
        return math.nan
    if moment.tzinfo is None:  # an HTTP date is in GMT whether or not it says so
        moment = moment.replace(tzinfo=UTC)
    return (moment - now).total_seconds()


def _kind(status: int, words: str, about_format: bool, parameter: str | None) -> ErrorKind:
    # These statuses mean what they say: "rate limit of input tokens exceeded" is not a prompt that is too long.
    if status == 402 or _NO_CREDIT.search(words):
        return ErrorKind.NO_CREDIT
    if status == 401:
        return ErrorKind.NO_ACCESS
    if status in _PASSING:
        return ErrorKind.TRANSIENT
    if status == 413 or _CONTEXT.search(words):
        return ErrorKind.TOO_LONG
    if status in _UNAVAILABLE:
        return ErrorKind.UNAVAILABLE
    if status in _ABOUT_FIELDS and _SYSTEM_ROLE.search(words):
        return ErrorKind.SYSTEM_ROLE
    if about_format and _FORMAT.search(words):
        return ErrorKind.FORMAT
    if parameter:
        return ErrorKind.PARAMETER
    if status < 500 and _FILTERED.search(words):
        return ErrorKind.REFUSED
    if status in (404, 405) or (status in (400, 422) and _MODEL.search(words)):
        return ErrorKind.NO_MODEL
    if status == 403:
        return ErrorKind.NO_ACCESS
    return ErrorKind.TRANSIENT if status >= 500 else ErrorKind.BAD_REQUEST


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
    """Unwrap the error: OpenAI puts it into {"error": ...}, FastAPI into {"detail": ...}, others do not wrap it."""
    for key in ("error", "detail"):
        if isinstance(payload, dict) and payload.get(key):
            payload = payload[key]
    return payload


def _message_of(error: Any) -> str:
    if isinstance(error, dict):
        error = error.get("message") or error.get("msg") or error.get("error") or ""
    if isinstance(error, list):  # pydantic's errors: place and message, not the input that they quote
        return "; ".join(_validation_text(one) for one in error)
    return str(error)


def _validation_text(error: Any) -> str:
    if not isinstance(error, dict):
        return str(error)
    place = error.get("loc")
    steps = [str(step) for step in place] if isinstance(place, (list, tuple)) else []
    return f"{'.'.join(steps)}: {error.get('msg', '')} {error.get('type', '')}"


def _word(error: Any, key: str) -> str:
    value = error.get(key) if isinstance(error, dict) else None
    return value if isinstance(value, str) else ""
