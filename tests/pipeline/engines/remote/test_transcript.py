"""Bodies of transcription answers."""

import json
from typing import Any

import pytest

from pipeline.engines.contract import Transcript
from pipeline.engines.remote.error_kinds import EmbeddedError, TransientError
from pipeline.engines.remote.transcript import read_transcript
from tests.tables import each_row

JSON, TEXT = "application/json", "text/plain; charset=utf-8"


def segment(mean: Any, silence: Any, tokens: int | None = None) -> dict[str, Any]:
    return {"avg_logprob": mean, "no_speech_prob": silence} | ({} if tokens is None else {"tokens": [0] * tokens})


def verbose(*segments: Any) -> dict[str, Any]:
    return {"task": "transcribe", "text": " Hello. ", "segments": list(segments)}


@each_row(
    ("payload", "transcript"),
    [
        ({"text": " Hello. "}, Transcript("Hello.")),
        ({"text": "河流"}, Transcript("河流")),
        ({"text": ""}, Transcript("")),
        ({"text": "Hello.", "usage": {"type": "duration", "seconds": 1}}, Transcript("Hello.")),
        ("Hello.", Transcript("Hello.")),
        (verbose(), Transcript("Hello.")),
        ({"text": "Hello.", "segments": None}, Transcript("Hello.")),
        (verbose(segment(-0.2, 0.01, 5)), Transcript("Hello.", -0.2, 0.01)),
        (verbose(segment(-1, 0.5, 3), segment(0, 0.25, 1)), Transcript("Hello.", -0.75, 0.25)),
        (verbose(segment(-1, 0.5), segment(0, 0.25)), Transcript("Hello.", -0.5, 0.25)),
        (verbose(segment(-1, 0.5, 3), segment(None, None, 1)), Transcript("Hello.", None, 0.5)),
        (verbose({"start": 0, "end": 2, "text": "Hello."}), Transcript("Hello.")),
        (verbose("Hello.", segment(True, float("inf"))), Transcript("Hello.")),
        (verbose(segment(10**400, 10**400)), Transcript("Hello.")),
    ],
)
def test_json(payload: Any, transcript: Transcript) -> None:
    assert read_transcript(json.dumps(payload).encode(), {"content-type": JSON}) == transcript


@each_row(
    ("body", "heard"),
    [
        ("Hello.\n", "Hello."),
        ("<|en|> Hello.", "<|en|> Hello."),
        ("\n", ""),
        ("1984", "1984"),
        ('{"text": "Hello."}', "Hello."),
        ("null", "null"),
    ],
)
def test_plain_text(body: str, heard: str) -> None:
    assert read_transcript(body.encode(), {"content-type": TEXT}) == Transcript(heard)


@each_row(
    ("body", "media_type", "what"),
    [
        (b"", JSON, "empty"),
        (b"", TEXT, "empty"),
        (b"<html></html>", "text/html", "HTML"),
        (b"<html></html>", TEXT, "HTML"),
        (b'{"text": "Hel', JSON, "not JSON"),
        (b'{"text": "Hel', TEXT, "not JSON"),
        (b"Hello.", JSON, "not JSON"),
        (b"Hello.", "", "not JSON"),
        (b"\xff\xfe", TEXT, "not UTF-8"),
        (b"{}", JSON, "no text"),
        (b'{"text": null}', JSON, "no text"),
        (b'{"error": {"message": "no"}}', JSON, "no text"),
        (b"[1]", JSON, "no text"),
    ],
)
def test_a_spoiled_body_is_a_transient_error(body: bytes, media_type: str, what: str) -> None:
    with pytest.raises(TransientError, match=what):
        read_transcript(body, {"content-type": media_type})


def test_an_error_in_the_body_is_an_embedded_error() -> None:
    with pytest.raises(EmbeddedError):
        read_transcript(b'{"error": {"message": "busy", "code": 503}}', {"content-type": JSON})
