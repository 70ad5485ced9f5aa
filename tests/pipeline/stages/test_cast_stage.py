"""cast: users by their place in the corpus, agents and retakes by seed."""

from collections import Counter
from dataclasses import replace

import pytest

from manifests.schema import Dialogue, Turn
from parley.testing import make_context, make_dialogue, tone_recipe
from parley.testing.stages import make_take
from pipeline.recipes.load import load_recipe
from pipeline.stages.cast import CAST, CastSettings
from pipeline.stages.contract import Context, run_stage
from voicebank.bank import load_bank

BANK = load_bank("tone")
USERS = {voice.voice_id: voice.gender for voice in BANK.select(language="en", agent=False)}


def rows(number: int, **changes: object) -> list[Dialogue]:
    return [make_dialogue(dialogue_id=f"test-{i}", spoken=True, ordinal=i, **changes) for i in range(number)]


def cast(dialogues: list[Dialogue], context: Context | None = None) -> list[Dialogue]:
    return run_stage(CAST, dialogues, context or make_context())


def heard(dialogue: Dialogue, *voices: str) -> Dialogue:
    """The dialogue after takes with those voices, its user to be cast anew."""
    attempts = tuple(make_take(i, voice, reason="error_rate") for i, voice in enumerate(voices, 1))
    user, *others = dialogue.turns
    return replace(dialogue, turns=(replace(user, attempts=attempts), *others))


def test_a_corpus_uses_every_user_voice_before_any_comes_again() -> None:
    drawn = [d.user_voice for d in cast(rows(3 * len(USERS)))]
    assert len(set(drawn[: len(USERS)])) == len(USERS)
    assert Counter(drawn) == dict.fromkeys(USERS, 3)
    genders = [USERS[voice or ""] for voice in drawn]
    assert all(one != other for one, other in zip(genders[::2], genders[1::2], strict=True))


def test_the_user_depends_on_ordinal_and_seed_the_agent_on_the_id() -> None:
    same = rows(8)
    renamed = [replace(d, dialogue_id=f"other-{d.dialogue_id}") for d in same]
    moved = [replace(d, ordinal=(d.ordinal or 0) + 1) for d in same]
    base = cast(same)
    assert [d.user_voice for d in cast(renamed)] == [d.user_voice for d in base]
    assert [d.agent_voice for d in cast(renamed)] != [d.agent_voice for d in base]
    assert [d.user_voice for d in cast(moved)][:-1] == [d.user_voice for d in base][1:]
    assert [d.agent_voice for d in cast(moved)] == [d.agent_voice for d in base]
    assert [d.user_voice for d in cast(same, make_context(seed=1))] != [d.user_voice for d in base]


def test_rows_without_an_ordinal_are_drawn_by_their_id() -> None:
    (first, second) = cast([make_dialogue(dialogue_id="a", spoken=True), make_dialogue(dialogue_id="b", spoken=True)])
    assert {first.user_voice, second.user_voice} <= set(USERS)
    drawn = {d.user_voice for d in cast([replace(d, ordinal=None) for d in rows(200)])}
    assert drawn == set(USERS)


def test_a_retake_has_another_voice_of_the_same_gender() -> None:
    for dialogue in cast(rows(12)):
        voice = dialogue.user_voice or ""
        (again,) = cast([replace(heard(dialogue, voice), user_voice=None)])
        assert again.user_voice != voice
        assert USERS[again.user_voice or ""] == USERS[voice]
        assert again.agent_voice == dialogue.agent_voice


def test_a_retake_when_all_voices_of_the_gender_were_heard() -> None:
    women = sorted(voice for voice, gender in USERS.items() if gender == "female")
    (again,) = cast([heard(rows(1)[0], *women)])
    assert again.user_voice in women


def test_a_retake_after_a_voice_that_the_bank_lost() -> None:
    (again,) = cast([heard(rows(1)[0], "gone")])
    assert again.user_voice in USERS


@pytest.mark.parametrize(("agents", "number"), [("all", 2), ("pair", 2), ("one", 1)], ids=["all", "pair", "one"])
def test_agents_over_a_corpus(agents: str, number: int) -> None:
    context = make_context(tone_recipe(f"cast.agents={agents}"))
    drawn = Counter(d.agent_voice for d in cast(rows(200), context))
    genders = {voice.voice_id: voice.gender for voice in BANK.select(language="en", agent=True)}
    assert len(drawn) == number
    assert len({genders[voice or ""] for voice in drawn}) == number
    assert number == 1 or min(drawn.values()) > 60


def test_a_language_without_voices_is_a_reject_that_names_no_path(tmp_path) -> None:
    recipe = tone_recipe()
    context = replace(
        make_context(recipe),
        recipe=recipe.model_copy(update={"stages": {**recipe.stages, "cast": CastSettings(bank=str(tmp_path))}}),
    )
    (done,) = cast(rows(1, language="fr"), context)
    assert (done.status, done.reason) == ("failed", "no_voice")
    assert done.detail == f"no user voice for fr in the bank {tmp_path.name}"


@pytest.mark.parametrize(
    ("bank", "public"),
    [
        ("offline", "offline"),
        ("/data/people/bank", "bank"),
        ("~/banks/mine", "mine"),
        ("s3://key:secret@bucket/banks/mine/", "mine"),
    ],
)
def test_no_private_path_of_a_bank_reaches_a_manifest(bank: str, public: str) -> None:
    recipe = tone_recipe(f"cast.bank={bank}")
    assert recipe.section(CastSettings).bank == bank
    assert recipe.content()["stages"]["cast"]["bank"] == public


@pytest.mark.parametrize("name", ["ke-speechchat", "ke-speechchat-offline"])
def test_ke_speechchat_has_one_agent_of_each_gender(name: str) -> None:
    assert load_recipe(name).section(CastSettings).agents == "pair"


def test_the_background_has_a_voice_of_its_own_and_only_where_somebody_is_heard_there() -> None:
    behind = Turn("user", "", text="Has anybody seen my glasses?", kind="background")
    talks = [replace(d, turns=(*d.turns, behind)) for d in rows(20)]
    done = cast(talks)
    assert all(d.background_voice in set(USERS) - {d.user_voice} for d in done)
    assert len({d.background_voice for d in done}) > 1
    assert [d.background_voice for d in cast(rows(3))] == [None] * 3
    assert [d.voice_of(behind) for d in done] == [d.background_voice for d in done]


def test_a_voice_heard_in_the_background_does_not_count_as_the_users() -> None:
    """A further take of the background would keep the user from a voice that they never had."""
    (row,) = rows(1)
    take = make_take(1, "tone-user-en-female-0", reason="error_rate")
    behind = Turn("user", "", text="The bus is late.", kind="background", attempts=(take,))
    assert cast([replace(row, turns=(*row.turns, behind))])[0].user_voice == cast([row])[0].user_voice
