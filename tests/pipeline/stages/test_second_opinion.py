"""transcribe with two recognizers: who is asked about what, whose hearing decides, and what the row says of it.

The recognizers are scripts: they know a clip by its length and answer from a table.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest

from manifests.errors import RecipeError
from manifests.reasons import Reason
from manifests.schema import Dialogue, Hearing, Turn
from parley.testing import make_context, make_dialogue, tone_recipe
from parley.testing.stages import make_take, recognizer_of, take_of, with_take
from pipeline.audio.samples import encode
from pipeline.engines.contract import Clip, Failure, Transcript
from pipeline.scoring.rates import score
from pipeline.stages.cast import CASTING
from pipeline.stages.contract import Context, audit_stage, run_stage
from pipeline.stages.gate import GATE
from pipeline.stages.transcribe import TRANSCRIBE, TranscribeSettings
from tests.tables import each_row

RATE = 8_000
BASE = 5 * RATE
TEXT = "the cat sat on the warm mat near our door"
OTHERS_TEXT = "please say these seven words for me"

HEARD: Mapping[str, Transcript | Failure] = {
    "right": Transcript(TEXT),
    "one": Transcript("the cat sat on the warm mat near our house"),
    "middle": Transcript("the cat sat on the cold mat near our door"),
    "two": Transcript("a cat sat on the warm mat near our house"),
    "three": Transcript("a dog sat on the warm mat near our house"),
    "loop": Transcript("a dog sat down " * 4),
    "stock": Transcript("the cat sat on the warm mat thanks for watching"),
    "prompt": Transcript(f"{TEXT} {OTHERS_TEXT}"),
    "nothing": Transcript(""),
    "fails": Failure(Reason.RECOGNITION_FAILED, "no"),
}
"""Against TEXT, of ten words: no error, 0.1 (passes), 0.1, 0.2, 0.3, ..."""


class Script:
    """Answers clip number n (`BASE + n` samples) with the n-th word of its script, and notes what it was asked."""

    version = "1"

    def __init__(self, name: str, script: str, languages: frozenset[str] | None = None) -> None:
        self.name, self.languages = name, languages
        self._answers = [HEARD[word] if word != "-" else None for word in script.split()]
        self.batches: list[list[int]] = []
        self.told: list[str] = []

    def transcribe(self, clips: Sequence[Clip], languages: Sequence[str]) -> list[Transcript | Failure]:
        numbers = [len(clip.samples) - BASE for clip in clips]
        self.batches.append(numbers)
        self.told += languages
        answers = [self._answers[number] for number in numbers]
        assert None not in answers, f"{self.name} was asked about {numbers}"
        return [answer for answer in answers if answer is not None]


def spoken(turns: int = 2, first: int = 0, level: float = 0.3, **changes: object) -> Dialogue:
    """A dialogue of turns that all say TEXT, with clips that the scripts know as number `first` and following."""
    dialogue = make_dialogue(*[(TEXT, TEXT)] * (turns // 2), spoken=True)
    noise = np.random.default_rng(0).uniform(-level, level, BASE + 100).astype(np.float32)
    clips = [encode(noise[: BASE + first + n], RATE, "wav") for n in range(turns)]
    numbered = enumerate(zip(dialogue.turns, clips, strict=True))
    made = tuple(replace(turn, take=make_take(audio=clip, seed=first + n)) for n, (turn, clip) in numbered)
    return replace(dialogue, turns=made, **changes)  # type: ignore[arg-type]


def hearings_of(turn: Turn) -> tuple[Hearing, ...]:
    return take_of(turn).hearings


def rate_of(hearing: Hearing) -> float | None:
    rate = hearing.score.rate if hearing.score else None
    return rate if rate is None else round(rate, 6)


def context(first: Script, second: Script, *overrides: str, ladder: str = "[]") -> Context:
    recipe = tone_recipe("transcribe.engine=cheap", "transcribe.second=dear", f"gate.ladder={ladder}", *overrides)
    return make_context(recipe, engines={("asr", "cheap"): first, ("asr", "dear"): second})


def hear(dialogue: Dialogue, first: str, second: str, *overrides: str, ladder: str = "[]") -> tuple[Dialogue, Script]:
    dear = Script("dear", second)
    (result,) = run_stage(TRANSCRIBE, [dialogue], context(Script("cheap", first), dear, *overrides, ladder=ladder))
    return result, dear


@each_row(
    ("first", "second", "decided", "reasons", "status"),
    [
        pytest.param("right right", "- -", "cheap cheap", "- -", "kept", id="nothing to ask"),
        pytest.param("two right", "- -", "cheap cheap", "- -", "kept", id="the pooled rate excuses it"),
        pytest.param("three right", "right -", "dear cheap", "- -", "kept", id="the recognizer was wrong"),
        pytest.param("three right", "three -", "cheap cheap", "- -", "rejected", id="the voice was wrong"),
        pytest.param("nothing right", "three -", "dear cheap", "- -", "rejected", id="the lower rate, still too high"),
        pytest.param("three right", "nothing -", "cheap cheap", "- -", "rejected", id="the second heard even less"),
        pytest.param("three right", "two -", "dear cheap", "- -", "kept", id="low enough for the dialogue"),
        pytest.param("three nothing", "two right", "dear dear", "- -", "kept", id="each turn for itself"),
        pytest.param("fails right", "one -", "dear cheap", "- -", "kept", id="the first failed"),
        pytest.param("fails right", "three -", "dear cheap", "- -", "rejected", id="failed, then heard badly"),
        pytest.param(
            "fails right", "fails -", "cheap cheap", "recognition_failed -", "failed", id="both failed"
        ),
        pytest.param("three right", "fails -", "cheap cheap", "- -", "rejected", id="the second failed"),
        pytest.param("loop right", "right -", "dear cheap", "- -", "kept", id="the first looped"),
        pytest.param("stock right", "nothing -", "dear cheap", "- -", "rejected", id="an invention is no evidence"),
        pytest.param(
            "nothing right", "stock -", "cheap cheap", "- -", "rejected", id="nor is it one when it comes second"
        ),
        pytest.param(
            "loop right", "stock -", "dear cheap", "hallucination_silence -", "rejected", id="both invented"
        ),
    ],
)  # fmt: skip
def test_who_decides(first: str, second: str, decided: str, reasons: str, status: str) -> None:
    result, dear = hear(spoken(), first, second)
    asked = [n for n, word in enumerate(second.split()) if word != "-"]
    assert dear.batches == ([asked] if asked else []), "what could change nothing is not asked"
    assert [recognizer_of(turn) for turn in result.turns] == decided.split()
    assert [turn.reason or "-" for turn in result.turns] == reasons.split()
    for n, turn in enumerate(result.turns):
        answer = HEARD[(first if recognizer_of(turn) == "cheap" else second).split()[n]]
        assert turn.hypothesis == (None if isinstance(answer, Failure) else answer.text)
        assert len(hearings_of(turn)) == (2 if n in asked else 0)
        assert n not in asked or take_of(turn).hearing in hearings_of(turn)
    (ended,) = run_stage(GATE, [result], make_context(tone_recipe("gate.ladder=[]")))
    assert ended.status == status


@pytest.mark.parametrize(
    ("first", "second", "opinions"),
    [
        ("three", "right", [(0.3, "error_rate"), (0.0, None)]),
        ("three", "one", [(0.3, "error_rate"), (0.1, None)]),
        ("three", "two", [(0.3, "error_rate"), (0.2, "error_rate")]),
        ("loop", "fails", [(1.5, "hallucination_loop"), (None, "recognition_failed")]),
        ("fails", "nothing", [(None, "recognition_failed"), (1.0, "error_rate")]),
    ],
)
def test_the_row_says_who_heard_what_and_whose_fault_it_was(
    first: str, second: str, opinions: list[tuple[float | None, str | None]]
) -> None:
    result, _ = hear(spoken(), f"{first} right", f"{second} -")
    found = hearings_of(result.turns[0])
    assert [(rate_of(hearing), hearing.reason) for hearing in found] == opinions
    assert [hearing.recognizer for hearing in found] == ["cheap", "dear"]
    texts = [None if isinstance(a, Failure) else a.text for a in (HEARD[first], HEARD[second])]
    assert [hearing.hypothesis for hearing in found] == texts


@pytest.mark.parametrize(
    ("limit", "first", "second", "decided"),
    [
        pytest.param("gate.worst_turn_limit=0.05", "one right", "right -", "dear", id="worst turn"),
        pytest.param("gate.edge_limit=0.2", "one right", "middle -", "dear", id="as many errors, none at the edge"),
        pytest.param("gate.edge_limit=0.2", "one right", "two -", "cheap", id="edge, and more errors"),
        pytest.param("gate.wer_limit=0.02", "one right", "middle -", "cheap", id="equal: the first"),
    ],
)
def test_other_limits_of_the_gate_count_too(limit: str, first: str, second: str, decided: str) -> None:
    result, _ = hear(spoken(), first, second, limit)
    assert [recognizer_of(turn) for turn in result.turns] == [decided, "cheap"]


@pytest.mark.parametrize(
    ("other", "ladder", "asked"),
    [
        pytest.param(None, "[]", [[0]], id="this turn alone stands in the way"),
        pytest.param(Reason.WATERMARK_MISSING, "[]", [], id="the dialogue is lost whatever is heard"),
        pytest.param(Reason.WATERMARK_MISSING, "[{}]", [[0]], id="it is not: the other turn is taken again"),
        pytest.param(Reason.EMPTY_REFERENCE, "[{}]", [], id="no other take can cure it"),
    ],
)
def test_a_dialogue_that_is_lost_anyway_costs_no_second_hearing(
    other: Reason | None, ladder: str, asked: list[list[int]]
) -> None:
    dialogue = spoken()
    blamed = with_take(dialogue.turns[1], reason=other.value if other else None)
    _, dear = hear(replace(dialogue, turns=(dialogue.turns[0], blamed)), "three right", "right -", ladder=ladder)
    assert dear.batches == asked


def test_a_clip_of_impossible_length_is_heard_by_neither() -> None:
    result, dear = hear(spoken(), "- -", "- -", "gate.spaced_speed={slowest: 400, fastest: 1000, pause_s: 0}")
    assert [(turn.reason, hearings_of(turn)) for turn in result.turns] == [("too_long_speech", ())] * 2
    assert dear.batches == []


def test_who_heard_the_voices_prompt_is_believed() -> None:
    dear = Script("dear", "right -")
    prepared = context(Script("cheap", "prompt right"), dear)
    name = prepared.resource(CASTING).user_at("en", 0, 0) or ""
    leaking = {name: replace(prepared.resource(CASTING)[name], prompt_text=OTHERS_TEXT)}
    dialogue = spoken()
    turns = tuple(with_take(turn, voice_id=name) for turn in dialogue.turns)
    changed = replace(prepared, resources={**prepared.resources, CASTING.name: leaking})
    (result,) = run_stage(TRANSCRIBE, [replace(dialogue, turns=turns)], changed)
    assert (result.turns[0].reason, dear.batches) == ("hallucination_prompt", [])


@pytest.mark.parametrize(
    ("said", "reason"),
    [("right", "hallucination_silence"), ("stock", "hallucination_silence"), ("nothing", None)],
)
def test_text_on_silence_is_an_invention_whichever_engine_wrote_it_and_even_if_it_agrees(
    said: str, reason: str | None
) -> None:
    quiet = spoken(level=5e-4)  # uniform noise of this amplitude is at -71 dBFS
    result, _ = hear(quiet, f"{said} {said}", "nothing nothing", "transcribe.second={}")
    assert [turn.reason for turn in result.turns] == [reason] * 2
    heard_twice, _ = hear(quiet, f"{said} {said}", f"{said} {said}")
    assert all(hearing.reason is not None for turn in heard_twice.turns for hearing in hearings_of(turn))
    assert [len(hearings_of(turn)) for turn in heard_twice.turns] == [2, 2]


def test_each_language_has_its_own_second_recognizer_or_none() -> None:
    """One batch for each engine; a recognizer that does not cover the language is not asked."""
    cheap, dear, deaf = Script("c", "three " * 8), Script("d", "right " * 8), Script("x", "", frozenset({"fr"}))
    recipe = tone_recipe("transcribe.engine=cheap", "transcribe.second={en: dear, zh: deaf}", "gate.ladder=[]")
    engines = {("asr", "cheap"): cheap, ("asr", "dear"): dear, ("asr", "deaf"): deaf}
    languages = ["en", "zh", "en", "de"]
    rows = [spoken(first=2 * n, dialogue_id=f"row-{n}", language=language) for n, language in enumerate(languages)]
    results = run_stage(TRANSCRIBE, rows, make_context(recipe, engines=engines))
    assert (cheap.batches, dear.batches, deaf.batches) == ([list(range(8))], [[0, 1, 4, 5]], [])
    assert dear.told == ["en"] * 4
    assert [[recognizer_of(turn) for turn in row.turns] for row in results] == [["d", "d"], ["c", "c"]] * 2
    assert results[0].provenance[-1].engine == "c, d, x"


@each_row(
    ("engine", "second", "message"),
    [
        ("a", "a", "transcribe: .*second: a is already the first recognizer for [*]"),
        ("{en: a, zh: b}", "b", "second: b is already the first recognizer for zh"),
        ("a", "{zh: a}", "second: a is already the first recognizer for zh"),
        ("{en: a}", "{zh: b}", "second: engine names no first recognizer for zh"),
        ("a", "{zh: b}", None),
        ("{en: a, zh: b}", "{en: b, zh: a}", None),
        ("{en: a}", "b", None),
        ("{en: a, '*': b}", "{en: b}", None),
    ],
)
def test_a_second_opinion_comes_from_somebody_else(engine: str, second: str, message: str | None) -> None:
    overrides = f"transcribe.engine={engine}", f"transcribe.second={second}"
    if message is None:
        assert tone_recipe(*overrides).section(TranscribeSettings).second
    else:
        with pytest.raises(RecipeError, match=message):
            tone_recipe(*overrides)


def test_nothing_of_it_is_lost_in_a_retake() -> None:
    """Take 1 is heard badly by both, take 2 by the first alone."""
    cheap, dear = Script("cheap", "three right - three"), Script("dear", "two - - right")
    prepared = context(cheap, dear, "gate.wer_limit=0.05", ladder="[{}]")
    (row,) = run_stage(GATE, run_stage(TRANSCRIBE, [spoken()], prepared), prepared)
    assert row.status == "live"
    assert row.turns[0].take is None
    again = make_take(2, audio=spoken(first=3).turns[0].audio, seed=3)
    taken = replace(row.turns[0], take=again)
    (row,) = run_stage(TRANSCRIBE, [replace(row, turns=(taken, row.turns[1]))], prepared)
    (row,) = run_stage(GATE, [row], prepared)
    first, second = row.turns[0].attempts
    three, two = HEARD["three"], HEARD["two"]
    assert isinstance(three, Transcript) and isinstance(two, Transcript)
    assert first.hearings == (
        Hearing("cheap", three.text, score(TEXT, three.text, "en"), "error_rate"),
        Hearing("dear", two.text, score(TEXT, two.text, "en"), "error_rate"),
    )
    assert (first.hearing, first.reason) == (first.hearings[1], "error_rate")
    assert [(h.recognizer, h.reason) for h in second.hearings] == [("cheap", "error_rate"), ("dear", None)]
    assert (second.hearing, second.reason, row.status) == (second.hearings[1], None, "kept")
    assert hearings_of(row.turns[0]) == second.hearings
    assert [(a.hearing and a.hearing.recognizer, a.hearings) for a in row.turns[1].attempts] == [("cheap", ())]
    assert dear.batches == [[0], [3]], "what was decided is not asked again"


def test_a_second_opinion_depends_on_the_row_alone() -> None:
    pairs = [
        ("right right", "right right"),
        ("three right", "right right"),
        ("two nothing", "three right"),
        ("loop fails", "fails one"),
        ("stock right", "nothing two"),
    ]
    rows = [spoken(first=2 * n, dialogue_id=f"row-{n}") for n in range(len(pairs))]
    cheap, dear = (" ".join(words) for words in zip(*pairs, strict=True))
    audit_stage(TRANSCRIBE, rows, context(Script("cheap", cheap), Script("dear", dear)))


def test_two_recognizers_on_every_clip() -> None:
    row, dear = hear(spoken(), "right three", "one right", "transcribe.second_hears=all")
    assert dear.batches == [[0, 1]]
    assert [recognizer_of(turn) for turn in row.turns] == ["cheap", "dear"]
    assert [[hearing.reason for hearing in hearings_of(turn)] for turn in row.turns] == [
        [None, None],
        ["error_rate", None],
    ]


def test_of_every_clip_only_those_that_were_heard_at_all() -> None:
    recipe = ("transcribe.second_hears=all", "gate.spaced_speed={slowest: 20, fastest: 28, pause_s: 0}")
    row, dear = hear(spoken(), "- -", "- -", *recipe)
    assert dear.batches == [] and [turn.reason for turn in row.turns] == ["too_long_speech"] * 2
