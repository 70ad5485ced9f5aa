"""The speech and transcription engines against the faulty server: a real process that resets, drips, lies and dies."""

import socket
import threading
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from manifests.errors import EngineDied, EngineUnavailable
from manifests.reasons import Reason
from pipeline.engines.contract import Clip, Failure, SpeechRequest
from pipeline.engines.tts.tone import ToneSynthesizer
from tests.servers.audio_asking import say, speech, transcription
from tests.servers.faulty_audio import AUDIO_FAULTS, MODEL, FaultyAudioServer
from tests.tables import each_row

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(autouse=True)
def no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


DRIVEN: dict[str, Any] = {"concurrency": 32, "timeout_s": 3, "attempts": 8, "patience_s": 60}


def requests(number: int) -> list[SpeechRequest]:
    return [say(f"River number {i} is {'very ' * (i % 5)}long.", speaker=f"speaker-{i % 7}") for i in range(number)]


def hears_its_text(
    clips: Sequence[Clip | Failure], asked: Sequence[SpeechRequest], texts: Sequence[Any]
) -> list[bool]:
    return [
        isinstance(clip, Clip) and len(clip.samples) == 960 * len(request.text) and heard.text == request.text
        for clip, request, heard in zip(clips, asked, texts, strict=True)
    ]


def test_with_three_in_ten_faulty_every_request_ends_in_its_clip_and_every_clip_in_its_text() -> None:
    asked = requests(150)
    with FaultyAudioServer(fault_share=0.3, seed=1, latency_ms=5, drip_s=12) as server:
        with speech(server.url, MODEL, DRIVEN) as speaker:
            clips = speaker.synthesize(asked)
        spoken = server.stats()
        server.reset()
        with transcription(server.url, MODEL, DRIVEN) as recognizer:
            texts = recognizer.transcribe([clip for clip in clips if isinstance(clip, Clip)], ["en"] * len(asked))
        heard = server.stats()
    assert all(hears_its_text(clips, asked, texts))
    for stats in (spoken, heard):
        assert stats["requests"] > 150
        assert len(stats["faults"]) >= len(AUDIO_FAULTS) - 1
        assert set(stats["good"].values()) == {1}, "no good answer was asked for again"


@each_row("fault", sorted(AUDIO_FAULTS.keys() - {"slow-drip"}))
def test_each_fault_alone(fault: str) -> None:
    """Half of the answers are spoiled in the same way."""
    asked = requests(12)
    driven = DRIVEN | {"attempts": 25}
    with FaultyAudioServer(fault_share=0.5, seed=3, faults=fault) as server:
        with speech(server.url, MODEL, driven) as speaker:
            clips = speaker.synthesize(asked)
        with transcription(server.url, MODEL, driven) as recognizer:
            texts = recognizer.transcribe([clip for clip in clips if isinstance(clip, Clip)], ["en"] * len(asked))
        assert server.stats()["faults"][fault] > 0
    assert all(hears_its_text(clips, asked, texts))


def test_a_lone_request_that_always_times_out_is_a_failure() -> None:
    driven = DRIVEN | {"timeout_s": 0.5, "attempts": 3}
    with (
        FaultyAudioServer(fault_share=1, drip_s=60, faults="slow-drip") as server,
        speech(server.url, MODEL, driven) as speaker,
    ):
        assert speaker.synthesize([say()]) == [Failure(Reason.SYNTHESIS_FAILED, "no answer in time, 3 attempts")]


def test_a_server_that_goes_away_and_comes_back_costs_nothing() -> None:
    asked = requests(60)
    with (
        FaultyAudioServer(fault_share=0, latency_ms=60) as server,
        speech(server.url, MODEL, DRIVEN | {"attempts": 2, "concurrency": 4}) as speaker,
    ):

        def away() -> None:
            time.sleep(0.3)
            server.kill()
            time.sleep(0.7)
            server.start()

        thread = threading.Thread(target=away)
        thread.start()
        clips = speaker.synthesize(asked)
        thread.join()
        assert server.stats()["requests"] > 0
    assert [type(clip) for clip in clips] == [Clip] * 60


@pytest.mark.parametrize("kind", ["speech", "transcription"])
def test_a_server_that_is_gone_for_good_is_dead(kind: str) -> None:
    driven = DRIVEN | {"attempts": 2, "concurrency": 4, "patience_s": 1}
    with FaultyAudioServer(fault_share=0, latency_ms=60) as server:
        (clip,) = ToneSynthesizer().synthesize([say()])
        assert isinstance(clip, Clip)
        killer = threading.Timer(0.3, server.kill)
        if kind == "speech":
            with speech(server.url, MODEL, driven) as speaker, pytest.raises(EngineDied, match="has not answered for"):
                killer.start()
                speaker.synthesize(requests(200))
        else:
            with transcription(server.url, MODEL, driven) as recognizer, pytest.raises(EngineDied) as caught:
                killer.start()
                recognizer.transcribe([clip] * 200, ["en"] * 200)
            assert "openai-transcription: the server at 127.0.0.1:" in str(caught.value)
        killer.join()


def test_a_server_that_never_answers_is_dead() -> None:
    with FaultyAudioServer(fault_share=0) as server:
        port = int(server.url.rsplit(":", 1)[1].split("/")[0])
        with speech(server.url, MODEL, {"timeout_s": 0.2, "patience_s": 0.5, "attempts": 1000}) as speaker:
            server.kill()
            with socket.socket() as mute:
                mute.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                mute.bind(("127.0.0.1", port))
                mute.listen(64)
                with pytest.raises(EngineDied, match=r"no answer in time$|the connection broke$"):
                    speaker.synthesize(requests(3))


def test_a_model_that_the_server_does_not_have() -> None:
    with FaultyAudioServer(fault_share=0) as server:
        with (
            pytest.raises(EngineUnavailable, match="has no model 'other'; it lists: tones"),
            speech(server.url, "other"),
        ):
            pass
        with pytest.raises(EngineUnavailable, match="has no model 'other'"), transcription(server.url, "other"):
            pass


def test_after_its_death_the_engine_says_so_at_once() -> None:
    with (
        FaultyAudioServer(fault_share=0) as server,
        speech(server.url, MODEL, DRIVEN | {"patience_s": 0.3}) as speaker,
    ):
        server.kill()
        for _ in range(2):
            with pytest.raises(EngineDied, match="no connection"):
                speaker.synthesize([say()])


def test_several_threads_at_once() -> None:
    asked = requests(40)
    results: dict[int, Any] = {}
    with (
        FaultyAudioServer(fault_share=0.2, seed=2, faults="500,reset") as server,
        speech(server.url, MODEL, DRIVEN) as speaker,
    ):

        def quarter(first: int) -> None:
            results[first] = speaker.synthesize(asked[first::4])

        threads = [threading.Thread(target=quarter, args=(first,)) for first in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    lengths = {first: [len(clip.samples) for clip in clips] for first, clips in results.items()}
    assert lengths == {first: [960 * len(one.text) for one in asked[first::4]] for first in range(4)}
    assert all(np.any(clip.samples) for clips in results.values() for clip in clips)
