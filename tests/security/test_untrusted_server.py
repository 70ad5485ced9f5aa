"""A server's answer chooses nothing: not where the next request goes, nor what a terminal or a log shows."""

import logging
from typing import Any

import numpy as np
import pytest
from aiohttp import web

from manifests.errors import EngineUnavailable
from pipeline.engines.contract import ChatReply, Clip, Failure
from tests.servers import wire
from tests.servers.asking import ask, question, settings
from tests.servers.audio_asking import transcription
from tests.servers.scripted import Answer, ScriptedServer
from tests.servers.scripted_audio import ScriptedAudioServer

SENTENCE = r"the server at \S+ redirects to http://127\.0\.0\.1:\d+, which is not followed: give that address"


@pytest.fixture(autouse=True)
def no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


def sent_on(url: str, status: int) -> Answer:
    return lambda body: web.Response(status=status, headers={"Location": url})


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("models", [None, ("scripted",)], ids=["at the start", "later"])
def test_a_redirect_to_another_server_is_not_followed(status: int, models: tuple[str, ...] | None) -> None:
    with ScriptedServer() as other:
        target = f"{other.url}/chat/completions"
        with ScriptedServer(sent_on(target, status), models) as server, pytest.raises(EngineUnavailable) as caught:
            ask(settings(server.url), [question("a secret prompt")])
        assert other.requests == []
    caught.match(SENTENCE)
    assert "\n" not in str(caught.value)


def test_a_clip_is_not_sent_to_another_server() -> None:
    with ScriptedAudioServer(lambda form: "heard") as other:
        target = f"{other.url}/audio/transcriptions"
        with (
            ScriptedAudioServer(sent_on(target, 307)) as server,
            pytest.raises(EngineUnavailable, match=SENTENCE),
            transcription(server.url) as engine,
        ):
            engine.transcribe([Clip(np.full(16_000, 0.1, np.float32), 16_000)], ["en"])
        assert other.requests == []


@pytest.mark.parametrize("target", ["http://[", "//evil.example/v1", "https:/x", "file:///etc/passwd"])
def test_an_odd_address_is_not_followed(target: str) -> None:
    with ScriptedServer(sent_on(target, 307), None) as server, pytest.raises(EngineUnavailable) as caught:
        ask(settings(server.url), [question()])
    assert str(caught.value).isprintable()


def test_a_redirect_to_the_same_server_is_followed() -> None:
    def answer(body: dict[str, Any]) -> Any:
        return "fine" if len(server.requests) > 1 else web.Response(status=307, headers={"Location": "completions"})

    with ScriptedServer(answer) as server:
        (reply,) = ask(settings(server.url), [question()])
    assert isinstance(reply, ChatReply) and reply.text == "fine"


def test_what_a_server_says_neither_steers_a_terminal_nor_shows_a_key(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "a1B2c3D4e5F6g7H8i9")
    said = "\x1b]0;PWNED\x07 key a1B2c3D4e5F6g7H8i9 \u202e at http://me:word@host"
    with ScriptedServer(lambda body: (400, wire.error(said))) as server, caplog.at_level(logging.WARNING):
        (reply,) = ask(settings(server.url), [question()])
    assert isinstance(reply, Failure) and reply.detail.isprintable()
    for text in (reply.detail, caplog.text):
        assert not {"a1B2", "word", "\x1b"} & {part for part in ("a1B2", "word", "\x1b") if part in text}
