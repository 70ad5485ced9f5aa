"""Transcripts with faults of every kind, through transcribe and gate: what is kept, and whose fault the rest is.

The table `recorded.tsv` is written by hand. A row must end exactly as it says: a wrong transcript that is kept and a
right one that is dropped are both errors.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from manifests.reasons import Reason
from manifests.schema import Dialogue, Take, Turn, Watermark
from parley.testing import make_context, make_dialogue, tone_recipe
from pipeline.audio.samples import encode
from pipeline.engines.contract import Clip, Failure, Transcript
from pipeline.scoring.hallucination import flags
from pipeline.stages.cast import CASTING
from pipeline.stages.contract import run_stage
from pipeline.stages.gate import GATE
from pipeline.stages.transcribe import TRANSCRIBE
from tests.tables import each_row
from voicebank.voice import Voice


@dataclass(frozen=True)
class Case:
    name: str
    language: str
    text: str
    heard: str
    seconds: float
    level_dbfs: float
    prompt: str
    verdict: str


def cases() -> list[Case]:
    lines = (Path(__file__).parent / "recorded.tsv").read_text("utf-8").splitlines()
    rows = csv.reader((line for line in lines if not line.startswith("#")), delimiter="\t", quoting=csv.QUOTE_NONE)
    return [Case(n, lang, t, h, float(s), float(level), p, v) for n, lang, t, h, s, level, p, v in rows]


class Scripted:
    """Hears what it is told to."""

    name, version, languages = "scripted", "1", None

    def __init__(self, *heard: Transcript) -> None:
        self.heard = heard

    def transcribe(self, clips: Sequence[Clip], languages: Sequence[str]) -> list[Transcript | Failure]:
        return list(self.heard[: len(clips)])


class OneVoice:
    """A casting whose every voice is given by a recording that says `prompt`."""

    def __init__(self, prompt: str) -> None:
        self.voice = Voice("v", "tone", "tone", "en", "female", prompt_text=prompt or None)

    def __getitem__(self, voice_id: str) -> Voice:
        return self.voice


def judged(case: Case, *others: Case) -> Dialogue:
    """The dialogue of the case (and others) after transcribe and gate, its duration not judged beforehand."""
    dialogue = make_dialogue(language=case.language)
    turns = tuple(turn(c, i) for i, c in enumerate((case, *others)))
    limits = ["gate.spaced_speed={slowest: 0.01, fastest: 1000, pause_s: 99}"]
    limits += ["gate.unspaced_speed={slowest: 0.01, fastest: 1000, pause_s: 99}", "gate.ladder=[]"]
    engines = {("asr", "tone"): Scripted(*(Transcript(c.heard) for c in (case, *others)))}
    context = make_context(tone_recipe(*limits), engines=engines, **{CASTING.name: OneVoice(case.prompt)})
    rows = [replace(dialogue, turns=turns, user_voice="v", agent_voice="v")]
    for stage in (TRANSCRIBE, GATE):
        rows = run_stage(stage, rows, context)
    return rows[0]


def turn(case: Case, index: int) -> Turn:
    amplitude = 2**0.5 * 10 ** (case.level_dbfs / 20)
    wave = amplitude * np.sin(2 * np.pi * 300 * np.arange(round(case.seconds * 8000)) / 8000)
    audio = encode(wave.astype(np.float32), 8000, "wav")
    take = Take(1, "v", seed=index, rate=1.0, audio=audio, watermark=Watermark("test", None, 1.0))
    return Turn(role="agent" if index % 2 else "user", original_text=case.text, text=case.text, take=take)


@each_row("case", [pytest.param(case, id=case.name) for case in cases()])
def test_each_recorded_transcript_ends_as_it_should(case: Case) -> None:
    dialogue = judged(case)
    expected = ("kept", None) if case.verdict == "keep" else ("rejected", case.verdict)
    assert (dialogue.status, dialogue.reason) == expected
    assert dialogue.turns[0].hypothesis == case.heard, "the transcript stays, whatever is wrong with it"


def test_the_table_has_every_reason_of_a_wrong_transcript() -> None:
    verdicts = {case.verdict for case in cases()}
    assert {reason.value for reason in Reason if reason.value.startswith("hallucination_")} <= verdicts
    assert {"keep", "error_rate"} <= verdicts


def test_a_flagged_turn_is_not_hidden_by_the_others() -> None:
    """The pooled rate of a long dialogue would let a short turn with the prompt in it pass."""
    prompt = "The weather is lovely by the lake."
    words = " ".join(f"word{letter}" for letter in "abcdefghijklmnopqrstuvwxyz" * 4)
    long = Case("long", "en", words, words, 60, -15, prompt, "keep")
    leak = Case("leak", "en", "Yes.", "The weather is lovely by the lake yes.", 3, -15, prompt, "")
    dialogue = judged(leak, long)
    assert dialogue.wer is not None and dialogue.wer <= 0.1
    assert (dialogue.status, dialogue.reason) == ("rejected", "hallucination_prompt")
    assert [t.reason for t in dialogue.turns] == ["hallucination_prompt", None]


@pytest.mark.parametrize(
    ("no_speech", "log_probability", "flagged"),
    [(0.9, -1.5, True), (0.9, -0.5, False), (0.3, -1.5, False), (None, -1.5, False), (0.9, None, False)],
)
def test_whispers_own_rule_for_silence(no_speech: float | None, log_probability: float | None, flagged: bool) -> None:
    found = flags("I see", "en", 3.0, no_speech=no_speech, log_probability=log_probability)
    assert [flag.reason for flag in found] == ([Reason.HALLUCINATION_SILENCE] if flagged else [])


def test_nothing_is_wrong_with_nothing() -> None:
    assert flags("", "en", 1.0, float("-inf"), "prompt") == flags("  ", "zh", 0.1, -90.0) == ()


def test_each_flag_says_what_was_found() -> None:
    found = flags("so on and so on and so on and so on and", "en", 5.0)
    assert [(flag.reason.value, flag.detail) for flag in found] == [("hallucination_loop", "4 times 'so on and'")]
