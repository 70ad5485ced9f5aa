"""watermark: what message a clip is given, and what becomes of a clip in which another is found."""

import importlib.util
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from manifests.schema import Dialogue, Watermark
from parley.testing import make_context, make_dialogue, tone_recipe
from parley.testing.stages import take_of
from pipeline.engines.contract import Clip, Detection, Failure
from pipeline.engines.watermark.tone_mark import ToneWatermarker
from pipeline.stages.contract import Context, audit_stage, run_stage
from pipeline.stages.registry import find_stage
from tests.tables import each_row

OURS, THEIRS = "a3f1" + 60 * "0", "5c0e" + 60 * "f"
STAGES = ("cast", "synthesize", "render", "watermark")


class Carries(ToneWatermarker):
    """Keeps no message in the audio: `found` says what is found in every clip."""

    name = "carries"

    def __init__(self, found: str | None, bits: int = 16, score: float = 1.0) -> None:
        self.bits, self.found, self.score = bits, found, score
        self.messages: list[int] = []

    def embed(self, clips: Sequence[Clip], messages: Sequence[int]) -> list[Clip | Failure]:
        self.messages += messages
        return super().embed(clips, messages)

    def detect(self, clips: Sequence[Clip]) -> list[Detection | Failure]:
        return [Detection(self.score, self.found) for _ in clips]


def context(engine: Any, *overrides: str) -> Context:
    return make_context(tone_recipe(*overrides), STAGES, engines={("watermark", "tone-mark"): engine})


def spoken(recipe: str | None, **changes: Any) -> Dialogue:
    return make_dialogue(("How are you?", "I am fine."), spoken=True, recipe=recipe, **changes)


def run(engine: Any, *dialogues: Dialogue, overrides: Sequence[str] = ()) -> list[Dialogue]:
    rows = list(dialogues)
    for stage in STAGES:
        rows = run_stage(find_stage(stage), rows, context(engine, *overrides))
    return rows


@pytest.mark.parametrize(
    ("bits", "messages"),
    [(16, [0xA3F1, 0xA3F1, 0x5C0E, 0x5C0E, 0, 0]), (4, [0xA, 0xA, 5, 5, 0, 0]), (0, [0, 0, 0, 0, 0, 0])],
)
def test_every_clip_is_given_the_id_of_its_own_corpus(bits: int, messages: list[int]) -> None:
    engine = Carries(None, bits)
    rows = [spoken(recipe, dialogue_id=f"test-{i}") for i, recipe in enumerate((OURS, THEIRS, None))]
    run(engine, *rows)
    assert engine.messages == messages


@each_row(
    ("found", "score", "overrides", "reason"),
    [
        ("a3f1", 1.0, [], None),
        ("a3f2", 1.0, [], None),  # two wrong bits
        ("a3f6", 1.0, [], "watermark_foreign"),  # three
        ("a3f6", 1.0, ["watermark.message_errors=3"], None),
        ("a3f0", 1.0, ["watermark.message_errors=0"], "watermark_foreign"),
        ("5c0e", 1.0, [], "watermark_foreign"),
        (None, 1.0, [], "watermark_foreign"),
        ("5c0e", 0.49, [], "watermark_missing"),
        ("a3f1", 0.49, [], "watermark_missing"),
    ],
)
def test_a_mark_that_names_another_corpus_is_a_reject(
    found: str | None, score: float, overrides: Sequence[str], reason: str | None
) -> None:
    (row,) = run(Carries(found, score=score), spoken(OURS), overrides=overrides)
    assert [turn.reason for turn in row.turns] == [reason, reason]
    for turn in row.turns:
        assert take_of(turn).watermark == Watermark("carries", found, score)


def test_the_dialogue_ends_with_that_reason() -> None:
    (row,) = run(Carries("5c0e"), spoken(OURS), overrides=["gate.ladder=[]"])
    (row,) = run_stage(find_stage("gate"), [row], context(Carries("5c0e"), "gate.ladder=[]"))
    assert (row.status, row.reason) == ("rejected", "watermark_foreign")


def test_a_mark_without_a_message_is_never_foreign() -> None:
    (row,) = run(ToneWatermarker(), spoken(OURS), overrides=["watermark.message_errors=0"])
    assert [(turn.reason, mark and mark.message) for turn in row.turns for mark in [take_of(turn).watermark]] == [
        (None, None)
    ] * 2


@pytest.mark.skipif(importlib.util.find_spec("audioseal") is None, reason="needs audioseal (the extra 'audioseal')")
def test_audioseal_marks_delivers_and_is_read_back(tmp_path: Path) -> None:
    """Random weights find nothing: only with a threshold of 0 and any message does a row pass."""
    from pipeline.engines.watermark.audioseal import AudioSealWatermarker
    from tests.pipeline.engines.watermark.tiny_audioseal import tiny_model

    engine = AudioSealWatermarker(tiny_model(tmp_path))
    lax = ["watermark.threshold=0", "watermark.message_errors=16", "render.sample_rate=24000"]
    rows = [spoken(OURS, dialogue_id=f"test-{i}") for i in range(3)]
    for stage in STAGES[:-1]:
        rows = run_stage(find_stage(stage), rows, context(engine, *lax))
    audit_stage(find_stage("watermark"), rows, context(engine, *lax))
    marked = run_stage(find_stage("watermark"), rows, context(engine, *lax))
    turns = [turn for row in marked for turn in row.turns]
    assert [turn.reason for turn in turns] == [None] * 6
    marks = [mark for turn in turns if (mark := take_of(turn).watermark)]
    assert [(mark.method, len(mark.message or "")) for mark in marks] == [("audioseal", 4)] * 6
    assert all(turn.audio and turn.audio.codec == "flac" and turn.audio.sample_rate == 24_000 for turn in turns)
    other = run_stage(find_stage("watermark"), [replace(row, recipe=THEIRS) for row in rows], context(engine, *lax))
    for one, two in zip(turns, (turn for row in other for turn in row.turns), strict=True):
        assert one.audio and two.audio and one.audio.bytes != two.audio.bytes, "the message is in the audio"
    strict = run_stage(find_stage("watermark"), rows, context(engine, "watermark.threshold=1"))
    assert {turn.reason for row in strict for turn in row.turns} == {"watermark_missing"}
