"""`openai-speech` against a scripted server: what is sent, what comes back, what stops the engine."""

import asyncio
import base64
import logging
import socket
from collections.abc import Callable
from io import BytesIO
from typing import Any

import numpy as np
import pytest
import soundfile
from aiohttp import web

from manifests.errors import EngineDied, EngineUnavailable, UserError
from manifests.reasons import Reason
from pipeline.audio.samples import encode
from pipeline.engines.contract import Clip, Failure, SpeechRequest
from pipeline.engines.registry import load_engine
from pipeline.engines.tts import openai_speech
from pipeline.engines.tts.openai_speech import OpenAISpeech, OpenAISpeechModel
from tests.servers import wire
from tests.servers.audio_asking import say, serving, speech, voice
from tests.servers.faulty_audio import speak
from tests.servers.scripted import Answer
from tests.servers.scripted_audio import ScriptedAudioServer
from tests.tables import each_row

KEY = "sekrit-Zx81Yy92Ww73"
WAV = encode(np.full(160, 0.25, np.float32), 16_000, "wav").bytes


@pytest.fixture(autouse=True)
def no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


def in_turn(*said: Any) -> Answer:
    """The answers one after another, the last one for ever."""
    left = list(said)

    def answer(body: dict[str, Any]) -> Any:
        one = left.pop(0) if len(left) > 1 else left[0]
        return one() if callable(one) else one

    return answer


def error(status: int, message: str = "no", **fields: Any) -> tuple[int, dict[str, Any]]:
    return status, wire.error(message, **fields)


def plain(body: bytes, media_type: str = "audio/wav", status: int = 200, **headers: str) -> Callable[[], Any]:
    return lambda: web.Response(body=body, status=status, headers={"Content-Type": media_type, **headers})


def synthesize(
    server: ScriptedAudioServer, *requests: SpeechRequest, driven: Any = None, **model: Any
) -> list[Clip | Failure]:
    with speech(server.url, driven=driven, **model) as engine:
        return engine.synthesize(requests)


PLAIN = {"model": "scripted", "input": "Rivers run.", "voice": "anna", "response_format": "wav"}
PROMPT = encode(np.full(80, 0.5, np.float32), 16_000, "wav").bytes
FLAC_PROMPT = encode(np.full(80, 0.5, np.float32), 16_000, "flac").bytes


def data_url(kind: str, audio: bytes) -> str:
    return f"data:audio/{kind};base64,{base64.b64encode(audio).decode()}"


WITHOUT_VOICE = {name: value for name, value in PLAIN.items() if name != "voice"}


@each_row(
    ("request_", "model", "sent"),
    [
        pytest.param(say(), {}, PLAIN, id="no more than is needed"),
        pytest.param(say(rate=1.2), {}, PLAIN | {"speed": 1.2}, id="the request's rate"),
        pytest.param(say(), {"send_seed": True}, PLAIN | {"seed": 7}, id="with its seed"),
        pytest.param(say(), {"extra_body": {"task_type": "Base"}}, PLAIN | {"task_type": "Base"}, id="more fields"),
        pytest.param(
            say(prompt_audio=PROMPT, prompt_text="Hello."),
            {"send_reference": True},
            WITHOUT_VOICE | {"ref_audio": data_url("wav", PROMPT), "ref_text": "Hello."},
            id="a recording",
        ),
        pytest.param(
            say(prompt_audio=FLAC_PROMPT),
            {"send_reference": True},
            WITHOUT_VOICE | {"ref_audio": data_url("flac", FLAC_PROMPT)},
            id="a recording whose text is not known",
        ),
    ],
)
def test_one_request_to_the_letter(request_: SpeechRequest, model: dict[str, Any], sent: dict[str, Any]) -> None:
    with ScriptedAudioServer(in_turn(WAV)) as server:
        (clip,) = synthesize(server, request_, **model)
    assert isinstance(clip, Clip)
    assert (clip.sample_rate, clip.samples.tolist()) == (16_000, [0.25] * 160)
    assert server.requests == [sent]
    assert server.headers[0]["Authorization"] == "Bearer EMPTY"


def rated(own: float, asked: float) -> SpeechRequest:
    return SpeechRequest("Rivers run.", "en", voice(rate=own), asked, seed=2**62 + 5)


@pytest.mark.parametrize(
    ("own", "asked", "speed"), [(1.1, 0.9, 0.99), (0.5, 2.0, None), (2.0, 2.0, 4.0), (0.5, 0.5, 0.25)]
)
def test_the_speed_is_the_voice_times_the_request(own: float, asked: float, speed: float | None) -> None:
    with ScriptedAudioServer(in_turn(WAV)) as server:
        synthesize(server, rated(own, asked), send_seed=True)
    assert server.requests[0].get("speed") == speed
    assert server.requests[0]["seed"] == 5


@pytest.mark.parametrize(
    ("request_", "detail"),
    [
        (rated(2.0, 2.1), "speed 4.2 is not in 0.25..4.0"),
        (rated(0.5, 0.4), "speed 0.2 is not in 0.25..4.0"),
        (say(" "), "the text is empty"),
    ],
)
def test_what_no_server_is_asked(request_: SpeechRequest, detail: str) -> None:
    with ScriptedAudioServer(in_turn(WAV)) as server:
        results = synthesize(server, request_, say())
    assert results[0] == Failure(Reason.SYNTHESIS_FAILED, detail)
    assert isinstance(results[1], Clip)
    assert len(server.requests) == 1


EMBEDDING = np.ones(4, np.float32) / 2


@pytest.mark.parametrize(
    ("more", "model", "sentence"),
    [
        ({"embedding": EMBEDDING}, {}, "voice-bad is an embedding"),
        ({"embedding": EMBEDDING}, {"send_reference": True}, "voice-bad is an embedding"),
        ({"prompt_audio": PROMPT}, {}, "voice-bad is a recording; set send_reference"),
        ({"prompt_audio": PROMPT, "embedding": EMBEDDING}, {}, "voice-bad is a recording; set send_reference"),
        ({"pitch": 1.2}, {}, "voice-bad has a pitch of its own"),
    ],
)
def test_voices_that_no_server_of_this_kind_can_have(more: Any, model: Any, sentence: str) -> None:
    with ScriptedAudioServer(in_turn(WAV)) as server, pytest.raises(UserError, match=sentence):
        synthesize(server, say(), say(speaker="bad", **more), **model)
    assert server.requests == []


def test_clips_come_in_the_order_of_the_requests() -> None:
    async def late_first(body: dict[str, Any]) -> bytes:
        await asyncio.sleep(0.3 if body["input"].endswith(" 0.") else 0)
        return speak(body)

    texts = [f"River {'very ' * i}{i}." for i in range(12)]
    with ScriptedAudioServer(late_first) as server:
        clips = synthesize(server, *(say(text) for text in texts))
    assert [len(clip.samples) for clip in clips if isinstance(clip, Clip)] == [960 * len(text) for text in texts]


def test_raw_samples_have_the_recipe_s_rate() -> None:
    with ScriptedAudioServer(in_turn(plain(b"\0\x40" * 9, "audio/pcm"))) as server:
        (clip,) = synthesize(server, say(), response_format="pcm", pcm_sample_rate=44_100)
    assert isinstance(clip, Clip)
    assert (clip.sample_rate, clip.samples.tolist()) == (44_100, [0.5] * 9)
    assert server.requests[0]["response_format"] == "pcm"


@each_row(
    "spoiled",
    [
        error(408),
        error(429),
        error(500),
        error(502),
        error(503),
        plain(b"busy", "text/plain", 429, **{"Retry-After": "0.01"}),
        plain(b""),
        plain(WAV[:100]),
        plain(b"<html></html>", "text/html"),
        {"detail": "no worker"},
        {"error": {"message": "upstream", "code": 503}},
        {"error": {"message": "slow down", "code": 429}},
    ],
)
def test_a_spoiled_answer_is_asked_for_again(spoiled: Any) -> None:
    with ScriptedAudioServer(in_turn(spoiled, WAV)) as server:
        (clip,) = synthesize(server, say())
    assert isinstance(clip, Clip)
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("spoiled", "what"),
    [(error(500), "HTTP 500"), (plain(WAV[:100]), "the audio is cut off"), (plain(b""), "the answer is empty")],
)
def test_after_the_last_attempt_it_is_a_failure(spoiled: Any, what: str, caplog: pytest.LogCaptureFixture) -> None:
    with ScriptedAudioServer(in_turn(spoiled)) as server:
        results = synthesize(server, say(), say("Rivers stop."))
    assert results == [Failure(Reason.SYNTHESIS_FAILED, f"{what}, 4 attempts")] * 2
    assert len(server.requests) == 8
    assert [what in record.message for record in caplog.records] == [True]


@pytest.mark.parametrize(
    "said",
    [
        error(400, "input is too long: 5000 characters exceed 4096"),
        error(413),
        error(422, "odd"),
        error(400, "flagged by moderation"),
        error(400, "odd", code=400)[1],
    ],
)
def test_what_no_repetition_helps_is_asked_once(said: Any) -> None:
    with ScriptedAudioServer(in_turn(said)) as server:
        (failure,) = synthesize(server, say())
    assert isinstance(failure, Failure) and failure.reason is Reason.SYNTHESIS_FAILED
    assert failure.detail.startswith("HTTP 4")
    assert len(server.requests) == 1


@each_row(
    ("said", "sentence"),
    [
        (error(401), "wants a key in the environment variable OPENAI_API_KEY"),
        (error(403), "wants a key in the environment variable OPENAI_API_KEY"),
        (error(404), r"has no model 'scripted' \(HTTP 404\)"),
        (error(405), r"has no model 'scripted' \(HTTP 405\)"),
        (error(400, "model scripted does not exist"), r"has no model 'scripted' \(HTTP 400\)"),
        (error(402), r"the account has no credit \(HTTP 402\)"),
        (error(429, code="insufficient_quota"), r"the account has no credit \(HTTP 429\)"),
        (error(400, "response_format wav is not supported"), "does not take the model's setting response_format"),
        (error(400, "Invalid voice 'anna'. Supported: none"), r"has no voice 'anna' \(HTTP 400: Invalid voice 'anna'"),
        (error(404, "Voice anna not found"), "has no voice 'anna'"),
        (
            (422, {"detail": [{"loc": ["body", "voice"], "msg": "Input should be 'alloy' or 'echo'"}]}),
            "has no voice 'anna'",
        ),
    ],
)
def test_what_is_wrong_for_all_requests_stops_the_engine(said: Any, sentence: str) -> None:
    with ScriptedAudioServer(in_turn(said)) as server, pytest.raises(EngineUnavailable, match=sentence):
        synthesize(server, say())
    assert len(server.requests) == 1


def test_an_answer_that_loses_sound_stops_the_engine() -> None:
    file = BytesIO()
    soundfile.write(file, np.zeros(999, np.float32), 16_000, format="OGG")
    with (
        ScriptedAudioServer(in_turn(plain(file.getvalue(), "audio/ogg"))) as server,
        pytest.raises(EngineUnavailable, match="answers with OGG where flac was asked for"),
    ):
        synthesize(server, say(), response_format="flac")


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(error(400, "Invalid voice 'anna'"), id="a voice that it has spoken with"),
        pytest.param(error(400, "model not found"), id="a model that has spoken"),
        pytest.param(error(400, "speed is not supported"), id="a field, after all"),
    ],
)
def test_of_a_server_that_has_spoken_it_is_about_the_one_request(said: Any) -> None:
    with ScriptedAudioServer(in_turn(WAV, said)) as server, speech(server.url) as engine:
        (clip,) = engine.synthesize([say()])
        (failure,) = engine.synthesize([say(rate=1.5)])
    assert isinstance(clip, Clip)
    assert isinstance(failure, Failure) and failure.reason is Reason.SYNTHESIS_FAILED


def test_a_text_cannot_stop_the_engine_by_being_quoted() -> None:
    def quoting(body: dict[str, Any]) -> Any:
        return error(400, f"cannot say: {body['input']}")

    with ScriptedAudioServer(quoting) as server:
        (failure,) = synthesize(server, say("The voice anna was not found."))
    assert isinstance(failure, Failure)


def test_a_text_without_utf8_form_is_a_failure() -> None:
    with ScriptedAudioServer(in_turn(WAV)) as server:
        results = synthesize(server, say("half \ud83d"))
    assert results == [Failure(Reason.SYNTHESIS_FAILED, "the text is not valid Unicode")]


@each_row(
    ("listed", "said", "sentence"),
    [
        pytest.param(("scripted", "other"), None, None, id="the model is listed"),
        pytest.param(None, None, None, id="no list at all"),
        pytest.param((), None, None, id="an empty list"),
        pytest.param(("alias",), error(422, "input: field required"), None, id="any name is taken"),
        pytest.param(("alias",), error(400, "voice: field required"), None, id="any name is taken, with 400"),
        pytest.param(("alias",), error(500), None, id="not listed, but not refused either"),
        pytest.param(("a", "/srv/b"), error(404), "has no model 'scripted'; it lists: a, b$", id="refused"),
        pytest.param(("a",), error(401), "wants a key in the environment variable", id="not listed and kept out"),
    ],
)
def test_the_start_says_nothing(listed: Any, said: Any, sentence: str | None) -> None:
    with ScriptedAudioServer(in_turn(said), models=listed) as server:
        if sentence is None:
            with speech(server.url):
                pass
        else:
            with pytest.raises(EngineUnavailable, match=sentence), speech(server.url):
                pass
    assert server.requests == ([{"model": "scripted"}] if said else [])


class ShutList(ScriptedAudioServer):
    """Keeps everybody from its list of models."""

    async def _list(self, request: web.Request) -> web.StreamResponse:
        return web.Response(status=401)


@pytest.mark.parametrize(("said", "in_vain"), [(error(400, "input: field required"), False), (error(401), True)])
def test_a_key_may_be_good_for_speech_only(said: Any, in_vain: bool) -> None:
    with ShutList(in_turn(said)) as server:
        if in_vain:
            with pytest.raises(EngineUnavailable, match="wants a key"), speech(server.url):
                pass
        else:
            with speech(server.url):
                pass


def test_a_server_that_is_not_there() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    sentence = f"^openai-speech: the server at 127.0.0.1:{port} cannot be reached$"
    url = f"http://me:word@127.0.0.1:{port}/v1"
    with pytest.raises(EngineUnavailable, match=sentence), speech(url, driven={"patience_s": 0.3}):
        pass


@pytest.mark.parametrize("status", [400, 401, 402, 404])
def test_no_secret_is_ever_said(
    status: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    caplog.set_level(logging.DEBUG)
    said = [""]
    with ScriptedAudioServer(
        in_turn(error(status, f"no /home/private/tiny for {KEY}, {KEY[:8]}***")), models=None
    ) as server:
        try:
            (failure,) = synthesize(server, say(), model="/home/private/tiny")
            said.append(repr(failure))
        except EngineUnavailable as caught:
            assert caught.__suppress_context__ or caught.__context__ is None
            said.append(str(caught))
        authorization = server.headers[0]["Authorization"]
    assert authorization == f"Bearer {KEY}"
    # The library's own debug lines hold the request, and with it the model's path.
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("pipeline")]
    for text in [*said, *ours]:
        assert KEY[:8] not in text and "private" not in text
    assert KEY not in caplog.text


def test_closing_ends_what_is_asked_and_what_comes_later() -> None:
    with ScriptedAudioServer(in_turn(WAV)) as server, speech(server.url) as engine:
        engine.close()
        engine.close()
        with pytest.raises(EngineDied):
            engine.synthesize([say()])


def test_the_engine_of_the_table() -> None:
    with ScriptedAudioServer(in_turn(WAV)) as server:
        model = OpenAISpeechModel(engine="openai-speech", model="scripted", revision="2", serving=serving(server.url))
        engine = load_engine("tts", "voices", {"voices": model})
        try:
            assert isinstance(engine, OpenAISpeech)
            assert (engine.name, engine.version) == ("openai-speech", "scripted@2")
            assert isinstance(engine.synthesize([say()])[0], Clip)
        finally:
            engine.close()


@pytest.mark.parametrize(
    ("model", "label"), [("Qwen/Qwen3-TTS", "Qwen/Qwen3-TTS@unpinned"), ("/home/me/tiny", "tiny@unpinned")]
)
def test_version(model: str, label: str) -> None:
    assert openai_speech.version(OpenAISpeechModel(engine="openai-speech", model=model)) == label
    assert openai_speech.version()[0].isdigit()
