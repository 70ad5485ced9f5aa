"""overlap by a language model: it is asked about one exchange, told what is wrong, and cannot change a text."""

import json
from dataclasses import replace
from functools import cache

from manifests.reasons import Reason
from manifests.schema import Cue, Dialogue, Label
from parley.testing import audit_stage, make_context, make_dialogue
from pipeline.engines.contract import ChatReply, Complaint, Failure, TextAnswer, TextRequest, Tokens
from pipeline.engines.text._chat.parse import read_reply
from pipeline.engines.text._chat.template import load_template
from pipeline.recipe import Recipe
from pipeline.stages.overlap import OVERLAP as STAGE
from tests.pipeline.stages.scripted_text import Scripted, complaint_of, fields, model_recipe, play
from tests.tables import each_row

QUESTION = "Why do the lower leaves of my basil turn yellow?"
ANSWER = (
    "It mostly gets too much water, so let the soil dry first. If the light is poor, move it to a brighter window."
)
NEXT = "How often should I water it?"
MARKS = {
    "restart": "Why do the,",
    "correction": "upper, I mean,",
    "correction_before": "lower leaves",
    "backchannel": "I see.",
    "backchannel_after": "too much water",
    "interrupt_after": "If the light is",
    "interruption": "It stands in the sun all day.",
    "reply": "Then it is the water.",
    "pause_after": "lower leaves of",
    "aside": "Tom, the door, please.",
    "aside_after": "so let the soil",
}
NOTHING = dict.fromkeys(MARKS, "")
SHARES = "barge_in: 1, user_backchannels: 1, false_start: 1, self_correction: 1"
REST = "agent_backchannels: 0, background: 0, silence: 0"
NO_OTHERS = "pause: 0, aside: 0"
ASIDE = "barge_in: 0, user_backchannels: 0, false_start: 1, self_correction: 1, pause: 1, aside: 1"


@cache
def recipe(shares: str = f"{SHARES}, {NO_OTHERS}") -> Recipe:
    return model_recipe(f"overlap={{engine: writer, prompt: duplex-overlap/v2, {shares}, {REST}}}")


ONE = make_dialogue((QUESTION, ANSWER), spoken=True)
TWO = make_dialogue((QUESTION, ANSWER), (NEXT, "Only when the soil is dry."), spoken=True)


def marked(dialogue: Dialogue, **marks: str) -> Dialogue:
    (done,) = play(STAGE, [dialogue], recipe(), writer=fields(**MARKS | marks)).dialogues
    return done


@cache
def request_for(dialogue: Dialogue) -> TextRequest:
    return next(r for _, r in play(STAGE, [dialogue], recipe(), writer=fields(**NOTHING)).log)


def test_the_marks_of_the_model_are_put_where_it_says() -> None:
    user, agent, heard, breaks, reply = marked(ONE).turns
    assert user.text == "Why do the, why do the upper, I mean, lower leaves of my basil turn yellow?"
    assert user.labels == (Label("false_start", 0, 2), Label("self_correction", 6, 8))
    assert agent == ONE.turns[1]
    assert (heard.text, heard.kind, heard.cue) == ("I see.", "backchannel", Cue(1, 5))
    assert (breaks.text, breaks.kind, breaks.cue) == (MARKS["interruption"], "turn", Cue(1, 15))
    assert (reply.role, reply.text, reply.cue) == ("agent", MARKS["reply"], None)


def test_pauses_and_asides_are_where_the_model_says_and_slips_move_them() -> None:
    (done,) = play(STAGE, [ONE], recipe(ASIDE), writer=fields(**MARKS)).dialogues
    user, agent, aside = done.turns
    assert user.text == "Why do the, why do the upper, I mean, lower leaves of my basil turn yellow?"
    assert user.labels == (Label("false_start", 0, 2), Label("self_correction", 6, 8), Label("pause", 11, 11))
    assert agent == ONE.turns[1]
    assert (aside.role, aside.text, aside.kind, aside.cue) == ("user", MARKS["aside"], "aside", Cue(1, 9))
    (early,) = play(STAGE, [ONE], recipe(ASIDE), writer=fields(**MARKS | {"pause_after": "why do"})).dialogues
    assert early.turns[0].labels[1] == Label("pause", 4, 4), "before the word that is corrected"
    (late,) = play(STAGE, [ONE], recipe(ASIDE), writer=fields(**MARKS | {"aside_after": "to a brighter"})).dialogues
    assert len(late.turns) == 2, "nobody can say so much before the answer is over"
    (none,) = play(STAGE, [ONE], recipe(ASIDE), writer=fields(**NOTHING)).dialogues
    assert none.turns == ONE.turns


@each_row(
    ("field", "value", "kind"),
    [
        ("pause_after", "upper leaves", "empty"),
        ("pause_after", "turn yellow?", "empty"),
        ("pause_after", "Why", "empty"),
        ("aside", "汤姆，把门关上。", "wrong_language"),
        ("aside", "word " * 11, "too_long"),
        ("aside_after", "not in the answer", "empty"),
    ],
)
def test_the_model_is_told_what_is_wrong_with_pauses_and_asides(field: str, value: str, kind: str) -> None:
    request = next(r for _, r in play(STAGE, [ONE], recipe(ASIDE), writer=fields(**NOTHING)).log)
    complaint = complaint_of(request, **MARKS | {field: value})
    assert complaint is not None and (complaint.kind, complaint.values["field"]) == (kind, field)
    assert complaint_of(request, **MARKS) is None
    assert complaint_of(request_for(ONE), **MARKS | {field: value}) is None, "it was not drawn"


def test_empty_fields_change_nothing() -> None:
    assert marked(ONE, **NOTHING).turns == ONE.turns


def test_only_what_was_drawn_is_taken() -> None:
    shares = "barge_in: 0, user_backchannels: 0, false_start: 1, self_correction: 0, pause: 0, aside: 0"
    (done,) = play(STAGE, [ONE], recipe(shares), writer=fields(**MARKS)).dialogues
    assert [turn.text for turn in done.turns] == [f"{MARKS['restart']} why{QUESTION[3:]}", ANSWER]


def test_a_dialogue_for_which_nothing_was_drawn_costs_no_call() -> None:
    none = "barge_in: 0, user_backchannels: 0, false_start: 0, self_correction: 0, pause: 0, aside: 0"
    played = play(STAGE, [ONE, TWO], recipe(none), writer=fields(**MARKS))
    assert (played.calls, played.dialogues[0].turns) == ([], ONE.turns)


def test_the_next_question_breaks_in_itself() -> None:
    row = next(row for i in range(50) if request_for(row := replace(TWO, dialogue_id=f"row-{i}")).form == "next")
    request = request_for(row)
    assert (request.variables, len(request.history)) == ({"next": NEXT}, 1)
    done = marked(row, interruption="", reply="")
    breaks = next(turn for turn in done.turns if turn.kind == "turn" and turn.cue)
    assert breaks.text is not None and breaks.text.lower().endswith(NEXT.lower())
    assert len([turn for turn in done.turns if turn.kind == "turn"]) == 4


@each_row(
    ("field", "value", "kind"),
    [
        ("backchannel_after", "too little water", "empty"),
        ("backchannel_after", "a brighter window", "empty"),
        ("backchannel", "Absolutely fascinating.", "empty"),
        ("interrupt_after", "not in the answer", "empty"),
        ("interrupt_after", "It mostly", "empty"),
        ("interrupt_after", "a brighter window", "empty"),
        ("correction_before", "upper leaves", "empty"),
        ("interruption", "这盆花一直在太阳底下。", "wrong_language"),
        ("interruption", "It is {hot}.", "unpronounceable"),
        ("restart", "Why do the lower leaves of my basil plant always", "too_long"),
        ("reply", "word " * 101, "too_long"),
    ],
)
def test_the_model_is_told_what_is_wrong(field: str, value: str, kind: str) -> None:
    complaint = complaint_of(request_for(ONE), **MARKS | {field: value})
    assert complaint is not None
    assert (complaint.kind, complaint.values["field"]) == (kind, field)


def test_good_marks_are_not_complained_of() -> None:
    assert complaint_of(request_for(ONE), **MARKS) is None


def test_a_row_whose_marks_stay_wrong_ends_with_a_reason_and_its_own_turns() -> None:
    done = marked(ONE, interrupt_after="nowhere")
    assert (done.status, done.turns) == ("failed", ONE.turns)
    (failed,) = play(STAGE, [ONE], recipe(), writer=lambda request: Failure(Reason.REFUSED)).dialogues
    assert failed.reason == "refused"


def test_it_is_a_function_of_the_row_and_the_seed() -> None:
    writer = Scripted(lambda request: TextAnswer(MARKS if not request.variables else NOTHING), "writer")
    rows = [replace(row, dialogue_id=f"row-{i}") for i, row in enumerate((ONE, TWO, ONE, TWO))]
    audit_stage(STAGE, rows, make_context(recipe(), engines={("text", "writer"): writer}))


def test_a_backchannel_may_be_the_one_of_the_example_and_an_interruption_may_not() -> None:
    """The template offers the backchannels, so an answer that takes one copies nothing."""
    template, request = load_template("duplex-overlap/v2", "en"), request_for(ONE)
    extras: list[tuple[dict[str, str], str | None]] = [
        ({}, None),
        ({"interruption": "Eight is too late for the children."}, "repeated"),
    ]
    for extra, wanted in extras:
        reply = ChatReply(json.dumps(MARKS | extra), "stop", Tokens())
        result = read_reply(reply, template, request, "")
        assert (result.kind if isinstance(result, Complaint) else None) == wanted
