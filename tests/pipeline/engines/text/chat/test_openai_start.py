"""The check of a server at the start, its address and key; and that no secret is ever shown."""

import asyncio
import base64
import logging
import socket
import threading
from typing import Any

import pytest
from aiohttp import web

from manifests.errors import EngineUnavailable
from pipeline.engines.contract import ChatReply, Failure
from pipeline.engines.remote.endpoint import resolve_endpoint
from pipeline.engines.text._chat.openai_model import OpenAIChat
from tests.servers import wire
from tests.servers.asking import QUICK, ask, question, settings
from tests.servers.faulty import FaultyServer
from tests.servers.scripted import ScriptedServer
from tests.tables import each_row

KEY = "sekrit-Zx81Yy92Ww73"


@pytest.fixture(autouse=True)
def no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def start(model: Any) -> None:
    async def look() -> None:
        chat = OpenAIChat(model, QUICK)
        try:
            await chat.start()
        finally:
            await chat.close()

    asyncio.run(asyncio.wait_for(look(), 30))


@pytest.mark.parametrize(
    ("base_url", "environment", "url", "name", "key"),
    [
        ("http://h:8000/v1", {}, "http://h:8000/v1", "h:8000", None),
        ("http://h:8000/v1", {"OPENAI_API_KEY": "k"}, "http://h:8000/v1", "h:8000", "k"),
        ("https://h/v1", {"OPENAI_API_KEY": " k\n"}, "https://h/v1", "h:443", "k"),
        (None, {"OPENAI_BASE_URL": "http://e/v1"}, "http://e/v1", "e:80", None),
        ("http://h/v1", {"OPENAI_BASE_URL": "http://e/v1"}, "http://h/v1", "h:80", None),
        (None, {"OPENAI_API_KEY": "k"}, "https://api.openai.com/v1", "api.openai.com:443", "k"),
        ("http://me:word@h/v1", {}, "http://h/v1", "h:80", None),
        ("http://[::1]:8000/v1", {}, "http://[::1]:8000/v1", "[::1]:8000", None),
    ],
)
def test_address_and_key(
    base_url: str | None,
    environment: dict[str, str],
    url: str,
    name: str,
    key: str | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    endpoint = resolve_endpoint("openai", settings(base_url).serving)
    assert (endpoint.base_url, endpoint.name, endpoint.key) == (url, name, key)


@pytest.mark.parametrize(
    ("base_url", "key", "sentence"),
    [
        (None, "", "api.openai.com wants a key in the environment variable OPENAI_API_KEY"),
        ("https://eu.api.openai.com/v1", "", "eu.api.openai.com wants a key"),
        ("http://h/v1", "two words", "OPENAI_API_KEY holds cannot be a key"),
        ("http://h/v1", "schlüssel", "OPENAI_API_KEY holds cannot be a key"),
        ("h:8000/v1", "", "base_url must look like"),
        ("http:///v1", "", "base_url must look like"),
        ("http://h:port/v1", "", "base_url must look like"),
        ("http://h/v1?key=abc", "", "base_url must look like"),
        ("ftp://h/v1", "", "base_url must look like"),
    ],
)
def test_an_invalid_address_or_key_is_refused(
    base_url: str | None, key: str, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", key)
    with pytest.raises(EngineUnavailable, match=sentence) as caught:
        OpenAIChat(settings(base_url))
    assert "abc" not in str(caught.value) and "schlüssel" not in str(caught.value)


@each_row(
    ("listed", "chat", "sentence"),
    [
        pytest.param(("scripted", "other"), "fine", None, id="the model is listed"),
        pytest.param(None, "fine", None, id="no list at all"),
        pytest.param((), "fine", None, id="an empty list"),
        pytest.param(("alias",), "fine", None, id="any name is taken, as by llama.cpp"),
        pytest.param(("alias",), (500, {}), None, id="not listed, but not refused either"),
        pytest.param(("a", "/srv/models/b"), (404, {}), "has no model 'scripted'; it lists: a, b$", id="refused"),
        pytest.param(("a",), (400, wire.error("model not found")), "has no model 'scripted'", id="refused with 400"),
        pytest.param(("a",), (401, {}), "wants a key in the environment variable", id="not listed and kept out"),
    ],
)
def test_the_model_must_exist(listed: Any, chat: Any, sentence: str | None) -> None:
    with ScriptedServer(lambda body: chat, models=listed) as server:
        if sentence is None:
            start(settings(server.url))
        else:
            with pytest.raises(EngineUnavailable, match=sentence):
                start(settings(server.url))
    assert len(server.requests) == (0 if not listed or "scripted" in listed else 1)


class ListServer(ScriptedServer):
    """Its list of models answers with the given statuses in turn, and with the last one from then on."""

    def __init__(self, *statuses: int, chat: Any = "fine") -> None:
        super().__init__(lambda body: chat)
        self.looks = 0
        self._statuses = statuses

    async def _list(self, request: web.Request) -> web.StreamResponse:
        self.looks += 1
        return web.Response(status=self._statuses[min(self.looks, len(self._statuses)) - 1], text="<html></html>")


@each_row("status", [200, 404, 405, 429, 500, 501])
def test_a_server_whose_list_does_not_work_may_work(status: int) -> None:
    with ListServer(status) as server:
        start(settings(server.url))
    assert server.looks == 1


@each_row("status", [401, 403])
@each_row(("chat", "in_vain"), [("fine", False), ((401, {}), True), ((403, {}), True)])
def test_a_key_may_be_valid_for_chat_only(status: int, chat: Any, in_vain: bool) -> None:
    with ListServer(status, chat=chat) as server:
        if in_vain:
            with pytest.raises(EngineUnavailable, match=r"wants a key in the environment variable OPENAI_API_KEY$"):
                start(settings(server.url))
        else:
            start(settings(server.url))


def test_a_server_that_is_loading_is_waited_for() -> None:
    with ListServer(503, 502, 503, 200) as server:
        start(settings(server.url))
    assert server.looks == 4


def test_a_loading_server_is_not_waited_for_forever() -> None:
    with ListServer(503) as server, pytest.raises(EngineUnavailable, match=r"is not ready \(HTTP 503\)$"):
        start(settings(server.url, serving={"patience_s": 0.3}))


def test_a_server_that_is_not_there_stops_the_start() -> None:
    port = free_port()
    sentence = f"^openai: the server at 127.0.0.1:{port} cannot be reached$"
    with pytest.raises(EngineUnavailable, match=sentence):
        start(settings(f"http://me:word@127.0.0.1:{port}/v1", serving={"patience_s": 0.3}))


def test_a_server_that_starts_late_is_found() -> None:
    port = free_port()
    server = FaultyServer(port, fault_share=0)
    late = threading.Timer(0.5, server.start)
    late.start()
    try:
        (reply,) = ask(settings(f"http://127.0.0.1:{port}/v1", "faulty", serving={"patience_s": 25}), [question()])
        assert isinstance(reply, ChatReply)
    finally:
        late.join()
        server.kill()


def test_a_server_that_never_answers_stops_the_start() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(64)
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/v1"
        with pytest.raises(EngineUnavailable, match=r"takes connections but does not answer$"):
            start(settings(url, serving={"patience_s": 0.3}))


def _echo(body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """Quote everything that was sent, as some servers do."""
    return 400, wire.error(f"odd request with key {KEY}, {KEY[:8]}***, to http://me:{KEY}@host/v1")


@pytest.mark.parametrize("base", ["http://", f"http://me:{KEY}-word@"])
def test_no_secret_reaches_a_failure_or_a_log(
    base: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    caplog.set_level(logging.DEBUG)
    with ScriptedServer(_echo, models=None) as server:
        url = server.url.replace("http://", base)
        (reply,) = ask(settings(url), [question()])
        said = [repr(reply), caplog.text, repr(OpenAIChat(settings(url)))]
        ways = {header.get("Authorization", "").split(" ")[0] for header in server.headers}
    assert isinstance(reply, Failure) and reply.detail.startswith("HTTP 400: odd request with key ***, ***, to ")
    assert ways == {"Basic" if "@" in base else "Bearer"}
    encoded = base64.b64encode(f"me:{KEY}-word".encode()).decode()
    for text in said:
        assert KEY not in text and KEY[:8] not in text and encoded not in text


@pytest.mark.parametrize("status", [401, 403, 404, 402])
def test_no_secret_reaches_the_error_that_ends_the_job(
    status: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    quoting = ScriptedServer(lambda body: (status, _echo(body)[1]), models=None)
    with quoting as server, pytest.raises(EngineUnavailable) as caught:
        ask(settings(server.url, model="/home/private/tiny"), [question()])
    assert KEY[:8] not in str(caught.value) + caplog.text
    assert "private" not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_the_key_may_come_from_another_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "not-this-one")
    monkeypatch.setenv("MY_KEY", KEY)
    with ScriptedServer(lambda body: "fine") as server:
        ask(settings(server.url, serving={"api_key_env": "MY_KEY"}), [question()])
    assert server.headers[0]["Authorization"] == f"Bearer {KEY}"
