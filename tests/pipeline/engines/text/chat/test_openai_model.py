"""`OpenAIChat` against a scripted server: what is sent, what comes back, how it adapts to a server."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from manifests.errors import EngineUnavailable
from manifests.reasons import Reason
from manifests.storage import open_place
from pipeline.engines.contract import ChatMessage, ChatReply, ChatRequest, Failure, TextAnswer, TextRequest, Tokens
from pipeline.engines.text._chat import openai_model
from pipeline.engines.text._chat.openai_model import OpenAIChat
from tests.servers import wire
from tests.servers.asking import QUICK, SCHEMA, ask, converse, question, settings
from tests.servers.scripted import Answer, ScriptedServer
from tests.tables import each_row

FINE = '{"question": "why?"}'


@pytest.fixture(autouse=True)
def no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


def in_turn(*said: Any) -> Answer:
    """Give the answers one after another, and the last one from then on."""
    left = list(said)

    def answer(body: dict[str, Any]) -> Any:
        one = left.pop(0) if len(left) > 1 else left[0]
        return one() if callable(one) else one

    return answer


def error(status: int, message: str = "no", **fields: Any) -> tuple[int, dict[str, Any]]:
    return status, wire.error(message, **fields)


def plain(text: str, status: int = 200, **headers: str) -> Callable[[], web.Response]:
    return lambda: web.Response(text=text, status=status, headers=headers)


def test_one_request_to_the_letter() -> None:
    with ScriptedServer(in_turn(FINE)) as server:
        model = settings(server.url, temperature=0.5, extra_body={"top_k": 9}, template_options={"thinking": False})
        (reply,) = ask(model, [question("河流", seed=11)])
    assert isinstance(reply, ChatReply)
    assert (reply.text, reply.finish) == (FINE, "stop")
    assert server.requests == [
        {
            "model": "scripted",
            "messages": [
                {"role": "system", "content": 'Answer with an object: {"question": "what a person would ask"}'},
                {"role": "user", "content": "河流"},
            ],
            "temperature": 0.5,
            "top_p": 1.0,
            "max_tokens": 512,
            "seed": 11,
            "chat_template_kwargs": {"thinking": False},
            "top_k": 9,
        }
    ]
    assert server.headers[0]["Authorization"] == "Bearer EMPTY"


def test_tokens_are_as_the_server_counted_them() -> None:
    usage = {"prompt_tokens": 40, "completion_tokens": 6, "prompt_tokens_details": {"cached_tokens": 32}}
    with ScriptedServer(lambda body: wire.completion(body, FINE) | {"usage": usage}) as server:
        (reply,) = ask(settings(server.url), [question()])
    assert reply == ChatReply(FINE, "stop", Tokens(requests=1, prompt=40, cached=32, completion=6))


@each_row(
    "spoiled",
    [
        error(408),
        error(409),
        error(429),
        error(500),
        error(502),
        error(503),
        error(529),
        plain("busy", 429, **{"Retry-After": "0.01"}),
        plain("<html>proxy</html>"),
        plain('{"choices": [{"mess'),
        plain(""),
        {"choices": [], "usage": None},
        {"choices": [{"index": 0}]},
        {"error": {"message": "upstream", "code": 503}},
        {"error": {"message": "upstream"}},
    ],
)
def test_a_spoiled_answer_is_requested_again(spoiled: Any) -> None:
    with ScriptedServer(in_turn(spoiled, FINE)) as server:
        (reply,) = ask(settings(server.url), [question()])
    assert isinstance(reply, ChatReply)
    assert reply.spent.requests == 1
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("spoiled", "what"),
    [
        (error(500), "HTTP 500"),
        (error(429), "HTTP 429"),
        (plain("hello"), "the answer is not JSON"),
        ({"choices": []}, "no choices in the answer"),
    ],
)
def test_after_the_last_attempt_it_is_a_failure(spoiled: Any, what: str) -> None:
    with ScriptedServer(in_turn(spoiled)) as server:
        (reply,) = ask(settings(server.url), [question()])
    assert reply == Failure(Reason.TEXT_ENGINE_FAILED, f"{what}, 4 attempts")
    assert len(server.requests) == 4


@each_row(
    ("said", "failure"),
    [
        (
            error(400, "maximum context length is 10 tokens"),
            Failure(Reason.TOO_LONG, "longer than the model's context"),
        ),
        (error(413), Failure(Reason.TOO_LONG, "longer than the model's context")),
        (error(400, "context window", code=400)[1], Failure(Reason.TOO_LONG, "longer than the model's context")),
        (error(400, "blocked", code="content_filter"), Failure(Reason.REFUSED, "HTTP 400: blocked")),
        (error(400, "roles must alternate"), Failure(Reason.TEXT_ENGINE_FAILED, "HTTP 400: roles must alternate")),
        (error(422, ""), Failure(Reason.TEXT_ENGINE_FAILED, "HTTP 422")),
    ],
)
def test_a_request_that_no_retry_helps_is_sent_once(said: Any, failure: Failure) -> None:
    with ScriptedServer(in_turn(said)) as server:
        assert ask(settings(server.url), [question()]) == [failure]
    assert len(server.requests) == 1


@each_row(
    ("said", "sentence"),
    [
        (error(401), "wants a key in the environment variable OPENAI_API_KEY"),
        (error(403), "wants a key in the environment variable OPENAI_API_KEY"),
        (error(404, "no such model"), r"has no model 'scripted' \(HTTP 404\)"),
        (error(400, "model scripted not found"), r"has no model 'scripted' \(HTTP 400\)"),
        (error(402), r"the account has no credit \(HTTP 402\)"),
        (error(429, code="insufficient_quota"), r"the account has no credit \(HTTP 429\)"),
        (error(400, "unsupported value", param="temperature"), "does not take the model's setting temperature"),
    ],
)
def test_an_error_that_meets_every_request_stops_the_engine(said: Any, sentence: str) -> None:
    with ScriptedServer(in_turn(said)) as server, pytest.raises(EngineUnavailable, match=sentence):
        ask(settings(server.url), [question()])
    assert len(server.requests) == 1


@pytest.mark.parametrize("said", [error(400, "model not found"), error(400, "unsupported", param="temperature")])
def test_the_same_error_after_an_answer_ends_only_its_request(said: Any) -> None:
    async def two(chat: OpenAIChat) -> list[Any]:
        return [*await converse_open(chat, "one"), *await converse(chat, [question("two")], start=False)]

    async def converse_open(chat: OpenAIChat, text: str) -> list[Any]:
        await chat.start()
        return [await chat.complete(question(text))]

    with ScriptedServer(in_turn(FINE, said)) as server:
        first, second = asyncio.run(two(OpenAIChat(settings(server.url), QUICK)))
    assert isinstance(first, ChatReply)
    assert isinstance(second, Failure) and second.reason is Reason.TEXT_ENGINE_FAILED


def test_a_text_without_utf8_form_is_a_failure() -> None:
    with ScriptedServer(in_turn(FINE)) as server:
        (reply,) = ask(settings(server.url), [ChatRequest((ChatMessage("user", "half \ud83d"),), 1)])
    assert reply == Failure(Reason.TEXT_ENGINE_FAILED, "the text is not valid Unicode")


def formats(server: ScriptedServer) -> list[str]:
    shapes = [body.get("response_format", {}) for body in server.requests]
    return [shape.get("type", "plain") + (" with schema" if "schema" in shape else "") for shape in shapes]


LADDER = ["json_schema", "json_object with schema", "json_object", "plain"]


@pytest.mark.parametrize(
    ("takes", "status"), [(0, 400), (1, 500), (2, 422), (3, 400)], ids=[*LADDER[:1], *LADDER[1:3], "nothing"]
)
def test_the_strictest_format_of_a_server_is_found_once(takes: int, status: int) -> None:
    def answer(body: dict[str, Any]) -> Any:
        seen = formats(server)[-1]
        return FINE if LADDER.index(seen) >= takes else error(status, "'loc': ('body', 'response_format')")

    async def one_after_another() -> OpenAIChat:
        chat = OpenAIChat(settings(server.url, serving={"attempts": 1}), QUICK)
        await chat.start()
        for text in ("one", "two"):
            assert isinstance(await chat.complete(question(text, schema=SCHEMA)), ChatReply)
        await chat.close()
        return chat

    with ScriptedServer(answer) as server:
        chat = asyncio.run(one_after_another())
    assert formats(server) == [*LADDER[: takes + 1], LADDER[takes]]
    assert chat.dialect.guidance == LADDER[takes]


def test_requests_in_flight_find_the_format_together(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "pipeline")

    def answer(body: dict[str, Any]) -> Any:
        refused = "json_schema" in body.get("response_format", {}).get("type", "")
        return error(400, "no response_format of this type") if refused else FINE

    with ScriptedServer(answer) as server:
        replies = ask(settings(server.url), [question(str(i), schema=SCHEMA) for i in range(30)])
    assert all(isinstance(reply, ChatReply) for reply in replies)
    assert set(formats(server)) == set(LADDER[:2])
    assert len(caplog.records) == 1


def test_a_free_answer_has_no_format() -> None:
    with ScriptedServer(in_turn(FINE)) as server:
        ask(settings(server.url), [question()])
    assert formats(server) == ["plain"]


def test_each_refused_field_is_met_once(caplog: pytest.LogCaptureFixture) -> None:
    def answer(body: dict[str, Any]) -> Any:
        for name in ("seed", "top_p", "max_tokens"):
            if name in body:
                return error(400, f"Unsupported parameter: '{name}'", param=name)
        return FINE

    with ScriptedServer(answer) as server:
        model = settings(server.url, serving={"concurrency": 1, "attempts": 1}, max_tokens=33)
        replies = ask(model, [question("one"), question("two")])
    assert all(isinstance(reply, ChatReply) for reply in replies)
    assert len(server.requests) == 5
    assert server.requests[-1].keys() == {"model", "messages", "temperature", "max_completion_tokens"}
    assert server.requests[-1]["max_completion_tokens"] == 33
    assert [record.message.rsplit("does not take", 1)[1].split(":")[0] for record in caplog.records] == [
        " seed",
        " top_p",
        " max_tokens",
    ]


def test_never_more_in_flight_than_the_recipe_allows() -> None:
    seen: list[int] = []
    now = 0

    async def answer(body: dict[str, Any]) -> str:
        nonlocal now
        now += 1
        seen.append(now)
        while max(seen) < 5:  # hold the first requests until the limit is reached, however slow the machine
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.02)
        now -= 1
        return FINE

    with ScriptedServer(answer) as server:
        ask(settings(server.url, serving={"concurrency": 5}), [question(str(i)) for i in range(40)])
    assert max(seen) == 5


def test_a_busy_server_gets_fewer_requests_at_once() -> None:
    async def fill(chat: OpenAIChat) -> int:
        await converse(chat, [question(str(i)) for i in range(16)])
        return chat.limiter.limit

    with ScriptedServer(in_turn(*[error(429)] * 16, FINE)) as server:
        assert asyncio.run(fill(OpenAIChat(settings(server.url, serving={"concurrency": 16}), QUICK))) < 16


def test_a_canceled_request_gives_its_place_back() -> None:
    async def answer(body: dict[str, Any]) -> str:
        if "slow" in json.dumps(body):
            await asyncio.sleep(30)
        return FINE

    async def stop_one(chat: OpenAIChat) -> ChatReply | Failure:
        slow = asyncio.create_task(chat.complete(question("slow")))
        while not server.requests:
            await asyncio.sleep(0.01)
        slow.cancel()
        result = await chat.complete(question("quick"))
        await chat.close()
        return result

    with ScriptedServer(answer) as server:
        chat = OpenAIChat(settings(server.url, serving={"concurrency": 1, "timeout_s": 10}), QUICK)
        assert isinstance(asyncio.run(asyncio.wait_for(stop_one(chat), 10)), ChatReply)
    assert chat.limiter.in_flight == 0


@pytest.mark.parametrize("stored", [False, True])
def test_open_generator(tmp_path: Path, stored: bool) -> None:
    request = TextRequest(
        "rewrite",
        "en",
        {"instruction": "Describe rivers."},
        3,
        {"max_length": 60},
        prompt="ke-rewrite/v2",
        form="whole",
    )
    answers = []
    with ScriptedServer() as server:
        for _ in range(2):
            generator = openai_model.open_generator(settings(server.url), open_place(tmp_path) if stored else None)
            try:
                answers += generator.generate([request])
            finally:
                generator.close()  # type: ignore[attr-defined]
            assert (generator.name, generator.version) == ("openai", "scripted@unpinned")
    assert [isinstance(answer, TextAnswer) for answer in answers] == [True, True]
    assert [answer.spent.reused for answer in answers] == ([0, 1] if stored else [0, 0])
    assert len(server.requests) == (1 if stored else 2)


@pytest.mark.parametrize(
    ("model", "revision", "version"),
    [
        ("Qwen/Qwen3-8B", None, "Qwen/Qwen3-8B@unpinned"),
        ("Qwen/Qwen3-8B", "abc", "Qwen/Qwen3-8B@abc"),
        ("/home/me/models/tiny", "abc", "tiny@abc"),
    ],
)
def test_version(model: str, revision: str | None, version: str) -> None:
    assert openai_model.version(settings(None, model=model, revision=revision)) == version


def test_version_of_the_library() -> None:
    assert openai_model.version()[0].isdigit()


@pytest.mark.parametrize(
    ("name", "value", "differs"),
    [
        ("temperature", 0.1, True),
        ("revision", "2", True),
        ("extra_body", {"top_k": 2}, True),
        ("template_options", {"thinking": True}, True),
        ("guided", "always", False),
    ],
)
def test_answers_depend_on_sampling_and_not_on_guidance(name: str, value: Any, differs: bool) -> None:
    other = settings("http://elsewhere/v1", **{name: value})
    assert (openai_model.identity(settings(None)) != openai_model.identity(other)) is differs


def test_two_local_checkpoints_of_one_name_do_not_share_answers() -> None:
    one, other = (openai_model.identity(settings(None, model=path)) for path in ("/a/tiny", "/b/tiny"))
    assert one != other
