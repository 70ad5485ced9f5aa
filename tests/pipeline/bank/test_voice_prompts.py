"""Clips for virtual voices: heard, compared with real people by their sound, kept or dropped with a reason."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner

from manifests.errors import ParleyError, RecipeError, UserError
from manifests.reasons import Reason
from manifests.storage import open_place
from parley.testing import tone_recipe
from pipeline.bank import prompts
from pipeline.bank.prompt_blocks import PROMPTS_FILE
from pipeline.bank.prompt_worker import sentences
from pipeline.bank.prompts import PromptJob, make_prompts
from pipeline.bank.recipe import parse_bank_recipe
from pipeline.cli.voice_prompts import prompt_summary
from pipeline.cli.voicebank import voicebank
from pipeline.engines import registry as table
from pipeline.engines.contract import Clip, Failure, Samples, SpeechRequest, Transcript
from pipeline.job.listener import Listener
from pipeline.job.runner.local import LocalRunner
from tests.doubles import double
from tests.killed import problems_of
from tests.pipeline.bank.bank_corpora import RECIPE
from tests.pipeline.bank.bank_corpora import files_of as bank_files
from voicebank.bank import load_bank
from voicebank.card import read_card, write_card
from voicebank.tables import VoiceWriter, iter_voices, write_speakers
from voicebank.voice import Speaker, Voice

PEOPLE = ("one", "two", "three", "four")
WIDTH = 8
RATE = 8000
ENGLISH = sentences()["en"]


def version(model: object = None) -> str:
    return "1"


class Speaking:
    """A voice is the mean direction of its parents; `stubborn` pulls it back to the first of them, as a synthesizer
    may do. The clip says in its samples who speaks, which sentence, and whether it is mumbled."""

    name, version = "directions", "1"
    asked: Sequence[str] = ()

    def synthesize(self, requests: Sequence[SpeechRequest]) -> list[Clip | Failure]:
        Speaking.asked = [*Speaking.asked, *(request.voice.voice_id for request in requests)]
        return [self._clip(request) for request in requests]

    def _clip(self, request: SpeechRequest) -> Clip | Failure:
        voice, sentence = request.voice, ENGLISH.index(request.text)
        if voice.speaker == "mute":
            return Failure(Reason.SYNTHESIS_FAILED, "no voice left")
        samples = np.zeros((1 if voice.speaker == "hasty" else 4) * RATE, np.float32)
        heavy = voice.parents[:1] if voice.speaker == "stubborn" else voice.parents
        for parent in heavy:
            samples[PEOPLE.index(parent.removeprefix("k-"))] += 0.25
        samples[WIDTH] = sentence / 10
        mumbled = voice.speaker == "unclear" or (voice.speaker == "unclear-first" and sentence == 0)
        samples[WIDTH + 1] = 0.5 * mumbled
        return Clip(samples, RATE)


class Listening:
    """A recognizer and an encoder that read all this off the clip."""

    name, version, dimension, languages = "listens", "1", WIDTH, None

    def transcribe(self, clips: Sequence[Clip], languages: Sequence[str]) -> list[Transcript | Failure]:
        return [
            Transcript("Something else." if clip.samples[WIDTH + 1] else ENGLISH[round(clip.samples[WIDTH] * 10)])
            for clip in clips
        ]

    def encode(self, clips: Sequence[Clip]) -> list[Samples | Failure]:
        return [(clip.samples[:WIDTH] / np.linalg.norm(clip.samples[:WIDTH])).astype(np.float32) for clip in clips]


@pytest.fixture(autouse=True)
def _engines(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for kind, name, made in (
        ("tts", "directions", "Speaking"),
        ("asr", "hears", "Listening"),
        ("encoder", "who", "Listening"),
    ):
        monkeypatch.setitem(table.ENGINES.added, (kind, name), double(kind, name, __name__, made))
    monkeypatch.setattr(prompts, "BLOCK_VOICES", 2)
    Speaking.asked = ()
    yield


def virtual(name: str, *parents: str, gender: Any = "female") -> Voice:
    weights = (round(1 / len(parents), 6),) * len(parents)
    return Voice(f"v-{name}", "directions", name, "en", gender, parents=parents, weights=weights, ms_per_character=80)


@pytest.fixture
def job(tmp_path: Path) -> PromptJob:
    real, drawn = open_place(tmp_path / "real"), open_place(tmp_path / "drawn")
    vectors = np.eye(WIDTH, dtype=np.float32)
    people = [
        Speaker(f"k-{name}", "en", "female", None, 4, 9.0, 6, 0.9, 0.08, 80, 4.0, "CC0-1.0", vectors[number])
        for number, name in enumerate(PEOPLE)
    ]
    write_speakers(real, people)
    write_card(real, {"name": "real", "sources": [{"dataset": "k", "license": "CC0-1.0"}]})
    voices = [
        virtual("clear", "one", "two"),
        virtual("mute", "one", "two"),
        virtual("unclear-first", "k-two", "k-three"),
        virtual("stubborn", "one", "three", gender="male"),
        virtual("unclear", "one", "four"),
        virtual("hasty", "two", "four"),
        virtual("late", "one", "two", "three"),
    ]
    with VoiceWriter(drawn) as writer:
        writer.write(voices, [vectors[7]] * len(voices))
    write_card(drawn, {"name": "drawn", "seed": 3})
    recipe = tone_recipe("synthesize.engine=directions", "transcribe.engine={en: hears}", "languages=[en]")
    rules = parse_bank_recipe(RECIPE | {"pair_rule": {"encoder": "who", "threshold": 0.9}})
    return PromptJob(str(tmp_path / "drawn"), recipe, real, rules, leak_limit=0.9)


def made(job: PromptJob, out: Path) -> dict[str, Any]:
    return make_prompts(job, open_place(out), LocalRunner(), Listener())


def figures(out: Path) -> dict[str, dict[str, Any]]:
    return {line["voice_id"]: line for line in map(json.loads, (out / PROMPTS_FILE).read_text().splitlines())}


def test_voices_get_clips_or_a_reason(job: PromptJob, tmp_path: Path) -> None:
    out = tmp_path / "out"
    card = made(job, out)
    bank = load_bank(str(out))
    assert [voice.voice_id for voice in bank.voices] == ["v-clear", "v-unclear-first", "v-late"]
    assert [voice.prompt_text for voice in bank.voices] == [ENGLISH[0], ENGLISH[1], ENGLISH[0]]
    info = soundfile.info(_file(bank.voices[0], tmp_path))
    assert (info.format, info.channels, info.samplerate, info.duration) == ("FLAC", 1, RATE, 4.0)
    assert all(matrix is not None and matrix[0, 7] == 1 for _, matrix in iter_voices(open_place(out), xvectors=True))
    assert {name: line["drop"] for name, line in figures(out).items()} == {
        "v-clear": None, "v-mute": "failed", "v-unclear-first": None, "v-stubborn": "near_real",
        "v-unclear": "unclear", "v-hasty": "bad_duration", "v-late": None,
    }  # fmt: skip
    line = figures(out)["v-stubborn"]
    assert (line["nearest_id"], line["nearest_real"], line["to_parents"]) == ("k-one", 1.0, [1.0, 0.0])
    assert figures(out)["v-mute"]["detail"] == "no voice left"
    assert figures(out)["v-late"]["to_parents"] == [pytest.approx(3**-0.5, abs=1e-5)] * 3
    said = card["prompts"]
    assert (said["voices"], said["kept"], said["limits"]["leak"]) == (7, 3, 0.9)
    assert said["dropped"] == {"failed": 1, "bad_duration": 1, "unclear": 1, "near_real": 1}
    assert said["left_out"] == [["en", "female", 3], ["en", "male", 1]]
    assert card["seed"] == 3 and read_card(open_place(out)) == card
    assert "near_real: its clip sounds as much like a real person" in prompt_summary(card)


def _file(voice: Voice, directory: Path) -> Path:
    assert voice.prompt_audio is not None
    (directory / "clip.flac").write_bytes(voice.prompt_audio)
    return directory / "clip.flac"


def test_a_leak_is_not_tried_again_and_a_misheard_take_is(job: PromptJob, tmp_path: Path) -> None:
    made(job, tmp_path / "out")
    times = {
        name: list(Speaking.asked).count(f"v-{name}") for name in ("clear", "stubborn", "unclear-first", "unclear")
    }
    assert times == {"clear": 1, "stubborn": 1, "unclear-first": 2, "unclear": 2}


def test_the_limit_is_measured_on_clips_of_real_voices_which_are_not_kept(job: PromptJob, tmp_path: Path) -> None:
    out = tmp_path / "out"
    card = made(replace(job, leak_limit=None), out)
    assert card["prompts"]["limits"]["leak"] == 1.0 and card["prompts"]["leak_limit_measured"]
    assert figures(out)["v-stubborn"]["drop"] == "near_real"
    assert sorted(Speaking.asked)[:4] == [f"real-{row:06d}" for row in range(4)]
    assert not list(out.glob("work/real/**/*.parquet")) and len(list(out.glob("work/real/*/prompts.jsonl"))) == 2


def test_the_lower_of_the_two_limits_counts(job: PromptJob, tmp_path: Path) -> None:
    """Clips of real voices give 1.0; the limit of blending, for means of clips, is lower."""
    assert job.real is not None
    write_card(job.real, {**read_card(job.real), "half_similarity": {"q05": 0.65}})
    card = made(replace(job, leak_limit=None), tmp_path / "out")
    assert card["prompts"]["limits"]["leak"] == 0.65
    assert [voice.voice_id for voice in load_bank(str(tmp_path / "out")).voices] == ["v-late"], "0.707 is too near now"


def test_what_is_done_stays_done(job: PromptJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, broken = tmp_path / "1" / "bank", tmp_path / "2" / "bank"
    made(job, whole)
    committed = prompts.PromptBlocks.commit

    def cut_off(self: Any, block: int, *given: Any) -> Any:
        if block == 2:
            raise KeyboardInterrupt
        return committed(self, block, *given)

    monkeypatch.setattr(prompts.PromptBlocks, "commit", cut_off)
    with pytest.raises(KeyboardInterrupt):
        made(job, broken)
    monkeypatch.setattr(prompts.PromptBlocks, "commit", committed)
    assert not (broken / "card.json").exists()
    (broken / "work" / "spoken" / "000000" / "prompts.jsonl").write_text("damaged")
    Speaking.asked = ()
    made(job, broken)
    assert set(Speaking.asked) == {"v-clear", "v-mute", "v-unclear", "v-hasty", "v-late"}, "block 1 was done"
    for name in ("voices.parquet", "prompts.jsonl", "card.json"):
        assert (broken / name).read_bytes() == (whole / name).read_bytes(), name


def test_without_real_people_the_card_says_so(job: PromptJob, tmp_path: Path) -> None:
    card = made(replace(job, real=None, rules=None, leak_limit=None), tmp_path / "out")
    assert card["prompts"]["limits"]["leak"] is None and card["prompts"]["dropped"].get("near_real") is None
    assert "nobody was compared" in prompt_summary(card)


@pytest.mark.parametrize(
    "change, error, why",
    [
        ({"error_limit": -1.0}, UserError, "no voice got a clip"),
        ({"recipe": tone_recipe()}, RecipeError, "has no speech engine for voices of directions"),
        (
            {"recipe": tone_recipe("synthesize.engine=directions", "transcribe.engine={zh: hears}")},
            RecipeError,
            "has no recognizer for en",
        ),
    ],
)
def test_refusals(change: dict[str, Any], error: type[ParleyError], why: str, job: PromptJob, tmp_path: Path) -> None:
    with pytest.raises(error, match=why):
        made(replace(job, **change), tmp_path / "out")


def test_a_bank_with_clips_needs_none(job: PromptJob, tmp_path: Path) -> None:
    made(job, tmp_path / "out")
    with pytest.raises(UserError, match="have clips already"):
        made(replace(job, bank=str(tmp_path / "out")), tmp_path / "again")


def test_the_command_does_not_forget_the_people(tmp_path: Path) -> None:
    words = ["voice-prompts", "--bank", "tone", "--recipe", "tone-dry-run", "--out", str(tmp_path / "out")]
    result = CliRunner().invoke(voicebank, words)
    assert isinstance(result.exception, UserError) and "--real is missing" in str(result.exception)
    result = CliRunner().invoke(voicebank, [*words, "--untested", "--runner", "local"])
    assert result.exit_code == 0, result.output
    assert "none: nobody was compared" in result.stdout


@pytest.mark.slow
def test_killed_at_any_step_the_command_goes_on_to_the_same_bank(job: PromptJob, tmp_path: Path) -> None:
    measured = replace(job, leak_limit=None)

    def make(out: Path) -> None:
        made(measured, out / "bank")

    make(tmp_path / "whole")
    assert not problems_of(make, bank_files(tmp_path / "whole/bank"), lambda out: bank_files(out / "bank"), tmp_path)
