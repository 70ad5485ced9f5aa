"""Reading completions, and scrubbing what servers say."""

from typing import Any

import pytest

from manifests.reasons import Reason
from pipeline.engines.chat.completion import NotACompletion, read_completion
from pipeline.engines.chat.scrub import make_scrub
from pipeline.engines.protocols import ChatReply, Failure, Tokens

ONE = Tokens(requests=1)


def body(content: Any = "hello", finish: Any = "stop", usage: Any = None, **message: Any) -> dict[str, Any]:
    choice = {"index": 0, "finish_reason": finish, "message": {"role": "assistant", "content": content, **message}}
    return {"choices": [choice], "usage": usage}


@pytest.mark.parametrize(
    ("payload", "result"),
    [
        (body(), ChatReply("hello", "stop", ONE)),
        (body(finish="length"), ChatReply("hello", "length", ONE)),
        (body(finish="eos"), ChatReply("hello", "stop", ONE)),
        (body(finish=None), ChatReply("hello", "stop", ONE)),
        (body(content=None), ChatReply("", "stop", ONE)),
        (body(content=None, finish="length", reasoning_content="hm"), ChatReply("", "length", ONE)),
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
    assert read_completion(payload) == result


@pytest.mark.parametrize(
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
def test_what_is_no_completion(payload: Any) -> None:
    with pytest.raises(NotACompletion):
        read_completion(payload)


KEY = "a1B2c3D4e5F6g7H8i9"


@pytest.mark.parametrize(
    ("text", "scrubbed"),
    [
        ("all is well", "all is well"),
        (f"wrong key {KEY}!", "wrong key ***!"),
        (f"wrong key {KEY[:8]}****{KEY[-3:]}!", "wrong key ***!"),
        ("Incorrect API key provided: sk-proj-12**9", "Incorrect API key provided: ***"),
        ("sent Authorization: Bearer abc.def", "sent Authorization: Bearer ***"),
        ("see http://user:word@host/v1", "see http://***@host/v1"),
        ("no model /home/me/secret/tiny", "no model tiny"),
        ("two\nlines\tand a \x1b[31m bell\x07", "two lines and a [31m bell"),
        ("long " * 100, "long " * 39 + "long…"),
        ("", ""),
    ],
)
def test_scrubbing(text: str, scrubbed: str) -> None:
    scrub = make_scrub([KEY], {"/home/me/secret/tiny": "tiny"})
    assert scrub(text) == scrubbed


def test_a_short_secret_would_mask_ordinary_words() -> None:
    assert make_scrub(["key"], {})("the key is wrong") == "the key is wrong"
