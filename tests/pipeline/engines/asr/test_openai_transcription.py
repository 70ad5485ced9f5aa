"""`openai-transcription` against a scripted server: what is sent, what comes back, what stops the engine."""

import asyncio
from io import BytesIO
from typing import Any

import numpy as np
import pytest
import soundfile
from aiohttp import web

from manifests.errors import EngineDied, EngineUnavailable
from manifests.reasons import Reason
from pipeline.engines.asr import openai_transcription
from pipeline.engines.asr.openai_transcription import OpenAITranscription, OpenAITranscriptionModel
from pipeline.engines.contract import Clip, Failure, Transcript
from pipeline.engines.registry import load_engine
from tests.servers import wire
from tests.servers.audio_asking import serving, transcription
from tests.servers.scripted import Answer
from tests.servers.scripted_audio import ScriptedAudioServer

KEY = "sekrit-Zx81Yy92Ww73"
CLIP = Clip((np.arange(-80, 80) / 256).astype(np.float32), 22_050)


@pytest.fixture(autouse=True)
def no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


def in_turn(*said: Any) -> Answer:
    """The answers one after another, the last one for ever."""
    left = list(said)
    return lambda form: left.pop(0) if len(left) > 1 else left[0]


def error(status: int, message: str = "no", **fields: Any) -> tuple[int, dict[str, Any]]:
    return status, wire.error(message, **fields)


def hear(server: ScriptedAudioServer, *clips: Clip, language: str = "en", **more: Any) -> list[Transcript | Failure]:
    with transcription(server.url, **more) as engine:
        return engine.transcribe(clips, [language] * len(clips))


@pytest.mark.parametrize(
    ("model", "more"),
    [
        ({}, {}),
        ({"temperature": 0.5}, {"temperature": "0.5"}),
        ({"extra_body": {"response_format": "verbose_json"}}, {"response_format": "verbose_json"}),
        ({"extra_body": {"prompt": "河流"}}, {"prompt": "河流"}),
    ],
)
def test_one_request_to_the_letter(model: dict[str, Any], more: dict[str, str]) -> None:
    with ScriptedAudioServer(in_turn("Rivers run.")) as server:
        assert hear(server, CLIP, language="zh", **model) == [Transcript("Rivers run.")]
    (form,) = server.requests
    samples, rate = soundfile.read(BytesIO(form.pop("file")), dtype="float32")
    assert rate == 22_050
    np.testing.assert_array_equal(samples, CLIP.samples)
    assert (
        form
        == {
            "file_name": "clip.flac",
            "file_type": "audio/flac",
            "model": "scripted",
            "language": "zh",
            "temperature": "0.0",
            "response_format": "json",
        }
        | more
    )
    assert server.headers[0]["Authorization"] == "Bearer EMPTY"


@pytest.mark.parametrize(
    ("said", "transcript"),
    [
        ({"text": ""}, Transcript("")),
        ({"text": " Hi. ", "segments": [{"avg_logprob": -0.5, "no_speech_prob": 0.1}]}, Transcript("Hi.", -0.5, 0.1)),
        (lambda: web.Response(text="Hi.\n"), Transcript("Hi.")),
        ({"text": "language English<asr_text>Hi."}, Transcript("Hi.")),
        ({"text": "Which language is English?"}, Transcript("Which language is English?")),
    ],
    ids=["nothing heard", "verbose", "plain text", "as Qwen3-ASR writes it", "a question"],
)
def test_what_comes_back(said: Any, transcript: Transcript) -> None:
    with ScriptedAudioServer(lambda form: said() if callable(said) else said) as server:
        assert hear(server, CLIP) == [transcript]


def clip_of(number: int) -> Clip:
    return Clip(np.full(100 + number, 0.5, np.float32), 16_000)


def test_transcripts_come_in_the_order_of_the_clips() -> None:
    async def late_first(form: dict[str, Any]) -> str:
        length = soundfile.info(BytesIO(form["file"])).frames
        await asyncio.sleep(0.3 if length == 100 else 0)
        return f"{length} {form['language']}"

    languages = ["en" if number % 2 else "zh" for number in range(12)]
    with ScriptedAudioServer(late_first) as server, transcription(server.url) as engine:
        heard = engine.transcribe([clip_of(number) for number in range(12)], languages)
    assert heard == [Transcript(f"{100 + number} {language}") for number, language in enumerate(languages)]


@pytest.mark.parametrize("samples", [[], [0.1, float("nan")], [float("inf")]])
def test_clips_that_no_server_is_asked_about(samples: list[float]) -> None:
    with ScriptedAudioServer(in_turn("Rivers run.")) as server:
        failure, good = hear(server, Clip(np.array(samples, np.float32), 16_000), CLIP)
    assert isinstance(failure, Failure) and failure.reason is Reason.RECOGNITION_FAILED
    assert good == Transcript("Rivers run.")
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "spoiled",
    [error(429), error(500), error(503), {"words": []}, {"error": {"message": "upstream", "code": 503}}],
)
def test_a_spoiled_answer_is_asked_for_again_with_the_same_file(spoiled: Any) -> None:
    with ScriptedAudioServer(in_turn(spoiled, "Rivers run.")) as server:
        assert hear(server, CLIP) == [Transcript("Rivers run.")]
    assert len(server.requests) == 2
    assert server.requests[0] == server.requests[1]


@pytest.mark.parametrize(
    ("said", "detail", "times"),
    [
        (error(500), "HTTP 500, 4 attempts", 4),
        ({"words": []}, "no text in the answer, 4 attempts", 4),
        (error(400, "the audio is too short"), "HTTP 400: the audio is too short", 1),
        (error(413, "too large"), "HTTP 413: too large", 1),
    ],
)
def test_failures(said: Any, detail: str, times: int) -> None:
    with ScriptedAudioServer(in_turn(said)) as server:
        assert hear(server, CLIP) == [Failure(Reason.RECOGNITION_FAILED, detail)]
    assert len(server.requests) == times


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        (error(401), "wants a key in the environment variable OPENAI_API_KEY"),
        (error(403), "wants a key in the environment variable OPENAI_API_KEY"),
        (error(404), r"has no model 'tiny' \(HTTP 404\)"),
        (error(402), "the account has no credit"),
        (
            error(400, "Unsupported parameter: language", param="language"),
            "does not take the model's setting language",
        ),
    ],
)
def test_what_is_wrong_for_all_requests_stops_the_engine(
    said: Any, sentence: str, caplog: pytest.LogCaptureFixture
) -> None:
    with ScriptedAudioServer(in_turn(said), models=None) as server:
        with pytest.raises(EngineUnavailable, match=f"^openai-transcription: the server at .*{sentence}") as caught:
            hear(server, CLIP, model="/home/private/tiny")
        assert len(server.requests) == 1
    assert "private" not in str(caught.value)


@pytest.mark.parametrize(
    ("said", "sentence"),
    [(error(422, "file: field required"), None), (error(404), "has no model 'scripted'; it lists: other$")],
)
def test_the_start_sends_no_clip(said: Any, sentence: str | None) -> None:
    with ScriptedAudioServer(in_turn(said), models=("other",)) as server:
        if sentence is None:
            with transcription(server.url):
                pass
        else:
            with pytest.raises(EngineUnavailable, match=sentence), transcription(server.url):
                pass
    assert server.requests == [{"model": "scripted"}]


def test_no_key_in_any_message(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setenv("MY_KEY", KEY)
    with ScriptedAudioServer(in_turn(error(400, f"odd request with {KEY}"))) as server:
        results = hear(server, CLIP, driven={"api_key_env": "MY_KEY"})
    assert server.headers[0]["Authorization"] == f"Bearer {KEY}"
    assert results == [Failure(Reason.RECOGNITION_FAILED, "HTTP 400: odd request with ***")]
    assert KEY not in caplog.text


def test_the_engine_of_the_table() -> None:
    with ScriptedAudioServer(in_turn("Rivers run.")) as server:
        model = OpenAITranscriptionModel(
            engine="openai-transcription", model="scripted", revision="2", serving=serving(server.url)
        )
        engine = load_engine("asr", "ears", {"ears": model})
        try:
            assert isinstance(engine, OpenAITranscription)
            assert (engine.name, engine.version, engine.languages) == ("openai-transcription", "scripted@2", None)
            assert engine.transcribe([CLIP], ["en"]) == [Transcript("Rivers run.")]
        finally:
            engine.close()
        with pytest.raises(EngineDied):
            engine.transcribe([CLIP], ["en"])


def test_version() -> None:
    model = OpenAITranscriptionModel(engine="openai-transcription", model="/home/me/tiny", revision="2")
    assert openai_transcription.version(model) == "tiny@2"
    assert openai_transcription.version()[0].isdigit()
