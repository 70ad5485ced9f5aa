"""Casting: balanced, seeded, agents apart from users."""

from collections import Counter
from dataclasses import replace

import pytest

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
    casting = Casting(BANK, ["flite"], one_agent=True)
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
