"""synthesize, render, watermark, transcribe with tone engines and with ones that misbehave."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from manifests.audio import decode
from manifests.reasons import Reason
from manifests.schema import Dialogue, Hearing, Turn, Watermark
from parley.testing import make_context, make_dialogue, tone_recipe
from parley.testing.stages import make_take, take_of
from pipeline.audio.levels import peak_dbfs
from pipeline.engines.asr.tone import ToneRecognizer
from pipeline.engines.contract import Clip, Detection, Failure, SpeechRequest, Transcript
from pipeline.engines.tts.tone import ToneSynthesizer
from pipeline.engines.watermark.tone_mark import ToneWatermarker
from pipeline.scoring.rates import score
from pipeline.stages.cast import CASTING
from pipeline.stages.contract import EngineKey, run_stage
from pipeline.stages.registry import find_stage

SPEECH = ("cast", "synthesize", "render", "watermark", "transcribe", "gate")
START = make_dialogue(("How are you?", "I am fine."), spoken=True)


def run(
    *stages: str,
    engines: dict[EngineKey, Any] | None = None,
    dialogue: Dialogue = START,
    overrides: Sequence[str] = (),
) -> Dialogue:
    context = make_context(tone_recipe("gate.ladder=[]", *overrides), SPEECH, engines=engines)
    for stage in stages:
        (dialogue,) = run_stage(find_stage(stage), [dialogue], context)
    return dialogue


class Says(ToneSynthesizer):
    """Gives the same result for whatever is asked."""

    def __init__(self, result: Clip | Failure) -> None:
        super().__init__()
        self.result = result

    def synthesize(self, requests: Sequence[SpeechRequest]) -> list[Clip | Failure]:
        return [self.result for _ in requests]


def mark_of(turn: Turn) -> Watermark:
    mark = take_of(turn).watermark
    assert mark is not None
    return mark


def clip(samples: Any, rate: int = 16_000) -> Clip:
    return Clip(np.asarray(samples, np.float32), rate)


def test_one_user_voice_and_one_agent_voice_for_the_whole_dialogue() -> None:
    four = make_dialogue(("How are you?", "I am fine."), ("Really?", "Really."), spoken=True)
    result = run("cast", "synthesize", dialogue=four)
    voices = [take_of(turn).voice_id for turn in result.turns]
    assert voices == [result.user_voice, result.agent_voice] * 2
    assert len({take_of(turn).seed for turn in result.turns}) == 4


def test_user_and_agent_are_drawn_apart_and_a_voice_that_is_set_stays() -> None:
    cast = [run("cast", dialogue=replace(START, dialogue_id=f"test-{i}")) for i in range(40)]
    genders = {
        tuple(make_context().resource(CASTING)[v or ""].gender for v in (d.user_voice, d.agent_voice)) for d in cast
    }
    assert len(genders) == 4
    result = run("cast", dialogue=replace(START, user_voice="u", agent_voice="a"))
    assert (result.user_voice, result.agent_voice) == ("u", "a")


def test_without_a_voice_of_the_language_the_row_ends() -> None:
    dialogue = run("cast", dialogue=replace(START, language="fr"))
    assert (dialogue.reason, dialogue.detail) == ("no_voice", "no user voice for fr in the bank tone")


def taken(dialogue: Dialogue, voice: str, takes: int = 1, **changes: Any) -> Dialogue:
    """The dialogue after so many takes of its first turn, which is to be taken again."""
    attempts = tuple(make_take(n + 1, voice, reason="error_rate") for n in range(takes))
    return replace(dialogue, turns=(replace(dialogue.turns[0], attempts=attempts), *dialogue.turns[1:]), **changes)


class Listens(ToneSynthesizer):
    def __init__(self) -> None:
        super().__init__()
        self.requests: list[SpeechRequest] = []

    def synthesize(self, requests: Sequence[SpeechRequest]) -> list[Clip | Failure]:
        self.requests += requests
        return super().synthesize(requests)


def test_each_attempt_has_the_rate_of_its_rung_and_a_seed_of_its_own() -> None:
    engine = Listens()
    for takes in range(3):
        dialogue = run(
            "cast",
            "synthesize",
            dialogue=taken(START, "v", takes),
            engines={("tts", "tone"): engine},
            overrides=["gate.ladder=[{rate: 0.9}, {rate: 0.8}]"],
        )
        take, request = take_of(dialogue.turns[0]), engine.requests[-2]
        assert (take.number, take.rate, take.seed) == (takes + 1, request.rate, request.seed)
    assert [request.rate for request in engine.requests[::2]] == [1.0, 0.9, 0.8]
    assert len({request.seed for request in engine.requests}) == 6


@pytest.mark.parametrize(
    "result",
    [
        Failure(Reason.SYNTHESIS_FAILED, "no"),
        clip([]),
        clip(np.zeros(8000)),
        clip([0.1, np.nan, 0.2]),
        clip([0.1, np.inf, 0.2]),
    ],
    ids=["failure", "empty", "silent", "nan", "infinite"],
)
def test_what_is_no_speech_never_becomes_silence_in_the_corpus(result: Clip | Failure) -> None:
    dialogue = run(*SPEECH, engines={("tts", "tone"): Says(result)})
    assert (dialogue.status, dialogue.reason) == ("failed", "synthesis_failed")
    assert all(turn.audio is None for turn in dialogue.turns)
    for turn in dialogue.turns:
        take = take_of(turn)
        assert (take.number, take.reason, take.hearing) == (1, "synthesis_failed", None)
        assert take.voice_id and turn.attempts == (take,), "what was tried stays on the row"


@pytest.mark.parametrize("rate", [8_000, 22_050, 24_000, 48_000])
def test_render_brings_every_engine_to_the_rate_level_and_edges_of_the_recipe(rate: int) -> None:
    tone = 0.1 * np.sin(2 * np.pi * 440 * np.arange(rate) / rate)
    spoken = clip(np.concatenate([np.zeros(rate), tone, np.zeros(rate)]), rate)
    dialogue = run("cast", "synthesize", "render", engines={("tts", "tone"): Says(spoken)})
    for turn in dialogue.turns:
        assert turn.audio is not None
        samples, out_rate = decode(turn.audio)
        assert out_rate == 16_000
        assert peak_dbfs(samples) == pytest.approx(-3.0, abs=0.1)
        assert len(samples) == pytest.approx(16_000 * 1.3, rel=0.02), "one second and twice 150 ms"
        assert not np.any(samples[: int(0.14 * 16_000)])


def test_the_watermark_is_looked_for_in_the_delivered_bytes() -> None:
    dialogue = run("cast", "synthesize", "render", "watermark")
    for turn in dialogue.turns:
        assert turn.audio is not None
        assert turn.audio.codec == "flac"
        assert turn.audio.bytes[:4] == b"fLaC"
        (found,) = ToneWatermarker().detect([Clip(*decode(turn.audio))])
        assert isinstance(found, Detection)
        assert found.score == mark_of(turn).score >= 0.5
    assert run("cast", "synthesize", "watermark", overrides=["watermark.codec=wav"]).turns[0].audio.codec == "wav"  # type: ignore[union-attr]


def test_a_score_at_the_threshold_is_enough() -> None:
    stages = ("cast", "synthesize", "render", "watermark")
    scores = [mark_of(turn).score for turn in run(*stages).turns]
    dialogue = run(*stages, overrides=[f"watermark.threshold={min(scores)!r}"])
    assert [turn.reason for turn in dialogue.turns] == [None, None]


class LosesTheMark(ToneWatermarker):
    def embed(self, clips: Sequence[Clip], messages: Sequence[int]) -> list[Clip | Failure]:
        return list(clips)


class CannotMark(ToneWatermarker):
    def embed(self, clips: Sequence[Clip], messages: Sequence[int]) -> list[Clip | Failure]:
        return [Failure(Reason.WATERMARK_FAILED, "too short") for _ in clips]


@pytest.mark.parametrize(
    ("engine", "status", "reason"),
    [(LosesTheMark(), "rejected", "watermark_missing"), (CannotMark(), "failed", "watermark_failed")],
)
def test_a_clip_without_its_mark_is_never_kept(engine: ToneWatermarker, status: str, reason: str) -> None:
    dialogue = run(*SPEECH, engines={("watermark", "tone-mark"): engine})
    assert (dialogue.status, dialogue.reason) == (status, reason)
    assert all(turn.hypothesis is None for turn in dialogue.turns), "and not worth a recognizer's time"


def test_a_take_is_scored_where_it_is_heard() -> None:
    dialogue = run(*SPEECH[:-1])
    for turn in dialogue.turns:
        hearing = take_of(turn).hearing
        assert hearing is not None and (hearing.recognizer, hearing.reason) == ("tone", None)
        assert hearing.score == score(turn.text or "", hearing.hypothesis or "", "en")
        assert take_of(turn).hearings == ()


class Deaf(ToneRecognizer):
    """Hears English only, and counts what it was given."""

    languages: frozenset[str] | None = frozenset({"en"})

    def __init__(self) -> None:
        super().__init__()
        self.clips = 0

    def transcribe(self, clips: Sequence[Clip], languages: Sequence[str]) -> list[Transcript | Failure]:
        self.clips += len(clips)
        return super().transcribe(clips, languages)


def test_a_language_that_the_recognizer_does_not_hear_fails_the_row() -> None:
    deaf = Deaf()
    zh = make_dialogue(("你好吗？", "我很好。"), language="zh", spoken=True)
    dialogue = run(*SPEECH, engines={("asr", "tone"): deaf}, dialogue=zh)
    assert (dialogue.status, dialogue.reason, deaf.clips) == ("failed", "no_recognizer", 0)
    assert [take_of(turn).hearing for turn in dialogue.turns] == [None, None]


def test_a_language_without_any_recognizer_fails_the_row() -> None:
    zh = make_dialogue(("你好吗？", "我很好。"), language="zh", spoken=True)
    dialogue = run(*SPEECH, dialogue=zh, overrides=["transcribe.engine={en: tone}"])
    assert (dialogue.status, dialogue.reason) == ("failed", "no_recognizer")


@pytest.mark.parametrize(
    ("seconds", "reason"), [(0.05, "too_short"), (40.0, "too_long_speech")], ids=["cut off", "run-away"]
)
def test_speech_of_an_impossible_length_is_not_heard_at_all(seconds: float, reason: str) -> None:
    deaf = Deaf()
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, int(seconds * 16_000))
    dialogue = run(
        *SPEECH,
        engines={("tts", "tone"): Says(clip(noise)), ("asr", "tone"): deaf},
        overrides=[
            "gate.spaced_speed={slowest: 4, fastest: 28, pause_s: 2}",
            "render.edge_silence_ms=0",
        ],
    )
    assert (dialogue.status, dialogue.reason, deaf.clips) == ("rejected", reason, 0)
    assert [take_of(turn).hearing for turn in dialogue.turns] == [Hearing("tone", reason=reason)] * 2


@pytest.mark.parametrize(
    ("speed", "reason"),
    [
        ("{slowest: 1, fastest: 2, pause_s: 0}", "too_short"),
        ("{slowest: 9, fastest: 90, pause_s: 0}", "too_long_speech"),
        ("{slowest: 9, fastest: 90, pause_s: 1}", "error_rate"),
    ],
)
def test_chinese_has_a_speed_of_its_own(speed: str, reason: str) -> None:
    noise = clip(np.random.default_rng(0).uniform(-0.5, 0.5, 16_000))
    dialogue = run(
        *SPEECH,
        engines={("tts", "tone"): Says(noise)},
        dialogue=make_dialogue(("你好吗？", "我很好。"), language="zh", spoken=True),
        overrides=[f"gate.unspaced_speed={speed}", "render.edge_silence_ms=0"],
    )
    assert dialogue.reason == reason


class Languages(ToneRecognizer):
    def __init__(self) -> None:
        super().__init__()
        self.heard: list[str] = []

    def transcribe(self, clips: Sequence[Clip], languages: Sequence[str]) -> list[Transcript | Failure]:
        self.heard += languages
        return super().transcribe(clips, languages)


def test_the_recognizer_is_told_the_language_of_each_clip() -> None:
    engine = Languages()
    rows = [START, make_dialogue(("你好吗？", "我很好。"), language="zh", spoken=True)]
    context = make_context(stages=SPEECH, engines={("asr", "tone"): engine})
    for stage in SPEECH:
        rows = run_stage(find_stage(stage), rows, context)
    assert engine.heard == ["en", "en", "zh", "zh"]


class CutsTheEnd(ToneSynthesizer):
    """The failure that hides in long turns: the last syllables are missing."""

    def synthesize(self, requests: Sequence[SpeechRequest]) -> list[Clip | Failure]:
        return [
            Clip(c.samples[: int(len(c.samples) * 0.97)], c.sample_rate) if isinstance(c, Clip) else c
            for c in super().synthesize(requests)
        ]


def test_a_lost_end_passes_the_pooled_rate_and_is_caught_at_the_edge() -> None:
    words = "the cat sat on the warm mat near our old green door and looked at the rain all day long again"
    long = make_dialogue((words, words), spoken=True)
    engines: dict[EngineKey, Any] = {("tts", "tone"): CutsTheEnd()}
    assert run(*SPEECH, engines=engines, dialogue=long).status == "kept"
    strict = run(*SPEECH, engines=engines, dialogue=long, overrides=["gate.edge_limit=0.1"])
    assert (strict.status, strict.reason) == ("rejected", "edge_error")


def test_takes_that_are_accepted_are_not_made_again() -> None:
    first = run(*SPEECH[:-1])
    speaker, deaf = Listens(), Deaf()
    engines: dict[EngineKey, Any] = {("tts", "tone"): speaker, ("asr", "tone"): deaf}
    again = run(*SPEECH[:-1], engines=engines, dialogue=replace(first, provenance=()))
    assert again.turns == first.turns
    assert (len(speaker.requests), deaf.clips) == (0, 0)
