"""align: times of every new take, on the clip that render left, and what cannot be true of them."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from manifests.audio import decode
from manifests.errors import RecipeError
from manifests.reasons import Reason
from manifests.schema import Dialogue, DryTake, Word, WordTimes
from manifests.words import words_of
from parley.testing import make_context, make_dialogue, tone_recipe
from parley.testing.stages import take_of
from pipeline.engines.contract import AlignRequest, Clip, Failure
from pipeline.stages._word_times import TimeLimits, find_problem, joined
from pipeline.stages.contract import EngineKey, audit_stage, run_stage
from pipeline.stages.registry import find_stage

STAGES = ("cast", "synthesize", "render", "align")
TEXTS = {"en": ("How are you?", "I am fine, thanks."), "zh": ("附近有书店吗？", "有，河边那家不错。")}
LIMITS = TimeLimits(min_word_ms=30, max_word_s=2.5, max_gap_s=1.0, max_unplaced_s=0.3)
RATE = 16_000


def run(
    *overrides: str, language: str = "en", stages: Sequence[str] = STAGES, engines: dict[EngineKey, Any] | None = None
) -> Dialogue:
    recipe = tone_recipe("align.engine=synthesizer", *overrides)
    loaded = {resource.name: resource.load(recipe, None) for resource in find_stage("align").resources(recipe)}
    context = make_context(recipe, STAGES, engines, **loaded)
    dialogue = make_dialogue(TEXTS[language], language=language, spoken=True)
    for stage in stages:
        (dialogue,) = run_stage(find_stage(stage), [dialogue], context)
    return dialogue


def times_of(dialogue: Dialogue, turn: int = 1) -> WordTimes:
    times = take_of(dialogue.turns[turn]).word_times
    assert times is not None
    return times


def test_a_synthesizer_is_believed_that_a_word_was_short() -> None:
    assert times_of(run("align.min_word_ms=1000")).problem is None


class Aligner:
    """Gives the same answer for each request, and remembers them."""

    name, version, languages = "test", "1", None

    def __init__(self, answer: WordTimes | Failure) -> None:
        self.answer, self.asked = answer, list[AlignRequest]()

    def align(self, requests: Sequence[AlignRequest]) -> list[WordTimes | Failure]:
        self.asked += requests
        return [self.answer for _ in requests]


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("rate", [16_000, 24_000])
def test_the_synthesizers_times_follow_the_clip_through_render(language: str, rate: int) -> None:
    dialogue = run(f"render={{sample_rate: {rate}, edge_silence_ms: 210}}", language=language)
    for number, turn in enumerate(dialogue.turns):
        times = times_of(dialogue, number)
        assert [word.text for word in times.words] == [w.text for w in words_of(turn.text or "", language)]
        assert times.is_complete and times.aligner.startswith("tone ")
        assert times.unit == ("word" if language == "en" else "character")
        assert turn.audio is not None
        samples, _ = decode(turn.audio)
        loud = np.abs(samples) > 0.02
        for word in times.words:
            assert word.start_sample is not None and word.end_sample is not None
            edge, inside = rate // 500, slice(word.start_sample, word.end_sample)
            assert loud[inside].any() and not loud[word.start_sample - edge : word.start_sample - edge // 4].any()
            assert not loud[word.end_sample + edge // 4 : word.end_sample + edge].any()
        assert abs(times.words[0].start_sample - 0.21 * rate) < 0.002 * rate, "the clip was cut and padded"


def test_rows_do_not_depend_on_their_batch() -> None:
    context = make_context(tone_recipe("align.engine=synthesizer"), STAGES)
    rows = [make_dialogue(texts, language=language, spoken=True) for language, texts in TEXTS.items()]
    rows = [replace(row, dialogue_id=f"row-{number}") for number, row in enumerate(rows)]
    for stage in STAGES[:3]:
        rows = run_stage(find_stage(stage), rows, context)
    audit_stage(find_stage("align"), rows, context)


def test_chinese_words_last_from_their_first_character_to_their_last() -> None:
    pytest.importorskip("jieba", reason="needs the extra 'kokoro'")
    characters, words = (times_of(run(f"align.unit={unit}", language="zh")) for unit in ("character", "word"))
    text = TEXTS["zh"][1]
    assert words.unit == "word" and "".join(word.text for word in words.words) == text
    assert len(words.words) < len(characters.words) == len(words_of(text, "zh"))
    rest = iter(characters.words)
    for word in words.words:
        own = [next(rest) for _ in words_of(word.text, "zh")]
        assert (word.start_sample, word.end_sample) == (own[0].start_sample, own[-1].end_sample)


def test_a_word_of_a_character_without_times_has_none() -> None:
    times = WordTimes("test", "character", (Word("河", 0, 5), Word("边", None, None), Word("好。", 9, 12)))
    assert joined(times, ["河边", "好", "。"], "zh").words == (Word("河边", None, None), Word("好。", 9, 12))


def test_a_failure_leaves_words_without_times_and_the_row_alone() -> None:
    aligner = Aligner(Failure(Reason.UNALIGNED, "too long"))
    times = times_of(run("align.engine=pocketsphinx", engines={("aligner", "pocketsphinx"): aligner}))
    assert times == WordTimes(
        "test 1", "word", tuple(Word(word, None, None) for word in TEXTS["en"][1].split()), "too long"
    )
    assert [request.text for request in aligner.asked] == list(TEXTS["en"])


def test_where_times_are_required_the_take_is_at_fault() -> None:
    for required, reason in (("true", "unaligned"), ("false", None)):
        aligner = Aligner(Failure(Reason.UNALIGNED, "too long"))
        settings = ("align.engine=pocketsphinx", f"align.required={required}")
        dialogue = run(*settings, engines={("aligner", "pocketsphinx"): aligner})
        assert [turn.reason for turn in dialogue.turns] == [reason, reason]
    assert [turn.reason for turn in run("align.required=true").turns] == [None, None]
    with pytest.raises(RecipeError, match=r"align\.engine names no aligner for zh"):
        tone_recipe("align.engine={en: synthesizer}", "align.required=true")
    with pytest.raises(RecipeError, match="arrange cuts Chinese behind characters"):
        tone_recipe("align={engine: synthesizer, unit: word}", "arrange={}")


def test_what_is_marked_or_arranged_is_not_aligned_again() -> None:
    dialogue = run(stages=STAGES[:3])
    arranged = replace(
        dialogue,
        turns=tuple(
            replace(turn, take=replace(turn.take, dry=DryTake(turn.audio))) if turn.take and turn.audio else turn
            for turn in dialogue.turns
        ),
    )
    aligner = Aligner(Failure(Reason.UNALIGNED, "asked"))
    context = make_context(tone_recipe("align.engine=synthesizer"), STAGES, {("aligner", "synthesizer"): aligner})
    assert run_stage(find_stage("align"), [arranged], context)[0].turns == arranged.turns and not aligner.asked


def sounding(*spans: tuple[float, float], seconds: float = 4.0) -> Clip:
    samples = np.zeros(round(seconds * RATE), np.float32)
    for start, end in spans:
        samples[round(start * RATE) : round(end * RATE)] = 0.5
    return Clip(samples, RATE)


def timed(*words: tuple[str, float | None, float | None]) -> WordTimes:
    def sample(seconds: float | None) -> int | None:
        return None if seconds is None else round(seconds * RATE)

    return WordTimes("test", "word", tuple(Word(text, sample(start), sample(end)) for text, start, end in words))


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ([("so", 0.2, 0.5), ("on", 0.5, 1.0)], None),
        ([("so", 0.2, 0.5), ("on", None, None)], None),
        ([("so", None, None), ("on", None, None)], "no word has times"),
        ([("so", 0.2, 0.22), ("on", 0.3, 1.0)], "'so' lasts 20 ms"),
        ([("so", 0.2, 3.9)], "'so' lasts 3.7 s"),
        ([("so", 0.2, 0.2), ("on", 0.5, 1.0)], "'so' is not inside the clip"),
        ([("so", 0.2, 1.0), ("on", 3.5, 4.5)], "'on' is not inside the clip"),
        ([("so", 0.6, 1.0), ("on", 0.2, 0.5)], "'on' starts before the one before it"),
        ([("so", 0.2, 1.0), ("on", 3.0, 3.5)], "2.0 s without a word behind 'so', inside a phrase"),
        ([("so,", 0.2, 1.0), ("on", 3.0, 3.5)], None),
        ([("so", 0.2, 1.0), ("on", 1.3, 1.5)], "'on' lies in silence"),
        ([("so", 0.2, 0.3), ("on", 0.4, 0.5)], "0.5 s of sound belong to no word"),
    ],
)
def test_what_cannot_be_true_is_named(words: list[tuple[str, float, float]], problem: str | None) -> None:
    sound = [(0.2, 1.0), *([(3.0, 3.5)] if words[-1][1] == 3.0 else [])]
    found = find_problem(timed(*words), sounding(*sound), LIMITS)
    assert problem in found if problem and found else found == problem
