"""A whole job with tones: the first recognizer mishears every third clip, the second one hears as well as any."""

from collections.abc import Sequence
from pathlib import Path
from zlib import crc32

import pytest

from manifests.corpus import Corpus
from manifests.schema import Dialogue
from manifests.stats import stats
from manifests.storage import open_place
from manifests.validate import validate
from parley.testing.stages import recognizer_of, take_of
from pipeline.engines.asr.tone import ToneRecognizer
from pipeline.engines.contract import Clip, Failure, Transcript
from pipeline.engines.registry import ENGINES
from tests.doubles import double, swap_engine
from tests.laws.test_every_stage import SometimesCutOff
from tests.pipeline.tone_job import ROWS, make_job, run_tone


def version() -> str:
    return "1"


class Mishears(ToneRecognizer):
    """Which clips it mishears depends on the clip alone."""

    name = "mishears"

    def transcribe(self, clips: Sequence[Clip], languages: Sequence[str]) -> list[Transcript | Failure]:
        return [
            Transcript("something else") if crc32(clip.samples.tobytes()) % 3 == 0 else heard
            for clip, heard in zip(clips, super().transcribe(clips, languages), strict=True)
        ]


@pytest.fixture
def engines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ENGINES.added, ("asr", "mishears"), double("asr", "mishears", __name__, "Mishears"))
    swap_engine(monkeypatch, "tts", "tone", open=SometimesCutOff)


def rows_of(out: Path, status: str) -> dict[str, Dialogue]:
    return {dialogue.dialogue_id: dialogue for dialogue in Corpus(out, status=status)}


@pytest.mark.usefixtures("engines")
def test_a_second_opinion_keeps_what_the_second_recognizer_alone_would_keep(input_file: str, tmp_path: Path) -> None:
    settings = ("gate.ladder=[{}]",)
    corpora = {
        "good": ("transcribe.engine=tone",),
        "bad": ("transcribe.engine=mishears",),
        "both": ("transcribe.engine=mishears", "transcribe.second=tone"),
    }
    for name, overrides in corpora.items():
        run_tone(make_job(input_file, *settings, *overrides), tmp_path / name)
        assert validate(open_place(tmp_path / name), beside=("work",)).ok
    kept = {name: rows_of(tmp_path / name, "kept") for name in corpora}
    assert kept["both"].keys() == kept["good"].keys()
    assert len(kept["bad"]) < len(kept["good"]) < len(ROWS)
    for row_id, row in kept["both"].items():
        for turn, alone in zip(row.turns, kept["good"][row_id].turns, strict=True):
            assert (turn.audio, turn.hypothesis, turn.score) == (alone.audio, alone.hypothesis, alone.score)
            assert recognizer_of(turn) == ("tone" if take_of(turn).hearings else "mishears")
            takes = [(take.seed, take.reason) for take in turn.attempts]
            assert takes == [(take.seed, take.reason) for take in alone.attempts]
            for take in turn.attempts:
                assert (take.reason is None) == (not take.hearings or take.hearings[1].reason is None)


@pytest.mark.usefixtures("engines")
def test_the_corpus_says_how_often_each_was_wrong(input_file: str, tmp_path: Path) -> None:
    job = make_job(input_file, "gate.ladder=[{}]", "transcribe.engine=mishears", "transcribe.second={en: tone}")
    manifest = run_tone(job, tmp_path / "corpus")
    assert {name for name in manifest.engines if name.startswith("asr/")} == {"asr/mishears", "asr/tone"}
    found = stats(open_place(tmp_path / "corpus"))["second_opinions"]
    rows = {status: rows_of(tmp_path / "corpus", status) for status in ("kept", "rejected")}
    for status, of_status in rows.items():
        takes = [take for row in of_status.values() for turn in row.turns for take in turn.attempts if take.hearings]
        good = sum(take.hearings[1].reason is None for take in takes)
        counted = found[status].get("en", {"recognizer_wrong": 0, "voice_wrong": 0})
        assert counted == {"recognizer_wrong": good, "voice_wrong": len(takes) - good}
        assert "zh" not in found[status]
    assert found["kept"]["en"]["recognizer_wrong"] >= 3
    assert found["kept"]["en"]["voice_wrong"] + found["rejected"]["en"]["voice_wrong"] > 0


@pytest.mark.usefixtures("engines")
def test_a_pool_that_only_hears_knows_the_voices_too(input_file: str, tmp_path: Path) -> None:
    """What a voice's own recording says is looked up for every misheard turn."""
    speech = "voices: {stages: [cast, synthesize, render, watermark]}, proof: {stages: [transcribe, gate]}"
    pools = f"pools={{text: {{stages: [rewrite, screen, respond]}}, {speech}}}"
    for name, overrides in {"one": (), "several": (pools,)}.items():
        run_tone(make_job(input_file, "transcribe.engine=mishears", *overrides), tmp_path / name)
    assert rows_of(tmp_path / "one", "rejected").keys() == rows_of(tmp_path / "several", "rejected").keys()
    assert rows_of(tmp_path / "one", "kept") == rows_of(tmp_path / "several", "kept")
