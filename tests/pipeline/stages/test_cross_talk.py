"""transcribe tells a clip that says another turn's text from one that is spoken badly.

A simulated server gives some requests the clip of another one of the same block; what the recognizer hears is known.
"""

import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest

from manifests.schema import Dialogue
from parley.testing import make_context, make_dialogue, tone_recipe
from parley.testing.stages import make_take
from pipeline.audio.samples import encode
from pipeline.engines.contract import Clip, Failure, Transcript
from pipeline.recipe import Recipe
from pipeline.scoring.rates import score
from pipeline.stages.contract import Context, audit_stage, run_stage
from pipeline.stages.gate import GATE
from pipeline.stages.transcribe import TRANSCRIBE

RATE = 8_000
WORDS = (
    "river mountain window garden bottle winter summer teacher doctor letter number yellow purple silver morning"
    " evening market station engine planet ocean forest island bridge castle village"
).split()
CHARACTERS = "天空为什么是蓝色的因为气把光散射到各个方向请问今明后怎样去学校最近新书里写了很多有趣故事我们都喜欢听"


class Known:
    """Hears in a clip what it was told the clip says; clips are known by their number of samples."""

    name, version, languages = "known", "1", None

    def __init__(self, said: Mapping[int, str]) -> None:
        self._said = said

    def transcribe(self, clips: Sequence[Clip], languages: Sequence[str]) -> list[Transcript | Failure]:
        return [Transcript(self._said[len(clip.samples)]) for clip in clips]


def served_recipe(*overrides: str) -> Recipe:
    return tone_recipe(
        "models.mouth={engine: openai-speech, model: m}",
        "synthesize.engine=[tone, mouth]",
        "gate.ladder=[]",
        *overrides,
    )


def context(said: Mapping[int, str], recipe: Recipe | None = None) -> Context:
    return make_context(recipe or served_recipe(), engines={("asr", "tone"): Known(said)})


def spoken(texts: Sequence[str], language: str, number: int, lengths: Sequence[int]) -> Dialogue:
    pairs = list(zip(texts[::2], texts[1::2], strict=True))
    dialogue = make_dialogue(*pairs, language=language, dialogue_id=f"test-{number}", spoken=True)
    clips = [encode(np.full(length, 0.3, np.float32), RATE, "wav") for length in lengths]
    turns = zip(dialogue.turns, clips, strict=True)
    return replace(dialogue, turns=tuple(replace(turn, take=make_take(audio=clip)) for turn, clip in turns))


def heard(dialogues: Sequence[Dialogue], said: Mapping[int, str]) -> list[Dialogue]:
    return run_stage(TRANSCRIBE, dialogues, context(said))


A, B, C = (
    "the river is wide in the morning",
    "silver engines cross the old bridge",
    "my doctor lives on a small island",
)


def block(texts: Sequence[str], said: Sequence[str]) -> tuple[list[Dialogue], dict[int, str]]:
    """Dialogues of two turns each; clip number i has 16,000 + i samples and says `said[i]`."""
    lengths = [2 * RATE + i for i in range(len(texts))]
    rows = [spoken(texts[i : i + 2], "en", i, lengths[i : i + 2]) for i in range(0, len(texts), 2)]
    return rows, dict(zip(lengths, said, strict=True))


@pytest.mark.parametrize(
    ("said", "reasons"),
    [
        pytest.param((A, B, C, A), (None, None, None, "cross_talk"), id="another row's text"),
        pytest.param((B, A, C, A), ("cross_talk", "cross_talk", None, "cross_talk"), id="two rows exchanged"),
        pytest.param(("", "", "", ""), (None,) * 4, id="nothing is heard: no cross-talk"),
        pytest.param((A, B, "my cat lives on a big hill", A + " " + B), (None,) * 4, id="gibberish and a mixture"),
        pytest.param((A, "silver trains cross the old bridge", C, C), (None, None, None, "cross_talk"), id="a slip"),
    ],
)
def test_what_is_named(said: Sequence[str], reasons: Sequence[str | None]) -> None:
    rows, table = block((A, B, C, "yes that is what we meant to say"), said)
    assert tuple(turn.reason for row in heard(rows, table) for turn in row.turns) == reasons


def test_a_short_turn_is_not_excused_by_its_long_dialogue() -> None:
    long = " ".join(WORDS * 3)
    lengths = [30 * RATE, 2 * RATE + 1, 2 * RATE + 2, 2 * RATE + 3]
    rows = [spoken((long, "we like winter"), "en", 0, lengths[:2]), spoken((A, B), "en", 1, lengths[2:])]
    said = dict(zip(lengths, (long, A, A, B), strict=True))
    named = heard(rows, said)
    kept = [row.status for row in run_stage(GATE, named, context(said))]
    assert (named[0].turns[1].reason, kept) == ("cross_talk", ["rejected", "kept"])


def test_texts_too_short_to_be_told_apart_are_not_compared() -> None:
    rows, said = block(("yes please", B, "not now", A), ("not now", B, "not now", A))
    assert [turn.reason for turn in heard(rows, said)[0].turns] == [None, None]


def test_a_clip_of_an_impossible_duration_is_heard_and_named_or_keeps_its_reason() -> None:
    rows = [spoken((A, B), "en", 0, (40 * RATE, 40 * RATE + 1)), spoken((C, A), "en", 1, (2 * RATE, 2 * RATE + 1))]
    recipe = served_recipe("gate.spaced_speed={slowest: 4, fastest: 28, pause_s: 2}")
    said = {40 * RATE: C, 40 * RATE + 1: B, 2 * RATE: C, 2 * RATE + 1: A}
    (first, _) = run_stage(TRANSCRIBE, rows, context(said, recipe))
    assert [turn.reason for turn in first.turns] == ["cross_talk", "too_long_speech"]
    assert [turn.hypothesis for turn in first.turns] == [C, None]


def test_a_synthesizer_in_process_has_no_cross_talk() -> None:
    rows, said = block((A, B, C, A), (A, B, C, B))
    recipe = tone_recipe("gate.ladder=[]")
    assert [turn.reason for row in run_stage(TRANSCRIBE, rows, context(said, recipe)) for turn in row.turns] == [
        None
    ] * 4


def test_the_order_of_the_block_does_not_matter() -> None:
    rows, said = block((A, B, C, "yes that is what we meant"), (A, A, C, B))
    audit_stage(TRANSCRIBE, rows, context(said))


def test_a_second_recognizer_clears_a_first_one_that_mixed_up_its_clips() -> None:
    rows, said = block((A, B, C, "yes that is what we meant"), (A, A, C, "yes that is what we meant"))
    recipe = served_recipe("transcribe.engine=one", "transcribe.second=two")
    right = {**said, 2 * RATE + 1: B}
    engines = {("asr", "one"): Known(said), ("asr", "two"): Known(right)}
    (row, _) = run_stage(TRANSCRIBE, rows, make_context(recipe, engines=engines))
    take = row.turns[1].take
    assert take is not None and take.reason is None
    assert [hearing.reason for hearing in take.hearings] == ["cross_talk", None]


def blocks_of(rows: int, share: float, size: int = 64) -> Iterator[tuple[list[Dialogue], dict[int, str], set[str]]]:
    """Blocks of dialogues in both languages, what each clip says, and the ids of those with another's clip."""
    draw = random.Random(7)
    for first in range(0, rows, size):
        languages = ["zh" if i % 3 == 0 else "en" for i in range(min(size, rows - first))]
        texts = [_text(draw, language) for language in languages for _ in range(2)]
        dialogues, said, mixed_up = [], {}, set()
        for i, language in enumerate(languages):
            lengths = [RATE + 2 * i, RATE + 2 * i + 1]
            for turn, length in zip((2 * i, 2 * i + 1), lengths, strict=True):
                source = turn
                if draw.random() < share / 2:
                    source = (turn + draw.randrange(1, len(texts))) % len(texts)
                    mixed_up.add(f"test-{first + i}")
                said[length] = _misheard(draw, texts[source], languages[source // 2])
            dialogues.append(spoken(texts[2 * i : 2 * i + 2], language, first + i, lengths))
        yield dialogues, said, mixed_up


def _text(draw: random.Random, language: str) -> str:
    if language == "zh":
        return "".join(draw.choices(CHARACTERS, k=draw.randint(6, 24)))
    return " ".join(draw.choices(WORDS, k=draw.randint(4, 16)))


def _misheard(draw: random.Random, text: str, language: str) -> str:
    """The text, with an error in every tenth clip."""
    if draw.random() > 0.1:
        return text
    units = list(text) if language == "zh" else text.split()
    units[draw.randrange(len(units))] = "它" if language == "zh" else "pebble"
    return ("" if language == "zh" else " ").join(units)


def outcome(rows: int) -> tuple[Counter[str], Counter[str], int]:
    """Reasons of the rows that were mixed up, reasons of the others, and how many were mixed up."""
    wrong, right, count = Counter[str](), Counter[str](), 0
    for dialogues, said, mixed_up in blocks_of(rows, 0.01):
        count += len(mixed_up)
        for row in run_stage(GATE, heard(dialogues, said), context(said)):
            (wrong if row.dialogue_id in mixed_up else right)[row.reason or row.status] += 1
    return wrong, right, count


def test_of_rows_with_cross_talk_none_is_kept_and_all_are_named() -> None:
    wrong, right, mixed_up = outcome(640)
    assert mixed_up >= 3 and wrong == {"cross_talk": mixed_up}
    assert "cross_talk" not in right and right["kept"] > 0.7 * 640


@pytest.mark.slow
def test_the_same_of_ten_thousand_rows() -> None:
    wrong, right, mixed_up = outcome(10_000)
    assert mixed_up > 70 and wrong == {"cross_talk": mixed_up}
    assert "cross_talk" not in right


def test_the_limits_leave_room_between_a_bad_take_and_another_text() -> None:
    """Even texts of few words, drawn at random, are further apart than OWN_RATE."""
    draw = random.Random(1)
    rates = [score(_text(draw, "en"), _text(draw, "en"), "en").rate or 0 for _ in range(300)]
    assert min(rates) > 0.5
