"""tools and slots: the values of calls are said, may be corrected, and must be heard; a thought is never spoken."""

import json
from dataclasses import replace

from manifests.reasons import Reason
from manifests.schema import Dialogue
from parley.testing import audit_stage, make_context, make_dialogue, tone_recipe
from parley.testing.corpora import make_audio
from parley.testing.stages import make_hearing, make_take
from pipeline.engines.text.rules import RulesGenerator
from pipeline.stages.contract import Context, run_stage
from pipeline.stages.respond import RESPOND
from pipeline.stages.screen import SCREEN
from pipeline.stages.slots import SLOTS
from pipeline.stages.tools import TOOLS
from tests.pipeline.stages.scripted_text import complaint_of, fields, model_recipe, play

SCHEMA = json.dumps([{"name": "order", "parameters": {"kind": {"enum": ["mushroom", "salami"]}, "count": {}}}])
CALLS = json.dumps([{"name": "order", "arguments": {"kind": "mushroom", "count": 2}}])
SAID = "Order two mushroom pizzas."


def order(text: str | None = SAID, source: str = "Order 2 mushroom pizzas.", answer: str = "Done.") -> Dialogue:
    row = make_dialogue((source, answer))
    user, agent = row.turns
    return replace(row, tools=SCHEMA, turns=(replace(user, text=text), replace(agent, text=answer, calls=CALLS)))


def context(share: float = 0) -> Context:
    recipe = tone_recipe(f"tools={{self_correction: {share}}}", "slots={}")
    return make_context(recipe, engines={("text", "rules"): RulesGenerator()})


def heard(row: Dialogue, hypothesis: str) -> Dialogue:
    user, agent = row.turns
    take = make_take(hearing=make_hearing(hypothesis, user.text or ""), audio=make_audio())
    return replace(row, turns=(replace(user, take=take), agent))


def test_a_value_that_was_lost_in_rewriting_ends_the_row() -> None:
    lost, kept = run_stage(TOOLS, [order("Order some mushroom pizzas."), order()], context())
    assert (lost.reason, lost.detail) == ("argument_unsaid", "2")
    assert kept.status == "live" and kept.turns == order().turns


def test_a_value_that_the_source_does_not_say_is_not_asked_for() -> None:
    (row,) = run_stage(TOOLS, [order("Order mushroom pizzas.", "Order mushroom pizzas.")], context())
    assert row.status == "live"


def test_values_may_come_over_two_turns() -> None:
    row = make_dialogue(("Order 2 pizzas.", "Which kind?"), ("Mushroom.", "Done."), spoken=True)
    turns = (*row.turns[:3], replace(row.turns[3], calls=CALLS))
    (done,) = run_stage(TOOLS, [replace(row, tools=SCHEMA, turns=turns)], context())
    assert done.status == "live"


def test_a_corrected_value_is_said_wrongly_first_and_the_call_keeps_the_last() -> None:
    rows = [replace(order(), dialogue_id=f"row-{i}") for i in range(20)]
    texts = set()
    for row in run_stage(TOOLS, rows, context(1)):
        user, agent = row.turns
        (label,) = user.labels
        said = (user.text or "").split()
        assert " ".join(said[: label.first_word] + said[label.last_word + 1 :]) == SAID
        assert (label.kind, agent.calls) == ("self_correction", CALLS)
        texts.add(user.text)
    assert any("salami" in (text or "") for text in texts) and len(texts) > 2


def test_both_are_functions_of_the_row_and_the_seed() -> None:
    rows = [replace(order(), dialogue_id=f"row-{i}") for i in range(4)]
    audit_stage(TOOLS, rows, context(0.5))
    audit_stage(SLOTS, [heard(row, "order too mushroom pizzas") for row in rows], context())


def test_a_take_with_a_wrong_value_is_at_fault_and_another_wrong_word_is_not() -> None:
    wrong, other = (heard(order(), said) for said in ("order ten mushroom pizzas", "ordered 2 mushroom pizza"))
    reasons = [row.turns[0].reason for row in run_stage(SLOTS, [wrong, other], context())]
    assert reasons == ["argument_misheard", None]


def test_orders_are_clear_to_an_agent_that_has_tools() -> None:
    row = order("Dim the light.", "Dim the light.")
    with_tools, without = run_stage(SCREEN, [row, replace(row, tools=None)], context())
    assert (with_tools.status, without.reason) == ("live", "unclear")


def test_an_agent_that_calls_a_tool_without_a_word_confirms_it() -> None:
    row = order(answer="")
    (done,) = run_stage(RESPOND, [replace(row, turns=(row.turns[0], replace(row.turns[1], text=None)))], context())
    assert done.status == "live" and (done.turns[1].text or "").strip()
    (silent,) = run_stage(RESPOND, [make_dialogue(("What is tea?", ""))], context())
    assert silent.reason == "no_answer"


# the thought


def reasoned() -> Dialogue:
    row = make_dialogue(("What is two times four?", "It is eight."), spoken=True)
    return replace(row, turns=(row.turns[0], replace(row.turns[1], thought="2 * 4 = 8")))


def test_rules_keep_the_thought_of_the_source_and_say_nothing_of_it() -> None:
    (done,) = run_stage(RESPOND, [reasoned()], context())
    assert (done.turns[1].thought, done.turns[1].text) == ("2 * 4 = 8", "It is eight.")


def test_a_model_writes_its_own_thought_or_leaves_none() -> None:
    recipe = model_recipe("respond.prompt=reasoning-respond/v1")
    (own,) = play(RESPOND, [reasoned()], recipe, writer=fields(answer="It is eight.", thought="4 + 4 = 8")).dialogues
    (none,) = play(RESPOND, [reasoned()], model_recipe(), writer=fields(answer="It is eight.")).dialogues
    assert (own.turns[1].thought, none.turns[1].thought) == ("4 + 4 = 8", None)


def test_a_thought_in_another_language_is_complained_of() -> None:
    played = play(RESPOND, [reasoned()], model_recipe(), writer=fields(answer="It is eight.", thought="Two fours."))
    complaint = complaint_of(played.log[0][1], answer="It is eight.", thought="四加四等于八，所以答案是八。")
    assert complaint and (complaint.reason, complaint.values["field"]) == (Reason.WRONG_LANGUAGE, "thought")
