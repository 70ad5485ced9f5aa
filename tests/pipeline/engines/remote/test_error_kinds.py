"""Kinds of errors of real servers. The bodies have the shape and the characteristic words of the servers named."""

import json
from typing import Any

import pytest

from pipeline.engines.remote.error_kinds import ErrorKind, classify_error
from tests.tables import each_row

FIELDS = ("temperature", "top_p", "seed", "max_tokens", "chat_template_kwargs")


def openai(message: str, code: str | None = None, param: str | None = None) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error", "code": code, "param": param}}


def fastapi(place: list[str], message: str, kind: str = "") -> dict[str, Any]:
    return {"detail": [{"loc": place, "msg": message, "type": kind, "input": "grammar flagged context length"}]}


TABLE: list[tuple[str, int, Any, ErrorKind]] = [
    # a prompt that is too long
    (
        "openai",
        400,
        openai("the maximum context length is 8192 tokens", "context_length_exceeded"),
        ErrorKind.TOO_LONG,
    ),
    ("vllm", 400, {"object": "error", "message": "maximum context length is 1024 tokens"}, ErrorKind.TOO_LONG),
    ("llama.cpp", 400, openai("the request exceeds the available context size"), ErrorKind.TOO_LONG),
    ("llama-cpp-python", 500, openai("Requested tokens (900) exceed context window of 512"), ErrorKind.TOO_LONG),
    ("sglang", 400, openai("The input (900 tokens) is longer than the model's context length"), ErrorKind.TOO_LONG),
    ("tgi", 422, {"error": "`inputs` tokens must be <= 4096", "error_type": "validation"}, ErrorKind.TOO_LONG),
    ("gemini", 400, openai("The input token count (9) exceeds the maximum number of tokens"), ErrorKind.TOO_LONG),
    ("dashscope", 400, openai("Range of input length should be [1, 30720]"), ErrorKind.TOO_LONG),
    ("in Chinese", 400, openai("输入内容超过最大长度"), ErrorKind.TOO_LONG),
    ("proxy", 413, b"<html>Payload Too Large</html>", ErrorKind.TOO_LONG),
    # a response_format that the server refuses
    ("llama-cpp-python", 500, openai("'loc': ('body', 'response_format', 'type')"), ErrorKind.FORMAT),
    ("llama.cpp", 400, openai("failed to parse grammar"), ErrorKind.FORMAT),
    ("deepseek", 400, openai("This response_format type is unavailable now"), ErrorKind.FORMAT),
    ("lm studio", 400, {"error": "'response_format.type' must be 'json_schema' or 'text'"}, ErrorKind.FORMAT),
    ("tgi", 422, b"unknown variant `json_schema`, expected `json` or `regex`", ErrorKind.FORMAT),
    ("openai", 400, openai("Invalid schema for the format 'answer'", param="response_format"), ErrorKind.FORMAT),
    ("fastapi", 422, fastapi(["body", "response_format"], "Extra inputs are not permitted"), ErrorKind.FORMAT),
    # access, credit, model
    ("openai", 401, openai("Incorrect API key provided: sk-abc", "invalid_api_key"), ErrorKind.NO_ACCESS),
    ("vllm", 401, {"error": "Unauthorized"}, ErrorKind.NO_ACCESS),
    ("proxy", 403, b"Forbidden", ErrorKind.NO_ACCESS),
    ("openai", 429, openai("you have run out", "insufficient_quota"), ErrorKind.NO_CREDIT),
    ("deepseek", 402, openai("Insufficient Balance"), ErrorKind.NO_CREDIT),
    ("vllm", 404, {"object": "error", "message": "The model `x` does not exist."}, ErrorKind.NO_MODEL),
    ("transformers", 400, {"detail": "the model x is not available here"}, ErrorKind.NO_MODEL),
    ("wrong path", 404, {"detail": "Not Found"}, ErrorKind.NO_MODEL),
    ("wrong path", 405, b"Method Not Allowed", ErrorKind.NO_MODEL),
    # filters
    ("azure", 400, openai("the response was filtered by the content management policy"), ErrorKind.REFUSED),
    ("openrouter", 403, openai("your input was flagged by moderation"), ErrorKind.REFUSED),
    ("dashscope", 400, openai("text", "data_inspection_failed"), ErrorKind.REFUSED),
    ("in Chinese", 400, openai("系统检测到不安全或敏感内容"), ErrorKind.REFUSED),
    # transient
    ("openai", 429, openai("Rate limit reached: input tokens per minute exceeded"), ErrorKind.TRANSIENT),
    ("any", 408, b"", ErrorKind.TRANSIENT),
    ("any", 409, b"", ErrorKind.TRANSIENT),
    ("any", 500, b"Internal Server Error", ErrorKind.TRANSIENT),
    ("proxy", 504, b"<html>Gateway Time-out</html>", ErrorKind.TRANSIENT),
    ("anthropic", 529, openai("Overloaded"), ErrorKind.TRANSIENT),
    ("proxy", 502, b"<html>Bad Gateway</html>", ErrorKind.UNAVAILABLE),
    ("llama.cpp", 503, openai("Loading model"), ErrorKind.UNAVAILABLE),
    ("transformers", 503, {"detail": "the prompt exceeds the cache: too many tokens"}, ErrorKind.TOO_LONG),
    # nothing recognizable
    ("any", 400, openai("messages must alternate"), ErrorKind.BAD_REQUEST),
    ("any", 422, fastapi(["body", "messages"], "Field required"), ErrorKind.BAD_REQUEST),
    ("any", 400, b"", ErrorKind.BAD_REQUEST),
    ("odd", 400, {"error": {"message": None, "code": 7}}, ErrorKind.BAD_REQUEST),
    ("odd", 400, [1, 2], ErrorKind.BAD_REQUEST),
    ("odd", 400, b"[" * 100_000, ErrorKind.BAD_REQUEST),
]


@each_row(("server", "status", "body", "meaning"), TABLE)
def test_kind_of_an_error(server: str, status: int, body: Any, meaning: ErrorKind) -> None:
    encoded = body if isinstance(body, bytes) else json.dumps(body).encode()
    assert classify_error(status, encoded, FIELDS, formatted=True).kind is meaning


@each_row(
    ("server", "status", "body", "parameter"),
    [
        ("openai", 400, openai("wrong one", "unsupported_parameter", "max_tokens"), "max_tokens"),
        ("openai", 400, openai("'max_tokens' is not supported. Use 'max_completion_tokens' instead."), "max_tokens"),
        ("openai", 400, openai("does not support 0.7", "unsupported_value", "temperature"), "temperature"),
        ("mistral", 422, fastapi(["body", "seed"], "Extra inputs are not permitted", "extra_forbidden"), "seed"),
        ("groq", 400, openai("property 'seed' is unsupported"), "seed"),
        ("gemini", 400, openai('Unknown name "top_p": cannot find field'), "top_p"),
        ("openai", 400, openai("Unknown parameter: 'chat_template_kwargs'."), "chat_template_kwargs"),
        ("not about us", 400, openai("Unsupported role in messages"), None),
        ("a value", 400, openai("'max_tokens' must be at least 1", param="max_tokens"), None),
        ("part of a name", 400, openai("unknown reseed_me"), None),
    ],
)
def test_the_refused_field_is_named(server: str, status: int, body: Any, parameter: str | None) -> None:
    problem = classify_error(status, json.dumps(body).encode(), FIELDS, formatted=False)
    assert problem.parameter == parameter
    assert problem.kind is (ErrorKind.PARAMETER if parameter else ErrorKind.BAD_REQUEST)


@pytest.mark.parametrize(("status", "slow_down"), [(429, True), (503, True), (504, True), (529, True), (500, False)])
def test_overload_is_recognized(status: int, slow_down: bool) -> None:
    assert classify_error(status, b"").slow_down is slow_down


def test_words_about_a_format_count_only_if_one_was_asked_for() -> None:
    body = json.dumps(openai("failed to parse grammar")).encode()
    assert classify_error(400, body, FIELDS, formatted=False).kind is ErrorKind.BAD_REQUEST
