"""What errors of real servers mean. The bodies have the shape and the telling words of the servers named."""

import json
from typing import Any

import pytest

from pipeline.engines.remote.error_kinds import Meaning, diagnose
from tests.tables import each_row

FIELDS = ("temperature", "top_p", "seed", "max_tokens", "chat_template_kwargs")


def openai(message: str, code: str | None = None, param: str | None = None) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error", "code": code, "param": param}}


def fastapi(place: list[str], message: str, kind: str = "") -> dict[str, Any]:
    return {"detail": [{"loc": place, "msg": message, "type": kind, "input": "grammar flagged context length"}]}


TABLE: list[tuple[str, int, Any, Meaning]] = [
    # an over-long prompt
    ("openai", 400, openai("the maximum context length is 8192 tokens", "context_length_exceeded"), Meaning.TOO_LONG),
    ("vllm", 400, {"object": "error", "message": "maximum context length is 1024 tokens"}, Meaning.TOO_LONG),
    ("llama.cpp", 400, openai("the request exceeds the available context size"), Meaning.TOO_LONG),
    ("llama-cpp-python", 500, openai("Requested tokens (900) exceed context window of 512"), Meaning.TOO_LONG),
    ("sglang", 400, openai("The input (900 tokens) is longer than the model's context length"), Meaning.TOO_LONG),
    ("tgi", 422, {"error": "`inputs` tokens must be <= 4096", "error_type": "validation"}, Meaning.TOO_LONG),
    ("gemini", 400, openai("The input token count (9) exceeds the maximum number of tokens"), Meaning.TOO_LONG),
    ("dashscope", 400, openai("Range of input length should be [1, 30720]"), Meaning.TOO_LONG),
    ("in Chinese", 400, openai("输入内容超过最大长度"), Meaning.TOO_LONG),
    ("proxy", 413, b"<html>Payload Too Large</html>", Meaning.TOO_LONG),
    # a response_format that is not taken
    ("llama-cpp-python", 500, openai("'loc': ('body', 'response_format', 'type')"), Meaning.FORMAT),
    ("llama.cpp", 400, openai("failed to parse grammar"), Meaning.FORMAT),
    ("deepseek", 400, openai("This response_format type is unavailable now"), Meaning.FORMAT),
    ("lm studio", 400, {"error": "'response_format.type' must be 'json_schema' or 'text'"}, Meaning.FORMAT),
    ("tgi", 422, b"unknown variant `json_schema`, expected `json` or `regex`", Meaning.FORMAT),
    ("openai", 400, openai("Invalid schema for the format 'answer'", param="response_format"), Meaning.FORMAT),
    ("fastapi", 422, fastapi(["body", "response_format"], "Extra inputs are not permitted"), Meaning.FORMAT),
    # access, credit, model
    ("openai", 401, openai("Incorrect API key provided: sk-abc", "invalid_api_key"), Meaning.NO_ACCESS),
    ("vllm", 401, {"error": "Unauthorized"}, Meaning.NO_ACCESS),
    ("proxy", 403, b"Forbidden", Meaning.NO_ACCESS),
    ("openai", 429, openai("you have run out", "insufficient_quota"), Meaning.NO_CREDIT),
    ("deepseek", 402, openai("Insufficient Balance"), Meaning.NO_CREDIT),
    ("vllm", 404, {"object": "error", "message": "The model `x` does not exist."}, Meaning.NO_MODEL),
    ("transformers", 400, {"detail": "the model x is not available here"}, Meaning.NO_MODEL),
    ("wrong path", 404, {"detail": "Not Found"}, Meaning.NO_MODEL),
    ("wrong path", 405, b"Method Not Allowed", Meaning.NO_MODEL),
    # filters
    ("azure", 400, openai("the response was filtered by the content management policy"), Meaning.REFUSED),
    ("openrouter", 403, openai("your input was flagged by moderation"), Meaning.REFUSED),
    ("dashscope", 400, openai("text", "data_inspection_failed"), Meaning.REFUSED),
    ("in Chinese", 400, openai("系统检测到不安全或敏感内容"), Meaning.REFUSED),
    # may go better next time
    ("openai", 429, openai("Rate limit reached: input tokens per minute exceeded"), Meaning.TRY_AGAIN),
    ("any", 408, b"", Meaning.TRY_AGAIN),
    ("any", 409, b"", Meaning.TRY_AGAIN),
    ("any", 500, b"Internal Server Error", Meaning.TRY_AGAIN),
    ("proxy", 504, b"<html>Gateway Time-out</html>", Meaning.TRY_AGAIN),
    ("anthropic", 529, openai("Overloaded"), Meaning.TRY_AGAIN),
    ("proxy", 502, b"<html>Bad Gateway</html>", Meaning.AWAY),
    ("llama.cpp", 503, openai("Loading model"), Meaning.AWAY),
    ("transformers", 503, {"detail": "the prompt exceeds the cache: too many tokens"}, Meaning.TOO_LONG),
    # nothing that is known
    ("any", 400, openai("messages must alternate"), Meaning.BAD_REQUEST),
    ("any", 422, fastapi(["body", "messages"], "Field required"), Meaning.BAD_REQUEST),
    ("any", 400, b"", Meaning.BAD_REQUEST),
    ("odd", 400, {"error": {"message": None, "code": 7}}, Meaning.BAD_REQUEST),
    ("odd", 400, [1, 2], Meaning.BAD_REQUEST),
    ("odd", 400, b"[" * 100_000, Meaning.BAD_REQUEST),
]


@each_row(("server", "status", "body", "meaning"), TABLE)
def test_what_an_error_means(server: str, status: int, body: Any, meaning: Meaning) -> None:
    encoded = body if isinstance(body, bytes) else json.dumps(body).encode()
    assert diagnose(status, encoded, FIELDS, formatted=True).meaning is meaning


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
def test_which_field_is_not_taken(server: str, status: int, body: Any, parameter: str | None) -> None:
    problem = diagnose(status, json.dumps(body).encode(), FIELDS, formatted=False)
    assert problem.parameter == parameter
    assert problem.meaning is (Meaning.PARAMETER if parameter else Meaning.BAD_REQUEST)


@pytest.mark.parametrize(("status", "slow_down"), [(429, True), (503, True), (504, True), (529, True), (500, False)])
def test_who_has_too_much_to_do(status: int, slow_down: bool) -> None:
    assert diagnose(status, b"").slow_down is slow_down


def test_words_about_a_format_matter_only_where_one_was_asked_for() -> None:
    body = json.dumps(openai("failed to parse grammar")).encode()
    assert diagnose(400, body, FIELDS, formatted=False).meaning is Meaning.BAD_REQUEST
