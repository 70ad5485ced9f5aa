"""What consumers of one clip for each turn would lose or spoil without a word is refused, with the reason."""

from dataclasses import replace
from typing import Any

import pytest

from manifests.export._single import taken
from manifests.export._turns import Demands, exchanges
from manifests.schema import Dialogue
from parley.testing.corpora import with_take
from parley.testing.duplex import make_duplex
from parley.testing.talks import BREAD, make_talk

NO_ALTERNATION = "its turns do not alternate, from the user to the agent"


def changed(place: int, **changes: Any) -> Dialogue:
    """A dialogue with these changes to one of its turns."""
    dialogue = make_talk(0, *BREAD)
    turns = list(dialogue.turns)
    turns[place] = replace(turns[place], **changes)
    return replace(dialogue, turns=tuple(turns))


def without_audio(place: int) -> Dialogue:
    dialogue = make_talk(0, *BREAD)
    turns = list(dialogue.turns)
    turns[place] = with_take(turns[place], audio=None)
    return replace(dialogue, turns=tuple(turns))


def test_a_good_dialogue_has_no_problem() -> None:
    assert Demands(texts=("user", "agent"), clips=("user", "agent")).problem(make_talk(0, *BREAD)) is None


@pytest.mark.parametrize("number", [0, 1, 3])
def test_turns_without_an_answer_are_refused(number: int) -> None:
    dialogue = make_talk(0, *BREAD)
    assert Demands().problem(replace(dialogue, turns=dialogue.turns[:number])) == NO_ALTERNATION


def test_roles_out_of_order_are_refused() -> None:
    dialogue = make_talk(0, *BREAD)
    first, second, third, fourth = dialogue.turns
    for turns in ((second, first, third, fourth), (first, third, second, fourth), (second, third)):
        assert Demands().problem(replace(dialogue, turns=turns)) == NO_ALTERNATION


def test_an_unsafe_id_is_refused() -> None:
    assert "no safe name" in str(Demands().problem(replace(make_talk(0, *BREAD), dialogue_id="../a")))


@pytest.mark.parametrize("text", [None, "", " \n"])
def test_a_missing_text_is_refused_where_it_is_written(text: str | None) -> None:
    assert Demands().problem(changed(1, text=text)) == "a turn has no text"
    assert Demands().problem(changed(0, text=text)) is None
    assert Demands(texts=("user", "agent")).problem(changed(0, text=text)) == "a turn has no text"


def test_a_missing_clip_is_refused_where_it_is_written() -> None:
    assert Demands().problem(without_audio(2)) == "a turn has no audio"
    assert Demands().problem(without_audio(3)) is None
    assert Demands(clips=("user", "agent")).problem(without_audio(3)) == "a turn has no audio"


def test_marks_are_refused_in_texts_that_are_written() -> None:
    demands = Demands(marks=("<audio>",))
    assert demands.problem(changed(3, text="a <audio> b")) == "a text contains <audio>"
    assert demands.problem(changed(3, text="a <|im_end|> b")) == "a text contains <|"
    assert demands.problem(changed(2, text="a <audio> b")) is None
    assert Demands().problem(changed(3, text="a <audio> b")) is None


def test_a_clip_may_be_as_long_as_the_model_hears() -> None:
    whole, longer = make_talk(0, *BREAD, seconds=30.0), make_talk(0, *BREAD, seconds=30.001)
    assert Demands(max_s=30.0).problem(whole) is None
    assert Demands(max_s=30.0).problem(longer) == "a user's clip is longer than 30 s"
    assert Demands().problem(longer) is None


def test_the_agents_clip_may_be_longer() -> None:
    dialogue, long = make_talk(0, *BREAD), make_talk(0, *BREAD, seconds=31.0)
    turns = (dialogue.turns[0], long.turns[1], dialogue.turns[2], long.turns[3])
    assert Demands(max_s=30.0).problem(replace(dialogue, turns=turns)) is None


def test_a_short_clip_is_refused_where_the_consumer_drops_it() -> None:
    assert Demands(min_s=0.5).problem(make_talk(0, *BREAD, seconds=0.499)) == "a user's clip is shorter than 0.5 s"
    assert Demands(min_s=0.5).problem(make_talk(0, *BREAD, seconds=0.5)) is None


def test_more_than_one_exchange_is_refused_where_one_is_read() -> None:
    assert Demands(one_exchange=True).problem(make_talk(0, *BREAD)) == "it has more than one exchange"
    assert Demands(one_exchange=True).problem(make_talk(0, *BREAD[:2])) is None


def test_exchanges_are_pairs() -> None:
    pairs = exchanges(make_talk(0, *BREAD))
    assert [(each.number, each.user_turn, each.agent_turn) for each in pairs] == [(0, 0, 1), (1, 2, 3)]
    assert [text for each in pairs for text in (each.question, each.answer)] == list(BREAD)


def with_asides() -> Dialogue:
    """Two exchanges, in the first of which the user murmurs while the agent speaks, and a voice is heard behind."""
    dialogue = make_talk(0, *BREAD)
    murmur = replace(dialogue.turns[0], kind="backchannel", text="right")
    behind = replace(dialogue.turns[0], kind="background", text=None, take=None)
    first, second, third, fourth = dialogue.turns
    return replace(dialogue, turns=(first, murmur, second, behind, third, fourth))


def test_turns_that_take_no_floor_are_no_part_of_an_exchange() -> None:
    dialogue = with_asides()
    demands = Demands(texts=("user", "agent"), clips=("user", "agent"))
    assert demands.problem(dialogue) is None
    pairs = exchanges(dialogue)
    assert [(each.user_turn, each.agent_turn) for each in pairs] == [(0, 2), (4, 5)]
    assert [text for each in pairs for text in (each.question, each.answer)] == list(BREAD)
    assert [(each.user_turn, each.agent_turn) for each in exchanges(taken(dialogue, True))] == [(0, 2)]


def test_an_answer_that_is_cut_off_is_refused() -> None:
    assert Demands().problem(changed(1, unsaid=" and so on")) == "an answer is cut off by an interruption"
    assert Demands().problem(changed(0, unsaid=" and so on")) is None


def test_a_floor_turn_that_is_not_in_the_timeline_is_refused() -> None:
    dialogue = make_duplex(0, ("user", "hello", 0.0, 0.5), ("agent", "good day", 0.5, 0.5))
    assert Demands().problem(dialogue) is None
    user, agent = dialogue.turns
    gone = replace(dialogue, turns=(user, replace(agent, start_sample=None)))
    assert Demands().problem(gone) == "a turn was left out of its timeline"
