"""gate: what is kept, what is taken again, what is dropped and why."""

from dataclasses import replace

import pytest

from manifests.reasons import Reason
from manifests.schema import Attempt, Audio, Dialogue, Turn, Watermark
from parley.testing import make_context, make_dialogue, tone_recipe
from pipeline.recipe import Recipe
from pipeline.stages.contract import audit_stage, run_stage
from pipeline.stages.gate import GATE
from tests.tables import each_row

TEN = "one two three four five six seven eight nine ten"
CLIP = Audio(b"", None, "flac", 16_000, 16_000)
MARK = Watermark("test", None, 1.0)


def heard(
    *hypotheses: str | None, text: str = "the cat sat on the warm mat near our door", **changes: object
) -> Dialogue:
    """A dialogue whose turns all say `text` (ten words) and were heard as given; None: not heard."""
    dialogue = make_dialogue(*[(text, text)] * (len(hypotheses) // 2), spoken=True, user_voice="u", agent_voice="a")
    turns = tuple(
        replace(
            turn,
            audio=CLIP,
            watermark=MARK,
            seed=i,
            rate=0.9,
            voice_id="v",
            hypothesis=hypothesis,
            recognizer="test",
        )
        for i, (turn, hypothesis) in enumerate(zip(dialogue.turns, hypotheses, strict=True))
    )
    return replace(dialogue, turns=turns, **changes)  # type: ignore[arg-type]


RIGHT = "the cat sat on the warm mat near our door"
ONE_WRONG = "the cat sat on the warm mat near our house"
THREE_WRONG = "a dog sat on the warm mat near our house"


def gate(dialogue: Dialogue, *overrides: str, ladder: str = "[]") -> Dialogue:
    recipe = tone_recipe(f"gate.ladder={ladder}", *overrides)
    return run_stage(GATE, [dialogue], make_context(recipe))[0]


@each_row(
    ("hypotheses", "overrides", "status", "reason"),
    [
        pytest.param([RIGHT, RIGHT], [], "kept", None, id="all heard"),
        pytest.param([ONE_WRONG, ONE_WRONG], [], "kept", None, id="exactly at the limit"),
        pytest.param([THREE_WRONG, RIGHT], [], "rejected", "error_rate", id="pooled over the limit"),
        pytest.param(["", RIGHT], [], "rejected", "error_rate", id="nothing heard"),
        pytest.param([ONE_WRONG, RIGHT], ["gate.worst_turn_limit=0.05"], "rejected", "worst_turn", id="worst turn"),
        pytest.param([ONE_WRONG, RIGHT], ["gate.edge_limit=0.2"], "rejected", "edge_error", id="last word lost"),
        pytest.param([ONE_WRONG, RIGHT], ["gate.wer_limit=0.02"], "rejected", "error_rate", id="stricter recipe"),
    ],
)
def test_verdicts(hypotheses: list[str], overrides: list[str], status: str, reason: str | None) -> None:
    result = gate(heard(*hypotheses), *overrides)
    assert (result.status, result.reason) == (status, reason)


def test_scores_are_recorded_per_turn_and_pooled() -> None:
    result = gate(heard(THREE_WRONG, RIGHT))
    assert [turn.wer for turn in result.turns] == [pytest.approx(0.3), 0.0]
    assert result.wer == pytest.approx(0.15)
    assert (result.turns[0].edge_error or 0) > 0.2
    assert result.turns[1].edge_error == 0
    assert result.cer is None
    assert "turn 0 (user): error rate 0.300, whole dialogue 0.150" in (result.detail or "")


def test_chinese_is_scored_by_character() -> None:
    dialogue = replace(heard("今天天气真好啊", "今天天气真好呀", text="今天天气真好啊"), language="zh")
    result = gate(dialogue)
    assert [turn.cer for turn in result.turns] == [0.0, pytest.approx(1 / 7)]
    assert (result.status, result.reason) == ("rejected", "error_rate")


@pytest.mark.parametrize("reason", [Reason.TOO_SHORT, Reason.WATERMARK_MISSING, Reason.SYNTHESIS_FAILED])
def test_a_reason_from_an_earlier_stage_ends_the_dialogue(reason: Reason) -> None:
    dialogue = heard(RIGHT, None)
    turns = (dialogue.turns[0], replace(dialogue.turns[1], reason=reason.value))
    result = gate(replace(dialogue, turns=turns))
    assert (result.status, result.reason) == (reason.kind, reason.value)
    assert result.turns[1].attempts[0].reason == reason.value


def test_an_empty_reference_is_its_own_reason() -> None:
    assert gate(heard("anything", RIGHT, text="...")).reason == "empty_reference"
    assert gate(heard("anything", RIGHT, text="..."), ladder="[{}]").reason == "empty_reference"


def test_an_empty_reference_is_no_part_of_the_rate() -> None:
    dialogue = heard(RIGHT, "anything at all")
    result = gate(replace(dialogue, turns=(dialogue.turns[0], replace(dialogue.turns[1], text="..."))))
    assert (result.reason, result.wer) == ("empty_reference", 0.0)


def test_a_fail_is_graver_than_an_earlier_reject() -> None:
    dialogue = heard(THREE_WRONG, None)
    turns = (dialogue.turns[0], replace(dialogue.turns[1], reason=Reason.SYNTHESIS_FAILED.value))
    result = gate(replace(dialogue, turns=turns))
    assert (result.status, result.reason, result.detail) == ("failed", "synthesis_failed", "turn 1 (agent)")


def test_without_a_recognizer_the_row_fails_whatever_the_ladder_offers() -> None:
    dialogue = heard(None, None)
    turns = tuple(replace(turn, reason=Reason.NO_RECOGNIZER.value) for turn in dialogue.turns)
    result = gate(replace(dialogue, turns=turns), ladder="[{}, {}]")
    assert (result.status, result.reason) == ("failed", "no_recognizer")


def test_a_rejected_turn_is_taken_again_and_the_good_one_is_left_alone() -> None:
    result = gate(heard(THREE_WRONG, RIGHT), ladder="[{}]")
    assert result.status == "live"
    bad, good = result.turns
    assert (bad.audio, bad.watermark, bad.hypothesis, bad.recognizer, bad.reason) == (None,) * 5
    assert (bad.cer, bad.wer, bad.edge_error, result.cer, result.wer) == (None,) * 5
    assert (good.audio, good.hypothesis) == (CLIP, RIGHT)
    assert [(a.attempt, a.reason) for turn in result.turns for a in turn.attempts] == [(1, "error_rate"), (1, None)]
    error_rate = bad.attempts[0].error_rate
    assert error_rate == pytest.approx(0.3)
    assert bad.attempts == (Attempt(1, "v", 0, 0.9, 16_000, THREE_WRONG, error_rate, "error_rate", "test"),)
    assert result.user_voice == "u"


def test_each_rung_says_whether_the_voice_changes() -> None:
    ladder = "[{}, {voice: another}]"
    first = gate(heard(THREE_WRONG, RIGHT), ladder=ladder)
    assert first.user_voice == "u"
    assert gate(retaken(first, THREE_WRONG), ladder=ladder).user_voice is None


def test_another_voice_takes_all_turns_of_the_user_again() -> None:
    result = gate(
        heard(THREE_WRONG, RIGHT, RIGHT, RIGHT, user_voice="u"),
        ladder="[{voice: another}]",
    )
    assert result.status == "kept" or result.user_voice is None
    result = gate(heard(THREE_WRONG, RIGHT, RIGHT, RIGHT), "gate.wer_limit=0.05", ladder="[{voice: another}]")
    assert result.user_voice is None
    assert [turn.audio for turn in result.turns] == [None, CLIP, None, CLIP]
    assert [len(turn.attempts) for turn in result.turns] == [1, 1, 1, 1]


def test_the_agent_is_never_cast_anew() -> None:
    result = gate(heard(RIGHT, THREE_WRONG), ladder="[{voice: another}]")
    assert (result.user_voice, result.agent_voice) == ("u", "a")
    assert [turn.audio for turn in result.turns] == [CLIP, None]


def retaken(dialogue: Dialogue, hypothesis: str) -> Dialogue:
    def take(turn: Turn) -> Turn:
        return turn if turn.audio else replace(turn, audio=CLIP, seed=99, hypothesis=hypothesis, recognizer="test")

    return replace(dialogue, turns=tuple(take(turn) for turn in dialogue.turns))


def test_the_ladder_ends() -> None:
    second = retaken(gate(heard(THREE_WRONG, RIGHT), ladder="[{}]"), THREE_WRONG)
    result = gate(second, ladder="[{}]")
    assert (result.status, result.reason) == ("rejected", "error_rate")
    assert [a.attempt for a in result.turns[0].attempts] == [1, 2]
    assert result.turns[0].audio == CLIP, "the last take stays, to be listened to"


def test_a_better_second_take_is_kept() -> None:
    second = retaken(gate(heard(THREE_WRONG, RIGHT), ladder="[{}]"), RIGHT)
    result = gate(second, ladder="[{}]")
    assert result.status == "kept"
    assert [a.reason for a in result.turns[0].attempts] == ["error_rate", None]
    assert len(result.turns[1].attempts) == 1


def test_gate_obeys_the_law_of_purity() -> None:
    batch = [replace(heard(h, RIGHT), dialogue_id=f"d{i}") for i, h in enumerate([RIGHT, THREE_WRONG, ONE_WRONG])]
    recipe: Recipe = tone_recipe("gate.ladder=[{}]")
    audit_stage(GATE, batch, make_context(recipe))
