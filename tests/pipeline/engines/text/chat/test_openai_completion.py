"""Reading the body of a completion, whichever server wrote it."""

import json
from typing import Any

import pytest

from manifests.reasons import Reason
from pipeline.engines.contract import ChatReply, Failure, Tokens
from pipeline.engines.remote.error_kinds import EmbeddedError, TransientError
from pipeline.engines.text._chat.completion import read_completion
from tests.tables import each_row

ONE = Tokens(requests=1)


def body(content: Any = "hello", finish: Any = "stop", usage: Any = None, **message: Any) -> dict[str, Any]:
    choice = {"index": 0, "finish_reason": finish, "message": {"role": "assistant", "content": content, **message}}
    return {"choices": [choice], "usage": usage}


@each_row(
    ("payload", "result"),
    [
        (body(), ChatReply("hello", "stop", ONE)),
        (body(finish="length"), ChatReply("hello", "length", ONE)),
        (body(finish="eos"), ChatReply("hello", "stop", ONE)),
        (body(finish=None), ChatReply("hello", "stop", ONE)),
        (body(content=None), ChatReply("", "stop", ONE)),
        (
            body(content=[{"type": "thinking", "text": "hm"}, {"type": "text", "text": "hello"}]),
            ChatReply("hello", "stop", ONE),
        ),
        (body(content=5), ChatReply("", "stop", ONE)),
        (body(refusal=None), ChatReply("hello", "stop", ONE)),
        (body(content=None, refusal="I cannot"), Failure(Reason.REFUSED, "the model declined", ONE)),
        (body(finish="content_filter"), Failure(Reason.REFUSED, "stopped by a content filter", ONE)),
        (
            body(usage={"prompt_tokens": 9, "completion_tokens": 4, "prompt_tokens_details": {"cached_tokens": 8}}),
            ChatReply("hello", "stop", Tokens(requests=1, prompt=9, cached=8, completion=4)),
        ),
        (
            body(usage={"prompt_tokens": 9, "completion_tokens": None, "prompt_tokens_details": None}),
            ChatReply("hello", "stop", Tokens(requests=1, prompt=9)),
        ),
        (body(usage={"prompt_tokens": "9", "completion_tokens": -4}), ChatReply("hello", "stop", ONE)),
        (body(usage=[]), ChatReply("hello", "stop", ONE)),
    ],
)
def test_completions(payload: Any, result: ChatReply | Failure) -> None:
    assert read_completion(json.dumps(payload).encode(), {}) == result


@each_row(
    "payload",
    [
        None,
        "text",
        [],
        {},
        {"choices": []},
        {"choices": None},
        {"choices": ["text"]},
        {"choices": [{}]},
        {"choices": [{"message": None}]},
        {"choices": [{"text": "an old completion"}]},
        {"error": {"message": "overloaded"}},
        body(finish="error"),
    ],
)
def test_another_body_is_a_transient_error(payload: Any) -> None:
    with pytest.raises(TransientError):
        read_completion(json.dumps(payload).encode(), {})


@pytest.mark.parametrize("text", [b"", b'{"choices": [{', b"[" * 100_000])
def test_a_body_that_is_not_json_is_a_transient_error(text: bytes) -> None:
    with pytest.raises(TransientError, match=r"^the answer is not JSON$"):
        read_completion(text, {})


def test_an_error_in_the_body_keeps_its_status() -> None:
    with pytest.raises(EmbeddedError) as caught:
        read_completion(json.dumps({"choices": [], "error": {"message": "overloaded", "code": 503}}).encode(), {})
    assert caught.value.status == 503
