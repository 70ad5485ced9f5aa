"""The audio servers themselves: tones that they hear again, and faults that are what their names say."""

import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from io import BytesIO
from typing import Any

import pytest
import soundfile

from tests.servers.faulty_audio import AUDIO_FAULTS, MODEL, FaultyAudioServer, hear, speak
from tests.servers.scripted_audio import ScriptedAudioServer

SAYING = {"model": MODEL, "input": "Rivers run. 河流", "voice": "anna"}
GOOD = speak(SAYING)


def post(url: str, path: str, body: bytes, media_type: str) -> tuple[int, bytes]:
    request = urllib.request.Request(f"{url}{path}", body, {"Content-Type": media_type}, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def say(url: str, body: Mapping[str, Any] = SAYING) -> tuple[int, bytes]:
    return post(url, "/audio/speech", json.dumps(body).encode(), "application/json")


def form(boundary: str, **fields: str | bytes) -> bytes:
    parts = []
    for name, value in fields.items():
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"'
        if isinstance(value, bytes):
            head += '; filename="clip.wav"\r\nContent-Type: audio/wav'
        parts.append(f"{head}\r\n\r\n".encode() + (value if isinstance(value, bytes) else value.encode()) + b"\r\n")
    return b"".join(parts) + f"--{boundary}--\r\n".encode()


def transcribe(url: str, boundary: str = "x") -> tuple[int, bytes]:
    body = form(boundary, file=GOOD, model=MODEL, language="en")
    return post(url, "/audio/transcriptions", body, f"multipart/form-data; boundary={boundary}")


def test_what_is_said_is_heard_again() -> None:
    with FaultyAudioServer(fault_share=0) as server:
        status, spoken = say(server.url)
        heard = transcribe(server.url)
    assert (status, spoken) == (200, GOOD)
    assert (heard[0], json.loads(heard[1])) == (200, {"text": SAYING["input"]})
    assert hear({"file": GOOD, "language": "en"}) == SAYING["input"]


def test_a_voice_has_its_own_timbre() -> None:
    assert speak(SAYING) == GOOD != speak(SAYING | {"voice": "berta"})


def test_only_one_model_is_known() -> None:
    with FaultyAudioServer(fault_share=0) as server:
        assert say(server.url, SAYING | {"model": "other"})[0] == 404


@pytest.mark.parametrize("fault", sorted(AUDIO_FAULTS.keys() - {"quick-drip", "slow-drip"}))
@pytest.mark.parametrize("work", [say, transcribe])
def test_faults_are_no_good_answers(fault: str, work: Any) -> None:
    with FaultyAudioServer(fault_share=1, faults=fault) as server:
        try:
            status, body = work(server.url)
        except (OSError, http.client.HTTPException):
            status, body = 0, b""
        stats = server.stats()
    assert status != 200 or body[:1] in b"<" or b"error" in body or body == GOOD[: len(GOOD) // 2] or len(body) < 20
    assert (stats["faults"], stats["good"]) == ({fault: 1}, {})


@pytest.mark.parametrize("fault", ["quick-drip", "slow-drip"])
def test_a_drip_is_a_good_answer_to_the_patient(fault: str) -> None:
    with FaultyAudioServer(fault_share=1, faults=fault, drip_s=0.5) as server:
        status, body = say(server.url)
    assert (status, body) == (200, GOOD)


def test_a_form_is_the_same_request_whatever_its_boundary() -> None:
    with FaultyAudioServer(fault_share=0) as server:
        for boundary in ("one", "two"):
            transcribe(server.url, boundary)
        assert list(server.stats()["good"].values()) == [2]


def test_a_scripted_server_hands_over_the_form() -> None:
    with ScriptedAudioServer(lambda body: "Rivers run.") as server:
        assert transcribe(server.url) == (200, b'{"text": "Rivers run."}')
    (body,) = server.requests
    assert soundfile.info(BytesIO(body.pop("file"))).samplerate == 16_000
    assert body == {"model": MODEL, "language": "en", "file_name": "clip.wav", "file_type": "audio/wav"}
