"""The whole job with synthesizer and recognizer behind real HTTP servers, one of which misbehaves."""

import json
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from manifests.corpus import Corpus
from manifests.storage import open_place
from manifests.validate import validate
from parley.testing.stages import recognizer_of, take_of
from pipeline.job.directory import WORK
from tests.commands import run_parley
from tests.pipeline.tone_job import files_of
from tests.servers import wire
from tests.servers.faulty_audio import MODEL, FaultyAudioServer, speak
from tests.servers.scripted import Body
from tests.servers.scripted_audio import ScriptedAudioServer

KEY = "sk-not-for-any-file-0451"
ROWS = [
    *({"instruction": f"What is the capital of country number {i}?", "output": f"It is city {i}."} for i in range(20)),
    {"instruction": "天空为什么是蓝色的？", "output": "因为空气把蓝光散射到各个方向。"},
    {"instruction": "Write a Python function that adds two numbers.", "output": "def add(a, b): return a + b"},
    {"instruction": "", "output": "An answer to nothing."},
]
pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Holds rows.json, and a bank of voices that a server speaks with."""
    directory = tmp_path_factory.mktemp("speech")
    (directory / "rows.json").write_text(json.dumps(ROWS, ensure_ascii=False), encoding="utf-8")
    write_bank(directory / "bank")
    return directory


def write_bank(bank: Path, **more: Any) -> None:
    bank.mkdir()
    voices = [
        {
            "voice_id": f"{role}-{language}-{number}",
            "engine": "openai-speech",
            "speaker": f"{role}{number}",
            "language": language,
            "gender": "female",
            "rate": 1.0 + 0.1 * number,
            "agent": role == "agent",
        }
        | more
        for language in ("en", "zh")
        for role, count in (("user", 4), ("agent", 1))
        for number in range(count)
    ]
    (bank / "voices.jsonl").write_text("".join(json.dumps(voice) + "\n" for voice in voices))
    (bank / "card.json").write_text('{"name": "served"}')


def arguments(directory: Path, out: Path, url: str, *words: str, bank: str = "bank", **serving: Any) -> list[str]:
    driven = {"base_url": url, "concurrency": 8, "timeout_s": 4, "attempts": 8} | serving
    models = {
        # What this server says does not depend on the speed, and its bank's voices have speeds of their own.
        "mouth": {
            "engine": "openai-speech",
            "model": MODEL,
            "send_seed": True,
            "serving": driven | {"check": False},
        },
        "ears": {"engine": "openai-transcription", "model": MODEL, "serving": driven},
    }
    settings = {
        "models": json.dumps(models),
        "cast.bank": str(directory / bank),
        "synthesize.engine": "mouth",
        "transcribe.engine": "ears",
        "block_rows": "6",
    }
    overrides = [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
    places = ["--input", str(directory / "rows.json"), "--out", str(out)]
    return ["run", "tone-dry-run", *places, *overrides, *(words or ("--runner", "local"))]


def run(words: list[str], expected: int = 0) -> subprocess.CompletedProcess[str]:
    result = run_parley(*words, env={"OPENAI_API_KEY": KEY})
    assert result.returncode == expected, result.stderr[-3000:]
    assert KEY not in result.stderr + result.stdout
    assert "Traceback" not in result.stderr
    return result


@pytest.fixture(scope="module")
def server() -> Iterator[FaultyAudioServer]:
    with FaultyAudioServer(fault_share=0.2, seed=4, latency_ms=5, drip_s=10) as server:
        yield server


@pytest.fixture(scope="module")
def finished(directory: Path, server: FaultyAudioServer) -> Path:
    run(arguments(directory, directory / "corpus", server.url))
    return directory / "corpus"


def test_every_row_is_accounted_for(finished: Path, server: FaultyAudioServer) -> None:
    assert validate(open_place(finished), deep=True, beside=(WORK,)).ok
    rows = [d for status in ("kept", "rejected", "failed") for d in Corpus(finished, status=status)]
    assert Counter(d.status for d in rows) == {"kept": 21, "rejected": 2}
    assert sum(server.stats()["faults"].values()) > 10


def test_what_is_kept_was_spoken_and_heard_through_the_server(finished: Path) -> None:
    for dialogue in Corpus(finished):
        steps = {step.stage: (step.engine, step.version) for step in dialogue.provenance}
        assert steps["synthesize"] == ("openai-speech", f"{MODEL}@unpinned")
        assert steps["transcribe"] == ("openai-transcription", f"{MODEL}@unpinned")
        assert all(
            turn.hypothesis == turn.text and recognizer_of(turn) == steps["transcribe"][0] for turn in dialogue.turns
        )
        assert all(take_of(turn).voice_id.startswith(f"{turn.role}-") for turn in dialogue.turns)
    assert len({dialogue.user_voice for dialogue in Corpus(finished)}) > 2


def test_neither_key_nor_address_is_in_any_file(finished: Path, server: FaultyAudioServer) -> None:
    address = server.url.removeprefix("http://").removesuffix("/v1")
    for path in finished.rglob("*"):
        if path.is_file():
            assert KEY.encode() not in path.read_bytes(), path
            assert address.encode() not in path.read_bytes(), path


@pytest.mark.slow
def test_ray_gives_the_same_corpus(finished: Path, directory: Path, server: FaultyAudioServer, tmp_path: Path) -> None:
    run(arguments(directory, tmp_path / "corpus", server.url, "--runner", "ray"))
    assert files_of(tmp_path / "corpus") == files_of(finished)


def test_a_wrong_key_stops_the_job_with_a_sentence(directory: Path, tmp_path: Path) -> None:
    def refusing(body: Body) -> Any:
        return 401, wire.error(f"Incorrect API key provided: {KEY}")

    with ScriptedAudioServer(refusing, models=None) as server:
        result = run(arguments(directory, tmp_path / "corpus", server.url), 4)
    assert "refuses the key in the environment variable OPENAI_API_KEY" in result.stderr.splitlines()[-1]
    assert len(server.requests) >= 1


def test_a_bank_that_the_server_cannot_speak_with_stops_the_job(directory: Path, tmp_path: Path) -> None:
    write_bank(tmp_path / "bank", pitch=1.1)
    with ScriptedAudioServer(speak, models=(MODEL,)) as server:
        words = arguments(directory, tmp_path / "corpus", server.url)
        result = run([word.replace(str(directory / "bank"), str(tmp_path / "bank")) for word in words], 2)
    assert "has a pitch of its own" in result.stderr.splitlines()[-1]
    assert server.requests == []


def test_a_dead_server_stops_the_job_and_the_same_command_goes_on(directory: Path, tmp_path: Path) -> None:
    dying = 12

    def answer(body: Body) -> Any:
        if len(server.requests) > dying:
            return 503, wire.error("gone")
        return speak(body)

    words = []
    with ScriptedAudioServer(answer, models=(MODEL,)) as server:
        words = arguments(directory, tmp_path / "corpus", server.url, patience_s=1)
        result = run(words, 4)
    assert "openai-speech: the server at 127.0.0.1:" in result.stderr.splitlines()[-1]
    with FaultyAudioServer(fault_share=0) as sound:
        run([word.replace(server.url, sound.url) for word in words])
    assert len(Corpus(tmp_path / "corpus")) == 21
