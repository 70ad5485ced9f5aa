"""Casting: balanced, seeded, agents apart from users, user voices spread over the bank."""

import random
from collections import Counter
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import voicebank.cast as cast_module
from tests.tables import each_row
from voicebank.bank import Bank, load_bank
from voicebank.cast import Casting
from voicebank.voice import Voice

BANK = Bank(
    name="test",
    digest="",
    voices=(
        Voice("agent-f", "flite", "a", "en", "female", agent=True),
        Voice("agent-m", "flite", "b", "en", "male", agent=True),
        Voice("user-f", "flite", "c", "en", "female"),
        *(Voice(f"user-m{i}", "flite", "d", "en", "male") for i in range(4)),
        Voice("other-engine", "bark", "e", "en", "female"),
        Voice("zh-user", "flite", "f", "zh", "female"),
    ),
)
CASTING = Casting(BANK, ["flite"])
SEEDS = range(4000)


def test_genders_are_balanced_however_many_voices_each_has() -> None:
    drawn = Counter(CASTING.draw("en", False, seed * 7919) for seed in SEEDS)
    assert 0.4 < drawn["user-f"] / len(SEEDS) < 0.6
    assert min(drawn[f"user-m{i}"] for i in range(4)) > 0.08 * len(SEEDS)


def test_only_voices_of_the_language_the_engines_and_the_role_are_drawn() -> None:
    assert {CASTING.draw("en", True, seed) for seed in SEEDS} == {"agent-f", "agent-m"}
    assert "other-engine" not in {CASTING.draw("en", False, seed) for seed in SEEDS}
    assert {CASTING.draw("zh", False, seed) for seed in SEEDS} == {"zh-user"}


def test_one_agent_means_the_banks_first_of_each_language() -> None:
    casting = Casting(BANK, ["flite"], "one")
    assert {casting.draw("en", True, seed) for seed in SEEDS} == {"agent-f"}
    assert len({casting.draw("en", False, seed) for seed in SEEDS}) == 5


@pytest.mark.parametrize(("language", "agent"), [("fr", False), ("zh", True)])
def test_where_the_bank_has_no_such_voice_none_is_drawn(language: str, agent: bool) -> None:
    assert CASTING.draw(language, agent, 1) is None


def test_voices_to_avoid_are_drawn_only_when_no_other_is_left() -> None:
    avoid = {"user-m0", "user-m1", "user-m2", "user-f"}
    assert {CASTING.draw("en", False, seed, avoid) for seed in SEEDS} == {"user-m3", "user-f"}


def test_a_draw_does_not_depend_on_which_gender_the_bank_names_first() -> None:
    turned = Casting(replace(BANK, voices=(*BANK.voices[3:7], *BANK.voices[:3])), ["flite"])
    assert all(turned.draw("en", False, seed) == CASTING.draw("en", False, seed) for seed in SEEDS)


def test_the_bank_that_ships_has_one_agent_of_each_gender_and_language() -> None:
    bank = load_bank("offline")
    for language in ("en", "zh"):
        agents = bank.select(language=language, agent=True)
        assert sorted(voice.gender for voice in agents) == ["female", "male"]
        assert len(bank.select(language=language, agent=False)) >= 8


def bank_of(females: int, males: int, *others: Voice) -> Bank:
    voices = [Voice(f"f{i}", "flite", "a", "en", "female") for i in range(females)]
    voices += [Voice(f"m{i}", "flite", "a", "en", "male") for i in range(males)]
    return Bank("made", "", (*voices, *others))


def walk(bank: Bank, dialogues: int, seed: int = 0, language: str = "en") -> list[str | None]:
    casting = Casting(bank, ["flite"])
    return [casting.user_at(language, ordinal, seed) for ordinal in range(dialogues)]


banks = st.builds(bank_of, st.integers(0, 9), st.integers(0, 9)).filter(lambda bank: bank.voices)
dialogues = st.integers(0, 80)


@given(banks, dialogues, st.integers(0, 3))
def test_n_dialogues_use_all_voices_or_n_of_them(bank: Bank, number: int, seed: int) -> None:
    assert len(set(walk(bank, number, seed))) == min(number, len(bank.voices))


@given(banks, dialogues)
def test_genders_differ_by_no_more_than_the_first_epoch_makes_unavoidable(bank: Bank, number: int) -> None:
    size = {gender: sum(voice.gender == gender for voice in bank.voices) for gender in ("female", "male")}
    drawn = Counter((voice_id or "")[0] for voice_id in walk(bank, number))
    if all(size.values()):
        assert abs(drawn["f"] - drawn["m"]) <= 1 + abs(size["female"] - size["male"])
    later = [(voice_id or "")[0] for voice_id in walk(bank, number)][len(bank.voices) :]
    assert not all(size.values()) or all(one != next_one for one, next_one in pairwise(later))


@given(banks, dialogues)
def test_each_voice_of_a_gender_is_heard_as_often_as_any_other(bank: Bank, number: int) -> None:
    drawn = Counter(walk(bank, number))
    for gender in ("female", "male"):
        counts = [drawn[voice.voice_id] for voice in bank.voices if voice.gender == gender]
        assert not counts or max(counts) - min(counts) <= 1


@given(banks, dialogues, st.randoms(use_true_random=False))
def test_the_order_of_the_bank_does_not_matter(bank: Bank, number: int, shuffler: random.Random) -> None:
    shuffled = replace(bank, voices=tuple(shuffler.sample(bank.voices, len(bank.voices))))
    assert walk(shuffled, number) == walk(bank, number)
    there, here = Casting(shuffled, ["flite"]), Casting(bank, ["flite"])
    assert all(there.draw("en", False, seed) == here.draw("en", False, seed) for seed in range(50))


@given(banks, st.lists(st.integers(0, 10**12), min_size=1, max_size=20))
@settings(max_examples=50)
def test_a_step_depends_on_its_number_alone(bank: Bank, numbers: list[int]) -> None:
    together = Casting(bank, ["flite"])
    steps = {number: together.user_at("en", number, 1) for number in numbers}
    assert all(Casting(bank, ["flite"]).user_at("en", number, 1) == step for number, step in steps.items())


def test_laps_have_orders_of_their_own_and_so_have_seeds_and_languages() -> None:
    many = Voice("x", "flite", "a", "mul", "male")
    bank = bank_of(
        30,
        30,
        *(
            replace(many, voice_id=f"{gender[0]}x{i}", gender=gender)
            for i in range(30)
            for gender in ("female", "male")
        ),
    )
    first, second, third = (walk(bank, 360)[start : start + 120] for start in (0, 120, 240))
    assert set(first) == set(second) == set(third)
    assert len({tuple(first), tuple(second), tuple(third)}) == 3
    assert tuple(walk(bank, 120, seed=1)) != tuple(first)
    assert [v for v in walk(bank, 60, language="zh") if "x" in (v or "")] != [v for v in first if "x" in (v or "")]


def test_the_time_and_memory_of_a_step_do_not_grow_with_the_corpus(monkeypatch: pytest.MonkeyPatch) -> None:
    hashed = Counter[str]()
    true_hash = cast_module._hash

    def counting(*parts: str) -> bytes:
        hashed["times"] += 1
        return true_hash(*parts)

    monkeypatch.setattr(cast_module, "_hash", counting)
    casting = Casting(bank_of(50, 50), ["flite"])
    for start in (0, 10**6, 10**12):
        hashed.clear()
        for ordinal in range(start, start + 100):
            casting.user_at("en", ordinal, 0)
        assert hashed["times"] <= 4 * 50 + 2  # the laps, of either gender, that these steps touch
    for ordinal in range(5_000):
        casting.user_at("en", ordinal, 0)
    kept = [len(found._laps) for found in casting._walks.values()]
    assert max(kept) <= cast_module._LAPS_KEPT


MULTILINGUAL = Voice("any", "flite", "x", "mul", "female")


@pytest.mark.parametrize(
    ("language", "users"),
    [
        ("en", {"any", "user-f", "user-m0", "user-m1", "user-m2", "user-m3"}),
        ("zh", {"any", "zh-user"}),
        ("fr", {"any"}),
    ],
)
def test_voices_of_all_languages_are_in_every_pool(language: str, users: set[str]) -> None:
    bank = replace(BANK, voices=(*BANK.voices, MULTILINGUAL))
    assert set(walk(bank, 12, language=language)) == users
    assert {Casting(bank, ["flite"]).draw(language, False, seed * 7919) for seed in SEEDS} == users


def test_without_user_voices_there_is_no_step() -> None:
    assert walk(BANK, 3, language="fr") == [None] * 3


@each_row(
    ("agents", "order", "expected"),
    [
        ("all", "fgmn", "fgmn"),
        ("one", "fgmn", "f"),
        ("one", "mnfg", "m"),
        ("pair", "fgmn", "fm"),
        ("pair", "ngfm", "gn"),
        ("pair", "fg", ""),
        ("pair", "", ""),
    ],
)
def test_agents_that_are_singled_out(agents: str, order: str, expected: str) -> None:
    genders = {"f": "female", "g": "female", "m": "male", "n": "male"}
    bank = Bank("b", "", tuple(Voice(name, "flite", "x", "en", genders[name], agent=True) for name in order))
    casting = Casting(bank, ["flite"], agents)
    assert {casting.draw("en", True, seed) for seed in SEEDS} == (set(expected) or {None})


def test_one_agent_of_all_languages_is_the_banks_first_for_each() -> None:
    agents = [replace(MULTILINGUAL, voice_id="any-agent", agent=True), *BANK.voices]
    casting = Casting(replace(BANK, voices=tuple(agents)), ["flite"], "one")
    assert [casting.draw(language, True, 5) for language in ("en", "zh")] == ["any-agent", "any-agent"]


@pytest.mark.parametrize(
    ("avoid", "gender", "expected"),
    [
        (set(), "male", {"user-m0", "user-m1", "user-m2", "user-m3"}),
        ({"user-m1"}, "male", {"user-m0", "user-m2", "user-m3"}),
        ({"user-f"}, "female", {"user-f"}),
        ({"user-m0", "user-m1", "user-m2", "user-m3"}, "male", {"user-m0", "user-m1", "user-m2", "user-m3"}),
    ],
)
def test_a_retake_is_drawn_from_the_gender_that_it_names(avoid: set[str], gender: str, expected: set[str]) -> None:
    assert {CASTING.draw("en", False, seed, avoid, gender) for seed in SEEDS} == expected


def test_genders_of_voices_that_the_bank_has() -> None:
    assert CASTING.genders_of(["user-f", "gone"]) == {"female"}
