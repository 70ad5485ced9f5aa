"""Reads the body of a transcription answer: JSON, short or verbose, or plain text."""

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from pipeline.engines.contract import Transcript
from pipeline.engines.remote.clip import MARK_UP
from pipeline.engines.remote.error_kinds import EmbeddedError, TransientError, embedded_status

_LANGUAGE = re.compile(r"^\s*language [A-Za-z ,]{1,60}<asr_text>|</?asr_text>")


def read_transcript(body: bytes, headers: Mapping[str, str]) -> Transcript:
    """Return what was heard, which may be nothing.

    Of a verbose answer, `log_probability` is the mean of the segments' `avg_logprob`, weighted by their tokens if they
    list them; `no_speech` is the least of the segments' `no_speech_prob`: one segment with speech is enough.
    Raises TransientError for anything but a transcript, EmbeddedError for an error in JSON.
    """
    media_type = headers.get("content-type", "").lower()
    if not body:
        raise TransientError("the answer is empty")
    if media_type.startswith("text/html") or MARK_UP.match(body):
        raise TransientError("the answer is HTML")
    if media_type.startswith("text/") and body.lstrip()[:1] != b"{":
        return Transcript(_plain(_text(body)))
    return _of_json(_json(body))


def _plain(text: str) -> str:
    """Return the words alone: servers of Qwen3-ASR may write "language English<asr_text>" before them."""
    return _LANGUAGE.sub("", text).strip()


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        raise TransientError("the answer is not UTF-8") from None


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise TransientError("the answer is not JSON") from None


def _of_json(payload: Any) -> Transcript:
    if isinstance(payload, str):
        return Transcript(_plain(payload))
    if not isinstance(payload, dict) or not isinstance(payload.get("text"), str):
        if (status := embedded_status(payload)) is not None:
            raise EmbeddedError(status, payload)
        raise TransientError("no text in the answer")
    found = payload.get("segments")
    segments = [segment for segment in found if isinstance(segment, dict)] if isinstance(found, list) else []
    silences = [p for segment in segments if (p := _number(segment, "no_speech_prob")) is not None]
    return Transcript(_plain(payload["text"]), _log_probability(segments), min(silences, default=None))


def _log_probability(segments: list[dict[str, Any]]) -> float | None:
    means = [_number(segment, "avg_logprob") for segment in segments]
    known = [mean for mean in means if mean is not None]
    if not known or len(known) < len(means):
        return None
    tokens = [segment.get("tokens") for segment in segments]
    counts = [len(one) if isinstance(one, list) else 0 for one in tokens]
    weights = counts if all(counts) else [1] * len(known)
    return sum(mean * weight for mean, weight in zip(known, weights, strict=True)) / sum(weights)


def _number(segment: Mapping[str, Any], name: str) -> float | None:
    value = segment.get(name)
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    try:
        number = float(value)
    except OverflowError:  # a whole number of hundreds of digits
        return None
    return number if math.isfinite(number) else None
