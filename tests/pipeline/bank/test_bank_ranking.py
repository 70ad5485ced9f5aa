"""Auditions that rank: every voice on every synthesizer that can speak with it, a table, and a page to listen to."""

import base64
import json
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from manifests.errors import UserError
from manifests.storage import open_place
from pipeline.bank.ranking import read_sentences, speakable
from pipeline.cli.voicebank import voicebank
from pipeline.engines.registry import ENGINES
from tests.doubles import swap_engine
from tests.pipeline.bank.bank_corpora import RECIPE, register_doubles
from tests.pipeline.show.tags import Tags
from voicebank.bank import load_bank
from voicebank.card import write_card
from voicebank.inputs import VoiceInputs
from voicebank.tables import VoiceWriter
from voicebank.voice import Voice

SENTENCES = {"en": ["The first sentence is here.", "And here comes another one."]}


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two voices of the tone engine, one of them with a clip, and a second engine that clones: tones as well."""
    register_doubles(monkeypatch)
    swap_engine(monkeypatch, "tts", "tone", voice_inputs=VoiceInputs)
    tone = ENGINES.named("tone", "tts")[0]
    cloner = replace(tone, name="cloner", voice_inputs=lambda: VoiceInputs(clips=True))
    monkeypatch.setitem(ENGINES.added, ("tts", "cloner"), cloner)
    tones = {voice.voice_id: voice for voice in load_bank("tone").voices}
    first, second = (tones[f"tone-user-en-{gender}-0"] for gender in ("female", "male"))
    clip = {"parents": ("a", "b"), "weights": (0.5, 0.5), "prompt_audio": b"fLaC", "prompt_text": "Hello."}
    with VoiceWriter(open_place(tmp_path / "bank")) as writer:
        writer.write([replace(first, **clip), second, replace(second, voice_id="fast", rate=99.0, engine="nobody")])
    write_card(open_place(tmp_path / "bank"), {"name": "mine"})
    (tmp_path / "sentences.yaml").write_text(yaml.safe_dump(SENTENCES))
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(RECIPE))
    return tmp_path


def ranked(work: Path, *words: str) -> Result:
    given = ["--bank", str(work / "bank"), "--bank-recipe", str(work / "rules.yaml"), "--out", str(work / "out")]
    recipe = ["--recipe", "tone-dry-run", "--set", "synthesize.engine=[tone, cloner]"]
    return CliRunner().invoke(voicebank, ["audition", *given, *recipe, *words])


def test_a_table_and_a_page_to_listen_to(work: Path) -> None:
    result = ranked(work, "--sentences", str(work / "sentences.yaml"))
    assert result.exit_code == 0, result.output + str(result.exception)
    found = json.loads((work / "out" / "ranking.json").read_text())
    assert {(line["voice_id"], line["engine"]) for line in found["voices"]} == {
        ("tone-user-en-female-0", "tone"), ("tone-user-en-female-0", "cloner"), ("tone-user-en-male-0", "tone"),
    }  # fmt: skip
    assert [line["place"] for line in found["voices"]] == sorted(line["place"] for line in found["voices"])
    for line in found["voices"]:
        assert line["error_rate"] == 0 and 0 < line["own"] <= 1 and 1 <= line["quality"] <= 5
        assert (line["nearest_real"], line["problem"]) == (None, None), "nobody to compare with"
    assert {line["engine"]: line["voices"] for line in found["engines"]} == {"tone": 2, "cloner": 1}
    assert found["sentences"] == SENTENCES
    text = (work / "out" / "audition.html").read_text()
    players = [a["src"] for tag, a in Tags(text).found if tag == "audio"]
    clips = {base64.b64encode(file.read_bytes()).decode() for file in (work / "out" / "clips").iterdir()}
    assert len(players) == len(clips) == 6 and {src.partition(",")[2] for src in players} == clips
    assert "3 voices ranked" in result.stdout and "cloner" in result.stdout
    assert "voices.jsonl" not in {file.name for file in (work / "out").iterdir()}


def test_it_goes_on_and_speaks_again_what_was_lost(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ranked(work).exit_code == 0
    before = (work / "out" / "ranking.json").read_bytes()
    lost = sorted((work / "out" / "clips").glob("*-0.flac"))[0]
    lost.unlink()
    lines = (work / "out" / "measured.jsonl").read_text().splitlines()
    assert ranked(work, "--listen", "0").exit_code == 0
    assert (work / "out" / "ranking.json").read_bytes() == before and lost.is_file()
    assert len((work / "out" / "measured.jsonl").read_text().splitlines()) == len(lines) + 1
    assert "<audio controls" not in (work / "out" / "audition.html").read_text()


def test_a_voice_is_heard_once_by_each_that_can_speak_with_it() -> None:
    virtual = Voice("v", "own", "v", "en", "female", parents=("a", "b"), weights=(0.5, 0.5), prompt_audio=b"fLaC")
    named = Voice("n", "own", "n", "en", "male")
    own = {"own": None, "c": VoiceInputs(clips=True), "d": VoiceInputs(clips=True), "e": VoiceInputs()}
    found = [(voice.voice_id, voice.engine, voice.parents) for voice in speakable([virtual, named], own, ["c", "d"])]
    assert found == [("v", "own", ("a", "b")), ("v", "c", ()), ("v", "d", ()), ("n", "own", ())]
    assert speakable([named], {"c": VoiceInputs(clips=True)}, ["c"]) == []


@pytest.mark.parametrize("text", ["en: A sentence.", "[a]", "en: []", "en: [1]", "en: ['']", "en: [a", ""])
def test_other_files_of_sentences_are_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text(text)
    with pytest.raises(UserError, match=r"--sentences s\.yaml"):
        read_sentences(open_place(tmp_path / "s.yaml"))


def test_keeping_voices_needs_real_people(work: Path) -> None:
    result = ranked(work, "--count", "2")
    assert isinstance(result.exception, UserError) and "--real" in str(result.exception)
    (work / "sentences.yaml").write_text("zh: [你好。]")
    result = ranked(work, "--sentences", str(work / "sentences.yaml"))
    assert isinstance(result.exception, UserError) and "there is none in en" in str(result.exception)
