"""From a synthesizer's own voices to a bank of voices that were heard: record, audition, card."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from manifests.errors import ResumeRefused, UserError
from manifests.reasons import Reason
from manifests.storage import open_place
from pipeline.bank import audition_bank
from pipeline.bank.audition import MEASURED_FILE, SENTENCES, Panel
from pipeline.bank.audition_bank import AuditionOrder, hold_audition
from pipeline.bank.record import SENTENCES as RECORDED
from pipeline.bank.record import record
from pipeline.engines.contract import Clip, Failure, Transcript
from pipeline.job.directory import WORK
from pipeline.job.lock import hold
from tests.killed import problems_of
from tests.pipeline.bank.bank_corpora import files_of as bank_files
from voicebank.bank import VOICES_FILE, load_bank
from voicebank.card import CARD_FILE, read_card, write_card
from voicebank.layouts.manifest import read as read_manifest
from voicebank.tables import VoiceWriter, write_speakers
from voicebank.voice import Speaker, Voice

NAMES = ("af_one", "af_two", "af_three", "am_four")


class Speaking:
    """Each of its own voices is a direction; a virtual voice is the average. `spoken` are the names asked for."""

    name = version = "directions"

    def __init__(self) -> None:
        self.spoken: list[str] = []

    def direction(self, voice: Voice) -> np.ndarray:
        parents = dict(zip(voice.parents, voice.weights, strict=True)) or {voice.speaker: 1.0}
        return sum(weight * np.eye(8)[NAMES.index(name.rpartition("-")[2])] for name, weight in parents.items())

    def synthesize(self, requests):
        self.spoken += [request.voice.speaker for request in requests]
        return [self._clip(request) for request in requests]

    def _clip(self, request):
        if request.voice.rate == 2:
            return Failure(Reason.SYNTHESIS_FAILED, "too quick")
        return Clip(np.concatenate([self.direction(request.voice), [0.1]]).astype(np.float32), 16_000)


class Listening:
    """A recognizer, an encoder and a predictor that read the direction off the clip."""

    name = version = "listening"
    languages = None
    dimension = 8
    scores = ("mos",)

    def transcribe(self, clips, languages):
        return [Transcript(SENTENCES[language][0]) for language in languages]

    def encode(self, clips):
        return [(clip.samples[:8] / np.linalg.norm(clip.samples[:8])).astype(np.float32) for clip in clips]

    def predict(self, clips):
        return [{"mos": 4.0} for _ in clips]


def panel(speaking: Speaking) -> Panel:
    hearing = Listening()
    return Panel({"kokoro": speaking}, {"*": hearing}, hearing, hearing, "mos")


def blended(name: str, *parents: str, gender="female", rate: float = 1.0, agent: bool = False) -> Voice:
    weights = (round(1 / len(parents), 6),) * len(parents)
    return Voice(name, "kokoro", name, "en", gender, rate, 1.0, agent, "CC0-1.0", parents=parents, weights=weights)


@pytest.fixture
def order(tmp_path: Path) -> AuditionOrder:
    real, drawn = open_place(tmp_path / "real"), open_place(tmp_path / "drawn")
    people = [
        Speaker(
            f"k-{name}", "en", "male" if name[1] == "m" else "female", None, 4, 9.0, 6, 0.9, 0.07, 70, 4.0, "CC0-1.0",
            np.eye(8, dtype=np.float32)[number],
        )
        for number, name in enumerate(NAMES)
    ]  # fmt: skip
    write_speakers(real, people)
    write_card(real, {"name": "real", "sources": [{"dataset": "k", "license": "CC0-1.0"}]})
    with VoiceWriter(drawn) as writer:
        writer.write(
            [
                blended("voice-0", "k-af_one", "k-af_two", "k-af_three"),
                blended("voice-1", "k-af_one", "k-af_one"),
                blended("voice-2", "k-af_two", "k-af_three"),
                blended("voice-3", "k-af_one", "k-am_four", gender="male", rate=2.0),
            ]
        )
    write_card(drawn, {"name": "drawn"})
    return AuditionOrder([drawn], [real], 5, True, 0.1, 0.3, leak=0.9, twin=0.99)


def test_a_bank_of_the_voices_that_stay(order: AuditionOrder, tmp_path: Path) -> None:
    out = open_place(tmp_path / "out")
    judged = hold_audition(order, panel(Speaking()), out, lambda what, done, total: None)
    assert [one.drop for one in judged] == [None, "near_real", None, "failed"]
    bank = load_bank(str(tmp_path / "out"))
    assert [(v.voice_id, v.agent, v.parents) for v in bank.voices] == [
        ("en-agent-f", True, ("af_one", "af_two", "af_three")),
        ("en-f01", False, ("af_two", "af_three")),
    ]
    assert all(v.embedding is None and v.license == "CC0-1.0" for v in bank.voices)
    card = read_card(out)
    assert card["counts"] == {"en": {"agent": 1, "female": 1}}
    assert card["dropped"] == {"failed": 1, "near_real": 1}
    assert card["measured"]["en-f01"] == {"error_rate": 0.0, "mos": 4.0, "nearest_real": ["k-af_three", 0.7071]} or (
        card["measured"]["en-f01"]["nearest_real"][0] == "k-af_two"
    )
    assert card["real_voices"]["en"]["own_similarity"]["min"] == 1.0


def test_what_was_heard_is_not_spoken_again(order: AuditionOrder, tmp_path: Path) -> None:
    out, first = open_place(tmp_path / "out"), Speaking()
    hold_audition(order, panel(first), out, lambda what, done, total: None)
    bank = (tmp_path / "out" / VOICES_FILE).read_bytes()
    assert len(first.spoken) == len(NAMES) + 4
    (tmp_path / "out" / "card.json").unlink()
    lines = (tmp_path / "out" / MEASURED_FILE).read_text().splitlines()
    (tmp_path / "out" / MEASURED_FILE).write_text("\n".join(lines[:-1]) + "\n" + lines[-1][:20])
    again = Speaking()
    hold_audition(order, panel(again), out, lambda what, done, total: None)
    assert again.spoken == ["voice-3"]
    assert (tmp_path / "out" / VOICES_FILE).read_bytes() == bank


def test_no_more_are_heard_than_are_wanted(
    order: AuditionOrder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audition_bank, "BATCH", 1)
    out, speaking = open_place(tmp_path / "out"), Speaking()
    judged = hold_audition(replace(order, count=1, agents=False), panel(speaking), out, lambda what, done, total: None)
    assert [(one.clip.voice.voice_id, one.drop) for one in judged] == [("voice-0", None), ("voice-3", "failed")]
    fewer = hold_audition(replace(order, hear=1), panel(speaking), open_place(tmp_path / "few"), lambda *_: None)
    assert len(fewer) == 1


def test_a_bank_that_is_extended_keeps_its_names(order: AuditionOrder, tmp_path: Path) -> None:
    old = open_place(tmp_path / "old")
    voices = [
        blended("en-agent-f", "af_one", "af_two", "af_three", agent=True),
        blended("en-f01", "af_one", "af_three"),
        blended("en-f03", "af_two", "af_two"),
    ]
    (tmp_path / "old" / VOICES_FILE).parent.mkdir()
    (tmp_path / "old" / VOICES_FILE).write_text("".join(audition_bank._line(voice) for voice in voices))
    write_card(old, {"name": "old"})
    out = open_place(tmp_path / "out")
    judged = hold_audition(replace(order, count=2, extend=old), panel(Speaking()), out, lambda *_: None)
    assert [one.drop for one in judged] == [None, None, "near_real", "twin", "near_real", None, "failed"]
    assert [(v.voice_id, v.agent, v.parents) for v in load_bank(str(tmp_path / "out")).voices] == [
        ("en-agent-f", True, ("af_one", "af_two", "af_three")),
        ("en-f01", False, ("af_one", "af_three")),
        ("en-f04", False, ("af_two", "af_three")),
    ]
    few = replace(order, count=1, agents=False, extend=old)
    hold_audition(few, panel(Speaking()), open_place(tmp_path / "few"), lambda *_: None)
    assert [v.voice_id for v in load_bank(str(tmp_path / "few")).voices] == ["en-agent-f", "en-f01"]


def test_voices_that_were_not_heard_may_fill_the_places_left(order: AuditionOrder, tmp_path: Path) -> None:
    out = open_place(tmp_path / "out")
    asked = replace(order, hear=2, count=1, agents=False, keep_unheard=True)
    hold_audition(asked, panel(Speaking()), out, lambda *_: None)
    assert [(v.voice_id, v.parents) for v in load_bank(str(tmp_path / "out")).voices] == [
        ("en-f01", ("af_one", "af_two", "af_three")),
        ("en-m01", ("af_one", "am_four")),
    ]
    card = read_card(out)
    assert (card["heard"], card["unheard"], list(card["measured"])) == (2, 1, ["en-f01"])


def test_an_audition_takes_no_directory_that_is_foreign_or_in_use(order: AuditionOrder, tmp_path: Path) -> None:
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "thesis.txt").write_text("mine")
    with pytest.raises(ResumeRefused, match=r"it holds thesis\.txt"):
        hold_audition(order, panel(Speaking()), open_place(tmp_path / "foreign"), lambda *_: None)
    out = open_place(tmp_path / "out")
    with hold(out / WORK), pytest.raises(ResumeRefused, match="another job is at work"):
        hold_audition(order, panel(Speaking()), out, lambda *_: None)
    hold_audition(order, panel(Speaking()), out, lambda *_: None)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [CARD_FILE, MEASURED_FILE, VOICES_FILE]


def test_a_bank_that_is_there_is_not_overwritten(order: AuditionOrder, tmp_path: Path) -> None:
    out = open_place(tmp_path / "out")
    write_card(out, {"name": "out"})
    with pytest.raises(UserError, match="holds a voice bank already"):
        hold_audition(order, panel(Speaking()), out, lambda what, done, total: None)


def test_own_voices_become_a_corpus(tmp_path: Path) -> None:
    out, speaking = open_place(tmp_path / "clips"), Speaking()
    voices = [Voice("af-one", "kokoro", "af_one", "en", "female"), Voice("am-four", "kokoro", "am_four", "en", "male")]
    assert record(speaking, voices, "en", out) == 2 * len(RECORDED["en"])
    clips = list(read_manifest(out))
    assert [(clip.group, clip.gender, clip.text) for clip in clips] == [
        (voice.speaker, voice.gender, text) for voice in voices for text in RECORDED["en"]
    ]
    assert all((tmp_path / "clips" / clip.path).is_file() for clip in clips)
    with pytest.raises(UserError, match="holds a corpus already"):
        record(speaking, voices, "en", out)
    with pytest.raises(UserError, match="no sentences to record in 'fr'"):
        record(speaking, voices, "fr", open_place(tmp_path / "french"))
    quick = Voice("q", "kokoro", "af_one", "en", "female", rate=2.0)
    with pytest.raises(UserError, match="did not speak sentence 1: too quick"):
        record(speaking, [quick], "en", open_place(tmp_path / "quick"))
    assert not (tmp_path / "quick" / "manifest.jsonl").exists()


def test_sentences_differ_between_recording_and_audition() -> None:
    """A voice must not seem like a real one because both said the same words."""
    for language, texts in RECORDED.items():
        assert len(set(texts)) == 4 and not set(texts) & set(SENTENCES[language])


@pytest.mark.slow
def test_killed_at_any_step_an_audition_goes_on_to_the_same_bank(order: AuditionOrder, tmp_path: Path) -> None:
    def make(out: Path) -> None:
        if not (out / "bank" / CARD_FILE).exists():
            hold_audition(order, panel(Speaking()), open_place(out / "bank"), lambda *_: None)

    make(tmp_path / "whole")
    assert not problems_of(make, bank_files(tmp_path / "whole/bank"), lambda out: bank_files(out / "bank"), tmp_path)
