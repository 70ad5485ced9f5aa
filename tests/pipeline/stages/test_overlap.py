"""overlap by rules: what is added lies where the texts allow it, and what a user said before can still be read."""

import re
from collections import Counter
from dataclasses import replace
from functools import cache
from itertools import pairwise

import pytest

from manifests.schema import Dialogue, Label, Turn
from manifests.words import words_of
from parley.testing import audit_stage, make_context, make_dialogue, tone_recipe
from pipeline.engines.text.rules import RulesGenerator
from pipeline.stages._overlap_text import Slip, with_slip
from pipeline.stages._overlap_wording import overlap_wording
from pipeline.stages.contract import Context, run_stage
from pipeline.stages.overlap import OVERLAP as STAGE
from tests.tables import each_row

SHARES = (
    "barge_in",
    "user_backchannels",
    "agent_backchannels",
    "false_start",
    "self_correction",
    "pause",
    "aside",
    "background",
    "silence",
)
EN = (
    (
        "If I leave on Tuesday, how many days can I keep bread fresh?",
        "Keep it in a paper bag at room temperature, away from the sun. If you will not finish it within three days, "
        "slice it and freeze it, because the fridge makes bread go stale faster.",
    ),
    (
        "And what about fresh herbs from the garden in summer?",
        "Put the stems into a glass of water, and change the water every day. Basil likes it warm, so leave it on the "
        "kitchen table, and keep everything else in the fridge.",
    ),
)
ZH = (
    (
        "我想问一下，怎样让切开的苹果不变色？",
        "把切好的苹果泡在淡盐水里，或者在表面挤一点柠檬汁，就能减慢氧化，颜色会好看很多。放进冰箱里，也能多放一会儿。",
    ),
    (
        "那在阳台上种点菜，新手种什么好？",
        "可以先种小葱、生菜和小白菜，它们长得快，也不容易生病，很适合新手，浇水也简单。",
    ),
)
EXCHANGES = {"en": EN, "zh": ZH}


@cache
def context(**settings: float) -> Context:
    """The stage with every share at 1, unless it is set."""
    own = ", ".join(f"{name}: {value}" for name, value in (dict.fromkeys(SHARES, 1) | settings).items())
    return make_context(tone_recipe(f"overlap={{{own}}}"), engines={("text", "rules"): RulesGenerator()})


def only(*names: str, **settings: float) -> Context:
    return context(**{name: int(name in names) for name in SHARES} | settings)


def rows(language: str, exchanges: int = 2, count: int = 12) -> list[Dialogue]:
    return [
        make_dialogue(*EXCHANGES[language][:exchanges], dialogue_id=f"row-{i}", language=language, spoken=True)
        for i in range(count)
    ]


def happened(language: str, where: Context, exchanges: int = 2) -> list[Dialogue]:
    return run_stage(STAGE, rows(language, exchanges), where)


def words(turn: Turn, language: str) -> list[str]:
    return [word.text for word in words_of(turn.text or "", language)]


def without_slips(turn: Turn, language: str) -> str:
    """The words that are not taken back, without case and marks."""
    back = {i for a in turn.labels if a.kind != "pause" for i in range(a.first_word, a.last_word + 1)}
    return re.sub(r"\W", "", "".join(w for i, w in enumerate(words(turn, language)) if i not in back)).lower()


languages = pytest.mark.parametrize("language", ["en", "zh"])


@languages
def test_it_is_a_function_of_the_row_and_the_seed(language: str) -> None:
    audit_stage(STAGE, rows(language, count=5), context())


def test_with_all_shares_zero_nothing_happens() -> None:
    assert [d.turns for d in happened("en", only())] == [d.turns for d in rows("en")]


def test_the_shares_are_those_of_the_dialogues() -> None:
    many = run_stage(STAGE, rows("en", 1, 300), only(pause=0.3))
    assert 60 <= sum(any(turn.labels for turn in d.turns) for d in many) <= 120


@languages
def test_every_cue_and_label_is_inside_its_turn(language: str) -> None:
    for dialogue in happened(language, context()):
        for turn in dialogue.turns:
            count = len(words(turn, language))
            assert all(0 <= a.first_word <= a.last_word < count for a in turn.labels)
            if turn.cue:
                host = dialogue.turns[turn.cue.turn]
                assert host.kind == "turn" and host.role != turn.role
                assert 0 <= turn.cue.word < len(words(host, language)) - 1


@languages
def test_without_the_labeled_words_a_user_says_what_was_said_before(language: str) -> None:
    found: Counter[str] = Counter()
    for name in ("false_start", "self_correction"):
        for before, after in zip(rows(language), happened(language, only(name)), strict=True):
            found.update(label.kind for turn in after.turns for label in turn.labels)
            for old, new in zip(before.turns, after.turns, strict=True):
                assert without_slips(new, language) == without_slips(old, language)
                assert new.role == "user" or new == old
    assert found == {"false_start": 12, "self_correction": 12}


@languages
def test_a_pause_stays_behind_its_word_when_words_come_before_it(language: str) -> None:
    """A label that is not moved would name another word."""

    def paused(dialogues: list[Dialogue]) -> list[str]:
        return [words(turn, language)[a.last_word] for d in dialogues for turn in d.turns for a in turn.labels]

    alone = paused(happened(language, only("pause")))
    assert len(alone) == 12
    for name in ("barge_in", "silence"):
        assert paused(happened(language, only(name, "pause"))) == alone


def test_a_slip_before_another_moves_its_label() -> None:
    wording = overlap_wording("en")
    turn = Turn("user", "", text="Order two pizzas.")
    later = with_slip(turn, Slip("self_correction", 1, "three, no,"), "en", wording)
    both = later and with_slip(later, Slip("false_start", 0, "Can you,"), "en", wording)
    assert both and both.text == "Can you, Order three, no, two pizzas."
    assert both.labels == (Label("false_start", 0, 1), Label("self_correction", 3, 4))


def test_a_false_start_is_labeled_and_the_question_goes_on_small() -> None:
    texts = {d.turns[0].text for d in happened("en", only("false_start"), 1)}
    turn = next(d.turns[0] for d in happened("en", only("false_start"), 1))
    assert texts and all(
        text and text.endswith("if I leave on Tuesday, how many days can I keep bread fresh?") for text in texts
    )
    assert turn.labels[0].first_word == 0 and words(turn, "en")[turn.labels[0].last_word].endswith(",")


@languages
def test_the_next_question_breaks_in_where_enough_has_been_said(language: str) -> None:
    for dialogue in happened(language, only("barge_in"), 2):
        (number,) = [i for i, turn in enumerate(dialogue.turns) if turn.cue]
        turn, cue = dialogue.turns[number], dialogue.turns[number].cue
        assert cue and (turn.role, turn.kind, cue.turn) == ("user", "turn", number - 1)
        host = words(dialogue.turns[number - 1], language)
        assert 0.35 * len(host) <= cue.word + 1 and len(host) - cue.word > 3


@languages
def test_an_answer_that_nothing_follows_is_ended_by_a_few_words(language: str) -> None:
    before = rows(language, 1)[0]
    replies = set()
    for dialogue in happened(language, only("barge_in"), 1):
        user = dialogue.turns[2]
        assert dialogue.turns[:2] == before.turns
        assert user.role == "user" and user.kind == "turn" and user.cue and user.cue.turn == 1
        assert [turn.role for turn in dialogue.turns[3:]] in ([], ["agent"])
        replies |= {turn.text for turn in dialogue.turns[3:]}
    assert len(replies) > 1 and not any(text is None or "{" in text for text in replies)


def test_what_the_next_question_takes_up_has_been_said_before_it_breaks_in() -> None:
    answer = (
        "Put it into a glass of clean water, and wait for a week until it shows its roots in daylight near the window."
    )
    row = make_dialogue(
        ("How do I grow basil?", answer), ("Why does it need daylight?", "It feeds on it."), spoken=True
    )
    for seed in range(20):
        done = run_stage(STAGE, [replace(row, dialogue_id=f"row-{seed}")], only("barge_in"))[0]
        cue = done.turns[2].cue
        assert cue is None or "daylight" in " ".join(words(done.turns[1], "en")[: cue.word + 1])


def test_a_question_that_needs_the_end_waits_for_it() -> None:
    exchanges = (EN[0], ("And the last one you named?", "That is it."))
    row = make_dialogue(*exchanges, spoken=True)
    (done,) = run_stage(STAGE, [row], only("barge_in"))
    assert done.turns == row.turns


@each_row(("role", "name"), [("user", "user_backchannels"), ("agent", "agent_backchannels")])
@languages
def test_a_listener_says_short_words_where_clauses_end(language: str, role: str, name: str) -> None:
    count = 0
    for dialogue in happened(language, only(name, backchannels_most=3)):
        said = [turn for turn in dialogue.turns if turn.kind == "backchannel"]
        count += len(said)
        assert len(said) <= 3 and len({turn.text for turn in said}) == len(said)
        for turn in said:
            assert turn.role == role and turn.cue
            assert re.search(r"[,.，。？]$", words(dialogue.turns[turn.cue.turn], language)[turn.cue.word])
    assert count >= 12


@languages
def test_nothing_of_the_users_channel_overlaps_itself(language: str) -> None:
    for dialogue in happened(language, context(backchannels_most=5)):
        for host in range(len(dialogue.turns)):
            beside = [t for t in dialogue.turns if t.cue and t.cue.turn == host and t.role == "user"]
            places = sorted(t.cue.word for t in beside if t.cue)
            assert all(later - earlier >= 5 for earlier, later in pairwise(places))


@languages
def test_a_silent_user_is_asked_and_answers(language: str) -> None:
    for dialogue in happened(language, only("silence")):
        roles = [turn.role for turn in dialogue.turns]
        place = next(i for i in range(len(roles)) if roles[i : i + 3] == ["agent", "agent", "user"])
        assert dialogue.turns[place + 1].original_text == ""
        assert all(turn.kind == "turn" and turn.cue is None for turn in dialogue.turns)


def test_the_stop_phrase_breaks_into_the_last_answer() -> None:
    for dialogue in happened("en", only("barge_in", stop_phrase=True)):
        assert (dialogue.turns[-1].text, dialogue.turns[-1].cue and dialogue.turns[-1].cue.turn) == ("Stop Omni.", 3)


def test_stages_that_know_only_exchanges_must_stand_before_it() -> None:
    recipe = tone_recipe("overlap={}")
    early = {name: recipe.stages[name] for name in ("rewrite", "overlap", "respond", "gate")}
    with pytest.raises(ValueError, match="overlap: it must stand behind respond"):
        STAGE.check(recipe.model_copy(update={"stages": early}))
