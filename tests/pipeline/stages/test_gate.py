"""gate: what is kept, what is taken again, what is dropped and why."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from manifests.arrow import from_table, to_table
from manifests.reasons import Reason
from manifests.schema import Audio, Dialogue, DryTake, Quality, Take, Timeline, Turn, TurnKind, Watermark
from parley.testing import make_context, make_dialogue, tone_recipe
from parley.testing.stages import make_hearing, make_take, take_of, with_take
from pipeline.recipe import Recipe
from pipeline.scoring.rates import pooled, score
from pipeline.settings import Section
from pipeline.stages.contract import attempt_of, audit_stage, run_stage
from pipeline.stages.gate import GATE
from pipeline.stages.synthesize import needs_speech
from tests.tables import each_row

TEN = "one two three four five six seven eight nine ten"
CLIP = Audio(b"", None, "flac", 16_000, 16_000)
MARK = Watermark("test", None, 1.0)


def heard(
    *hypotheses: str | None,
    text: str = "the cat sat on the warm mat near our door",
    language: str = "en",
    **changes: object,
) -> Dialogue:
    """A dialogue whose turns all say `text` (ten words) and were heard as given; None: not heard."""
    dialogue = make_dialogue(*[(text, text)] * (len(hypotheses) // 2), spoken=True, user_voice="u", agent_voice="a")
    turns = tuple(
        replace(turn, take=made_take(text, hypothesis, language))
        for turn, hypothesis in zip(dialogue.turns, hypotheses, strict=True)
    )
    return replace(dialogue, turns=turns, language=language, **changes)  # type: ignore[arg-type]


def made_take(text: str, hypothesis: str | None, language: str = "en", number: int = 1) -> Take:
    hearing = None if hypothesis is None else make_hearing(hypothesis, text, language)
    return make_take(number, "v", rate=0.9, audio=CLIP, watermark=MARK, hearing=hearing)


def rates(dialogue: Dialogue) -> list[float | None]:
    return [turn.score.rate if turn.score else None for turn in dialogue.turns]


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


def test_the_scores_of_the_turns_are_pooled() -> None:
    result = gate(heard(THREE_WRONG, RIGHT))
    assert rates(result) == [pytest.approx(0.3), 0.0]
    assert result.wer == pytest.approx(0.15)
    assert result.cer is None
    assert "turn 0 (user): error rate 0.300, whole dialogue 0.150" in (result.detail or "")


def test_chinese_is_scored_by_character() -> None:
    result = gate(heard("今天天气真好啊", "今天天气真好呀", text="今天天气真好啊", language="zh"))
    assert rates(result) == [0.0, pytest.approx(1 / 7)]
    assert (result.cer, result.wer) == (pytest.approx(1 / 14), None)
    assert (result.status, result.reason) == ("rejected", "error_rate")


_FEW_WORDS = st.lists(st.sampled_from("the cat sat on warm mat".split()), max_size=8).map(" ".join)


@settings(deadline=None)
@given(st.lists(st.tuples(_FEW_WORDS, _FEW_WORDS), min_size=2, max_size=6))
def test_the_rate_from_stored_scores_is_that_of_the_texts(pairs: list[tuple[str, str]]) -> None:
    """Scored once, written to a shard and read again: the same as comparing all texts of the dialogue now."""
    turns = tuple(Turn("user", text, text=text, take=made_take(text, said)) for text, said in pairs)
    stored = from_table(to_table([replace(make_dialogue(spoken=True), turns=turns)]))
    (judged,) = run_stage(GATE, stored, make_context(tone_recipe("gate.ladder=[]")))
    assert judged.wer == pooled(score(text, said, "en") for text, said in pairs if text)
    for turn, (text, said) in zip(judged.turns, pairs, strict=True):
        assert turn.score == score(text, said, "en")


@pytest.mark.parametrize("reason", [Reason.TOO_SHORT, Reason.WATERMARK_MISSING, Reason.SYNTHESIS_FAILED])
def test_a_reason_from_an_earlier_stage_ends_the_dialogue(reason: Reason) -> None:
    dialogue = heard(RIGHT, None)
    turns = (dialogue.turns[0], with_take(dialogue.turns[1], reason=reason.value))
    result = gate(replace(dialogue, turns=turns))
    assert (result.status, result.reason) == (reason.kind, reason.value)
    assert result.turns[1].attempts[0].reason == reason.value


def test_mandarin_may_be_limited_by_syllables() -> None:
    texts = {"text": "他今天在家里做饭呢", "language": "zh"}
    homophones, wrong = "她今天再家里作饭呢", "他今天在家里做菜呢"

    def ends(*hypotheses: str, limits: str = "") -> tuple[str, str | None]:
        result = gate(heard(*hypotheses, **texts), *limits.split())  # type: ignore[arg-type]
        assert result.cer is not None and result.syllable_rate is not None
        assert result.syllable_rate <= result.cer
        return result.status, result.reason

    by_syllables = "gate.mandarin_rate=syllables"
    assert ends(homophones, homophones) == ("rejected", "error_rate")
    assert ends(homophones, homophones, limits=by_syllables) == ("kept", None)
    assert ends(homophones, wrong, limits=by_syllables) == ("rejected", "error_rate")
    assert ends(homophones, wrong, limits=f"{by_syllables} gate.cer_limit=0.1") == ("kept", None)
    worst = f"{by_syllables} gate.cer_limit=0.1 gate.worst_turn_limit=0.1"
    assert ends(homophones, wrong, limits=worst) == ("rejected", "worst_turn")
    assert gate(heard(RIGHT, RIGHT), by_syllables).syllable_rate is None


def test_the_detail_of_a_drop_names_the_rate_that_was_limited() -> None:
    wrong = heard("他今天在家里做菜", "他今天在家里做菜", text="她今天在家里做饭", language="zh")
    assert "error rate 0.125, whole dialogue 0.125" in (gate(wrong, "gate.mandarin_rate=syllables").detail or "")
    assert "error rate 0.250, whole dialogue 0.250" in (gate(wrong).detail or "")


def test_an_empty_reference_is_its_own_reason() -> None:
    assert gate(heard("anything", RIGHT, text="...")).reason == "empty_reference"
    assert gate(heard("anything", RIGHT, text="..."), ladder="[{}]").reason == "empty_reference"


def test_an_empty_reference_is_no_part_of_the_rate() -> None:
    dialogue = heard(RIGHT, "anything at all")
    empty = replace(dialogue.turns[1], text="...", take=made_take("...", "anything at all"))
    result = gate(replace(dialogue, turns=(dialogue.turns[0], empty)))
    assert (result.reason, result.wer) == ("empty_reference", 0.0)


def test_a_fail_is_graver_than_an_earlier_reject() -> None:
    dialogue = heard(THREE_WRONG, None)
    turns = (dialogue.turns[0], with_take(dialogue.turns[1], reason=Reason.SYNTHESIS_FAILED.value))
    result = gate(replace(dialogue, turns=turns))
    assert (result.status, result.reason, result.detail) == ("failed", "synthesis_failed", "turn 1 (agent)")


def test_without_a_recognizer_the_row_fails_whatever_the_ladder_offers() -> None:
    dialogue = heard(None, None)
    turns = tuple(with_take(turn, reason=Reason.NO_RECOGNIZER.value) for turn in dialogue.turns)
    result = gate(replace(dialogue, turns=turns), ladder="[{}, {}]")
    assert (result.status, result.reason) == ("failed", "no_recognizer")


def test_a_rejected_turn_is_taken_again_and_the_good_one_is_left_alone() -> None:
    result = gate(heard(THREE_WRONG, RIGHT), ladder="[{}]")
    assert result.status == "live"
    bad, good = result.turns
    assert (bad.take, result.cer, result.wer) == (None,) * 3
    assert (good.audio, good.hypothesis, good.reason) == (CLIP, RIGHT, None)
    assert [(a.number, a.reason) for turn in result.turns for a in turn.attempts] == [(1, "error_rate"), (1, None)]
    assert bad.attempts[0].score is not None and bad.attempts[0].score.rate == pytest.approx(0.3)
    assert result.user_voice == "u"


def test_an_attempt_is_the_take_without_the_bytes_of_its_clip() -> None:
    dialogue = heard(THREE_WRONG, RIGHT)
    clip = replace(CLIP, bytes=b"heavy", path="audio/x.flac")
    before = replace(dialogue, turns=tuple(with_take(turn, audio=clip) for turn in dialogue.turns))
    bad, good = gate(before, ladder="[{}]").turns
    light = replace(clip, bytes=b"", path=None)
    assert bad.attempts == (replace(take_of(before.turns[0]), audio=light, reason="error_rate"),)
    assert good.attempts == (replace(take_of(before.turns[1]), audio=light),)
    assert good.audio == clip, "the take that counts keeps its own"


def heavy(*hypotheses: str, reason: str | None = None) -> Dialogue:
    dialogue = heard(*hypotheses)
    clip = replace(CLIP, bytes=b"heavy", path="audio/x.flac")
    turns = [with_take(turn, audio=clip) for turn in dialogue.turns]
    return replace(dialogue, turns=(with_take(turns[0], reason=reason), *turns[1:]))


def clips_of_attempts(dialogue: Dialogue) -> list[list[bytes]]:
    return [[take.audio.bytes for take in turn.attempts if take.audio] for turn in dialogue.turns]


KEEP_CLIPS = "gate.keep_rejected_takes=true"


def test_where_the_recipe_asks_a_rejected_take_keeps_its_clip_and_no_other_does() -> None:
    before = heavy(THREE_WRONG, RIGHT)
    first = gate(before, KEEP_CLIPS, ladder="[{}]")
    assert clips_of_attempts(first) == [[b"heavy"], [b""]]
    (rejected,) = first.turns[0].rejected_clips
    assert (rejected.reason, rejected.audio) == ("error_rate", replace(CLIP, bytes=b"heavy"))
    kept = gate(retaken(first, RIGHT), KEEP_CLIPS, ladder="[{}]")
    assert kept.status == "kept"
    assert clips_of_attempts(kept) == [[b"heavy", b""], [b""]]
    assert clips_of_attempts(gate(before, ladder="[{}]")) == [[b""], [b""]], "not unless it is asked for"


def test_the_last_take_of_a_dropped_row_is_not_there_twice() -> None:
    assert clips_of_attempts(gate(heavy(THREE_WRONG, RIGHT), KEEP_CLIPS)) == [[b""], [b""]]


@each_row("reason", ["watermark_missing", "watermark_foreign", "watermark_failed", "recognition_failed"])
def test_a_clip_without_its_mark_or_that_was_not_judged_is_not_kept(reason: str) -> None:
    after = gate(heavy(RIGHT, RIGHT, reason=reason), KEEP_CLIPS, ladder="[{}]")
    assert after.turns[0].attempts[0].reason == reason
    assert clips_of_attempts(after) == [[b""], [b""]]


def test_a_take_that_is_rejected_in_a_later_pass_has_its_reason_beside_its_clip() -> None:
    """Its turn was fine by itself; with the other turn's second take the whole dialogue is not."""
    overrides = (KEEP_CLIPS, "gate.wer_limit=0.09", "gate.worst_turn_limit=0.2")
    first = gate(heavy(ONE_WRONG, THREE_WRONG, RIGHT, RIGHT), *overrides, ladder="[{}, {}]")
    assert first.turns[0].take is None and first.turns[0].rejected_clips[0].reason == "error_rate"
    start = heavy(ONE_WRONG, THREE_WRONG)
    loose = gate(start, KEEP_CLIPS, "gate.wer_limit=0.25", "gate.worst_turn_limit=0.2", ladder="[{}, {}]")
    assert loose.turns[0].attempts[0].reason is None
    strict = gate(retaken(loose, ONE_WRONG), KEEP_CLIPS, "gate.wer_limit=0.05", ladder="[{}, {}]")
    assert [take.reason for take in strict.turns[0].rejected_clips] == ["error_rate"]


def test_a_turn_whose_synthesis_failed_is_taken_again() -> None:
    dialogue = heard(RIGHT, RIGHT)
    lost = make_take(1, "v", reason=Reason.SYNTHESIS_FAILED.value)
    before = replace(dialogue, turns=(dialogue.turns[0], replace(dialogue.turns[1], take=lost)))
    after = gate(before, ladder="[{}]")
    assert (after.status, after.turns[1].take, after.turns[1].attempts) == ("live", None, (lost,))
    assert gate(before).reason == "synthesis_failed"


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
        return turn if turn.take else replace(turn, take=made_take(turn.text or "", hypothesis, number=2))

    return replace(dialogue, turns=tuple(take(turn) for turn in dialogue.turns))


def test_the_ladder_ends() -> None:
    second = retaken(gate(heard(THREE_WRONG, RIGHT), ladder="[{}]"), THREE_WRONG)
    result = gate(second, ladder="[{}]")
    assert (result.status, result.reason) == ("rejected", "error_rate")
    assert [a.number for a in result.turns[0].attempts] == [1, 2]
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


def test_the_users_side_may_have_limits_of_its_own() -> None:
    """Six of twenty words wrong on the user's side, none on the agent's: 0.3 there, 0.15 in the whole."""
    noisy = heard(THREE_WRONG, RIGHT, THREE_WRONG, RIGHT)
    assert gate(noisy).reason == "error_rate"
    assert gate(noisy, "gate.user_wer_limit=0.3").status == "kept"
    assert gate(noisy, "gate.user_wer_limit=0.29").reason == "error_rate"
    assert gate(noisy, "gate.user_cer_limit=0.9").reason == "error_rate", "English has words"
    agent = heard(RIGHT, ONE_WRONG, RIGHT, ONE_WRONG)
    assert gate(agent, "gate.wer_limit=0.09").status == "kept", "pooled with the user's turns"
    assert gate(agent, "gate.wer_limit=0.09", "gate.user_wer_limit=0.5").reason == "error_rate", "not pooled with them"


def arranged_recipe(*overrides: str, ladder: str = "[]") -> Recipe:
    """The tone recipe with a stage called arrange, which the gate only looks for."""
    recipe = tone_recipe(f"gate.ladder={ladder}", *overrides)
    return recipe.model_copy(update={"stages": {**recipe.stages, "arrange": Section()}})


def mixed(*hypotheses: str | None, kinds: dict[int, TurnKind], **changes: object) -> Dialogue:
    """A dialogue that was arranged and mixed; `kinds` are those of its turns that take no floor."""
    dialogue = heard(*hypotheses, **changes)  # type: ignore[arg-type]
    turns = tuple(
        replace(
            with_take(turn, dry=DryTake(DRY), quality=Quality(clipped_share=0.1, leading_silence_s=1, dnsmos_ovrl=3)),
            kind=kinds.get(i, "turn"),
            start_sample=i * 16_000,
        )
        for i, turn in enumerate(dialogue.turns)
    )
    return replace(dialogue, turns=turns, timeline=Timeline("test", 16_000, 64_000))


DRY = Audio(b"dry", None, "wav", 16_000, 16_000)


def decide(dialogue: Dialogue, recipe: Recipe) -> Dialogue:
    return run_stage(GATE, [dialogue], replace(make_context(), recipe=recipe))[0]


def test_a_row_that_is_mixed_again_is_taken_apart() -> None:
    again = decide(mixed(RIGHT, THREE_WRONG, kinds={}), arranged_recipe(ladder="[{}]"))
    assert (again.status, again.timeline, again.wer) == ("live", None, None)
    good, bad = again.turns
    assert bad.take is None and (good.start_sample, bad.start_sample) == (None, None)
    assert take_of(good) == replace(
        take_of(good), audio=DRY, dry=DryTake(DRY), hearing=None, watermark=None, quality=Quality(clipped_share=0.1)
    )
    (attempt,) = good.attempts
    assert attempt.hearing is not None and attempt.watermark is not None and attempt.dry is None


def test_what_is_said_of_a_take_is_what_its_last_mix_showed() -> None:
    once = decide(mixed(RIGHT, THREE_WRONG, kinds={}), arranged_recipe(ladder="[{}]"))
    assert [turn.attempts[-1].reason for turn in once.turns] == [None, "error_rate"]
    first, second = made_take(RIGHT, THREE_WRONG), made_take(RIGHT, RIGHT, number=2)
    turns = tuple(
        replace(turn, take=replace(take, dry=DryTake(DRY)), start_sample=i)
        for i, (turn, take) in enumerate(zip(once.turns, (first, second), strict=True))
    )
    remixed = replace(once, turns=turns, timeline=Timeline("test", 16_000, 64_000))
    twice = decide(remixed, arranged_recipe(ladder="[{}, {}]"))
    assert [[a.reason for a in turn.attempts] for turn in twice.turns] == [["error_rate"], ["error_rate", None]]
    assert twice.status == "live" and attempt_of(twice) == 3, "the next take is the third, whoever speaks it"


def test_a_turn_that_takes_no_floor_is_left_out_on_the_last_rung() -> None:
    recipe = arranged_recipe()
    row = mixed(RIGHT, RIGHT, THREE_WRONG, RIGHT, kinds={2: "backchannel"}, text=RIGHT)
    left = decide(row, arranged_recipe("gate.wer_limit=0.05"))
    assert left.status == "live" and left.turns[2].take is None and left.turns[0].take is not None
    assert not any(needs_speech(turn, left, recipe) for turn in left.turns)
    turns = tuple(
        with_take(replace(turn, start_sample=0), hearing=make_hearing(RIGHT, RIGHT)) if turn.take else turn
        for turn in left.turns
    )
    kept = decide(replace(left, turns=turns, timeline=Timeline("test", 16_000, 64_000)), recipe)
    assert (kept.status, kept.wer) == ("kept", 0.0)
    assert kept.turns[2].take is None and kept.turns[2].attempts[0].reason == "error_rate"
    assert all(turn.take is None or turn.take.dry is None for turn in kept.turns)


def test_what_no_take_can_help_is_left_out_at_once_and_what_holds_the_floor_never() -> None:
    recipe = arranged_recipe(ladder="[{}]")
    row = mixed(RIGHT, RIGHT, RIGHT, RIGHT, kinds={2: "background"})
    turns = list(row.turns)
    turns[2] = with_take(turns[2], reason="no_recognizer", hearing=None)
    left = decide(replace(row, turns=tuple(turns)), recipe)
    assert left.status == "live" and not needs_speech(left.turns[2], left, recipe)
    unplaced = replace(row, turns=(*row.turns[:2], replace(turns[2], start_sample=None), row.turns[3]))
    assert decide(unplaced, recipe).status == "kept", "nothing is to be mixed again"
    floor = replace(row, turns=(*row.turns[:2], replace(turns[2], kind="turn"), row.turns[3]))
    assert decide(floor, recipe).reason == "no_recognizer"
    plain = heard(RIGHT, THREE_WRONG)
    aside = replace(plain, turns=(plain.turns[0], replace(plain.turns[1], kind="aside")))
    assert decide(aside, tone_recipe("gate.ladder=[]")).reason == "error_rate", "nothing is left out of a plain row"


def test_a_turn_is_left_out_once_and_then_the_dialogue_is_dropped() -> None:
    row = mixed(RIGHT, THREE_WRONG, kinds={1: "backchannel"})
    (step,) = decide(row, arranged_recipe()).provenance
    assert decide(replace(row, provenance=(step,)), arranged_recipe()).reason == "error_rate"


def test_takes_are_numbered_by_pass_whoever_was_spoken_in_it() -> None:
    """One turn was spoken in the first and the second pass, the other in the first and the third."""
    dialogue = make_dialogue(spoken=True)
    spoken = ((1, 2), (1, 3))
    turns = tuple(
        replace(turn, attempts=tuple(make_take(number) for number in numbers))
        for turn, numbers in zip(dialogue.turns, spoken, strict=True)
    )
    assert attempt_of(replace(dialogue, turns=turns)) == 4


def test_a_take_without_a_place_waits_for_the_next_pass_and_is_never_spoken_again() -> None:
    recipe = arranged_recipe("gate.wer_limit=0.05", ladder="[{}]")
    row = mixed(RIGHT, THREE_WRONG, None, RIGHT, kinds={2: "backchannel"})
    unplaced = replace(with_take(row.turns[2], reason="not_placed", watermark=None), start_sample=None)
    again = decide(replace(row, turns=(*row.turns[:2], unplaced, row.turns[3])), recipe)
    assert [attempt.reason for attempt in again.turns[2].attempts] == ["not_placed"]
    bare = replace(take_of(unplaced), reason=None, audio=DRY, quality=Quality(clipped_share=0.1))
    assert again.turns[2].take == bare
    assert [needs_speech(turn, again, recipe) for turn in again.turns] == [False, True, False, False]
    recast = decide(
        replace(row, turns=(with_take(row.turns[0], reason="too_short"), *row.turns[1:2], unplaced, row.turns[3])),
        arranged_recipe(ladder="[{voice: another}]"),
    )
    assert recast.user_voice is None and recast.turns[2].take is None
    assert not needs_speech(recast.turns[2], recast, recipe), "another voice would speak it for nothing"


def test_a_take_without_a_place_is_left_out_and_no_row_ends_for_it() -> None:
    row = mixed(RIGHT, RIGHT, None, RIGHT, kinds={2: "backchannel"})
    unplaced = replace(with_take(row.turns[2], reason="not_placed", watermark=None), start_sample=None)
    kept = decide(replace(row, turns=(*row.turns[:2], unplaced, row.turns[3])), arranged_recipe(ladder="[{}]"))
    assert (kept.status, kept.turns[2].take, kept.turns[2].attempts[0].reason) == ("kept", None, "not_placed")
    bad = mixed(RIGHT, RIGHT, None, THREE_WRONG, kinds={2: "backchannel"})
    bad = replace(bad, turns=(*bad.turns[:2], unplaced, bad.turns[3]))
    dropped = decide(bad, arranged_recipe("gate.wer_limit=0.05"))
    assert (dropped.status, dropped.reason, dropped.turns[2].take) == ("rejected", "error_rate", None)
