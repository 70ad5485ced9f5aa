"""`parley voicebank blend` and `check` as commands: what they print and their exit codes."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from manifests.errors import UserError
from manifests.storage import open_place
from pipeline.bank.probe import HeardVoice, ProbeReport
from pipeline.cli import virtual_voices
from pipeline.cli.voicebank import voicebank
from pipeline.engines import registry as table
from pipeline.engines.contract import Clip, Samples
from tests.doubles import swap_engine
from tests.voicebank.made_up import make_bank, people, read_voices, rewrite_voices
from voicebank.inputs import VoiceInputs


@pytest.fixture
def real(tmp_path: Path) -> Path:
    make_bank(tmp_path / "real", people())
    return tmp_path / "real"


def parley(*words: object) -> Result:
    return CliRunner().invoke(voicebank, [str(word) for word in words], catch_exceptions=True)


def blended(real: Path, *words: object) -> Path:
    out = real.parent / "out"
    result = parley("blend", "--bank", real, "--count", 40, "--out", out, "--no-report", *words)
    assert result.exit_code == 0, result.output
    return out


def test_blend_says_what_became_of_every_draw(real: Path) -> None:
    out = real.parent / "out"
    result = parley("blend", "--bank", real, "--count", 40, "--seed", 7, "--out", out, "--weights", 0.4, 0.6)
    assert result.exit_code == 0
    assert "kept     40 users, 2 agents" in result.stdout and "nearest real speaker" in result.stdout
    assert sorted(p.name for p in out.iterdir()) == ["card.json", "leak.json", "report.html", "voices.parquet"]
    card = json.loads((out / "card.json").read_text())
    assert (card["seed"], card["weights"], card["count"]) == (7, [0.4, 0.6], 40)


def test_a_bank_that_nobody_can_speak_with_is_noted_on_stderr(tmp_path: Path) -> None:
    make_bank(tmp_path / "real", people(embedding=None))
    words = ("blend", "--bank", tmp_path / "real", "--count", 4, "--out", tmp_path / "out", "--no-report")
    result = parley(*words)
    assert "no synthesis embeddings" in result.stderr and "no synthesis embeddings" not in result.stdout


@pytest.mark.parametrize(
    "words, languages",
    [(("--language", "zh"), {"zh"}), (("--language", "zh=0.5", "--language", "en"), {"zh", "en"}), ((), {"zh", "en"})],
)
def test_languages(words: tuple[str, ...], languages: set[str], real: Path) -> None:
    voices, _ = read_voices(open_place(blended(real, *words, "--agents", "0")))
    assert {voice.language for voice in voices} == languages


def test_check_of_a_sound_bank(real: Path) -> None:
    result = parley("check", "--bank", blended(real), "--real", real)
    assert result.exit_code == 0 and "sound: 42 voices checked" in result.stdout


def test_check_of_a_bank_with_a_planted_speaker(real: Path) -> None:
    out = blended(real)
    voices, xvectors = read_voices(open_place(out))
    xvectors[8] = people()[10].xvector
    rewrite_voices(open_place(out), voices, xvectors)
    result = parley("check", "--bank", out, "--real", real)
    assert result.exit_code == 3
    assert f"near_real: {voices[8].voice_id}: 1.0000 to p0010" in result.stdout
    assert "sound:" not in result.stdout


@pytest.mark.parametrize(
    "words, message",
    [
        (("blend", "--count", 5, "--language", "zh=many"), "write it as CODE or CODE=SHARE"),
        (("blend", "--count", 5, "--language", "fr"), "no two speakers of 'fr' can be paired"),
        (("check", "--audio"), "--audio needs --recipe"),
        (("check", "--recipe", "ke-speechchat"), "work only with --audio"),
    ],
)
def test_what_the_user_can_mend(words: tuple[object, ...], message: str, real: Path) -> None:
    place = ("--out", real.parent / "o") if words[0] == "blend" else ("--real", real)
    result = parley(*words, "--bank", real if words[0] == "blend" else blended(real), *place)
    assert isinstance(result.exception, UserError) and message in str(result.exception)


@pytest.mark.parametrize("nearest, code", [(0.90, 0), (0.98, 3)])
def test_the_audio_check_decides_the_exit_code(
    nearest: float, code: int, real: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = [HeardVoice("voice-000001", 0.99, (0.8, 0.7), nearest, "p0004")]
    monkeypatch.setattr(virtual_voices, "_probe", lambda *_: ProbeReport(0.97, heard))
    out = real.parent / "audio"
    words = ("--audio", "--recipe", "r", "--bank-recipe", "b", "--out", out)
    result = parley("check", "--bank", blended(real), "--real", real, *words)
    assert result.exit_code == code
    assert ("audio near a real speaker: voice-000001: 0.9800 to p0004" in result.stdout) == (code == 3)
    assert json.loads((out / "audio.json").read_text())["voices"] == 1
    assert "data:image/png" in (out / "audio.html").read_text()


class OneVoice:
    """An encoder to which every clip sounds like the same real speaker."""

    version = "one-voice@1"
    dimension = len(people()[0].xvector)

    def encode(self, clips: Sequence[Clip]) -> list[Samples]:
        return [people()[7].xvector for _ in clips]


@pytest.mark.parametrize("label, code", [(None, 3), ("one-voice@1", 3), ("other@2", 2)])
def test_the_audio_check_speaks_with_the_recipes_engines(
    label: str | None, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_bank(tmp_path / "real", people(), encoder={"engine": "one-voice", "label": label})
    load = table.load_engine

    def load_engine(kind: str, name: str, *others: object) -> object:
        return OneVoice() if kind == "encoder" else load(kind, name, *others)

    monkeypatch.setattr(table, "load_engine", load_engine)
    monkeypatch.setattr(table, "engine_version", lambda *_: OneVoice.version)
    out = blended(tmp_path / "real", "--engine", "tone")
    words = ("--audio", "--recipe", "tone-dry-run", "--bank-recipe", "packaged-bank", "--sample", 3)
    result = parley("check", "--bank", out, "--real", tmp_path / "real", *words)
    if code == 2:
        assert isinstance(result.exception, UserError) and "encoder is other@2" in str(result.exception)
    else:
        assert result.exit_code == 3
        assert "audio near a real speaker: agent-female: 1.0000 to p0007" in result.stdout
        assert "audio 4 near a real speaker, 0 not measured: 4 voices heard" in result.stdout.replace("\n", " ")


def test_the_audio_check_hears_a_clip_on_an_engine_that_clones(real: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bank that another engine was made for, with clips: each is heard as a clone, and compared with its parents."""
    out = blended(real, "--agents", "0", "--language", "en", "--engine", "elsewhere")
    voices, xvectors = read_voices(open_place(out))
    rewrite_voices(
        open_place(out), [replace(voice, prompt_audio=b"fLaC", prompt_text="Hello.") for voice in voices], xvectors
    )
    swap_engine(monkeypatch, "tts", "tone", voice_inputs=lambda: VoiceInputs(clips=True))
    load = table.load_engine

    def load_engine(kind: str, name: str, *others: object) -> object:
        return OneVoice() if kind == "encoder" else load(kind, name, *others)

    monkeypatch.setattr(table, "load_engine", load_engine)
    place = real.parent / "audio"
    words = ("--audio", "--recipe", "tone-dry-run", "--bank-recipe", "packaged-bank", "--sample", 3, "--out", place)
    result = parley("check", "--bank", out, "--real", real, *words)
    assert result.exit_code == 3 and "3 near a real speaker, 0 not measured" in result.stdout
    figures = json.loads((place / "audio.json").read_text())
    assert figures["voices"] == 3 and figures["own_parents"] is not None
