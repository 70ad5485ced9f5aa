"""Blending: what a voice is, which are made, and that nothing but bank, count and seed decides it."""

import hashlib
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from manifests.errors import CorpusError, UserError
from manifests.storage import Place, open_place
from tests.voicebank.made_up import make_bank, people, read_voices, speaker, unit
from voicebank.bank import load_bank
from voicebank.blend import blend
from voicebank.blend_options import BlendOptions
from voicebank.card import read_card
from voicebank.speaker_table import speaker_table_of
from voicebank.voice import Speaker

OPTIONS = BlendOptions(count=40, seed=3)


def blended(tmp_path: Path, speakers: list[Speaker], name: str = "out", **options: Any) -> Place:
    bank = open_place(tmp_path / "real")
    if not bank.exists():
        make_bank(tmp_path / "real", speakers)
    blend(bank, open_place(tmp_path / name), replace(OPTIONS, **options))
    return open_place(tmp_path / name)


def digest(bank: Place) -> str:
    return hashlib.sha256((bank / "voices.parquet").read_bytes()).hexdigest()


@pytest.mark.parametrize("parents", [2, 3, 4])
def test_a_voice_is_the_weighted_average_of_its_parents(parents: int, tmp_path: Path) -> None:
    real = {one.speaker_id: one for one in people(240)}
    low, high = (0.2, 0.6) if parents > 2 else (0.3, 0.7)
    voices, xvectors = read_voices(blended(tmp_path, [*real.values()], parents=parents, weights=(low, high)))
    for voice, xvector in zip(voices, xvectors, strict=True):
        kin = [real[parent] for parent in voice.parents]
        assert len({one.speaker_id for one in kin}) == parents
        assert {(one.gender, one.ms_per_character) for one in kin} == {(voice.gender, voice.ms_per_character)}
        assert len({one.language for one in kin}) == 1
        assert sum(voice.weights) == pytest.approx(1) and all(low <= weight <= high for weight in voice.weights)
        mixed = sum(weight * one.xvector for weight, one in zip(voice.weights, kin, strict=True))
        spoken = sum(weight * one.embedding for weight, one in zip(voice.weights, kin, strict=True))
        assert np.allclose(xvector, unit(mixed), atol=1e-6)
        assert voice.embedding is not None and np.allclose(voice.embedding, unit(spoken), atol=1e-6)


def test_the_bank_can_be_cast_from(tmp_path: Path) -> None:
    bank = load_bank(str(tmp_path / "out")) if blended(tmp_path, people()) else None
    assert bank is not None
    assert [voice.voice_id for voice in bank.voices[:4]] == [
        "agent-female",
        "agent-male",
        "voice-000001",
        "voice-000002",
    ]
    agents, users = bank.select(agent=True), bank.select(agent=False)
    assert [(voice.gender, voice.language) for voice in agents] == [("female", "mul"), ("male", "mul")]
    assert len(users) == 40 and "mul" not in {voice.language for voice in users}
    assert {voice.engine for voice in bank.voices} == {"cosyvoice"}


def test_same_bank_count_and_seed_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    one, same, other = (blended(tmp_path, people(), f"out{index}", seed=seed) for index, seed in enumerate((1, 1, 2)))
    assert digest(one) == digest(same) != digest(other)


def test_a_smaller_count_is_the_beginning_of_a_larger_one(tmp_path: Path) -> None:
    limits = {"leak_limit": 0.95, "twin_limit": 0.96}
    few, few_vectors = read_voices(blended(tmp_path, people(300), "few", count=100, **limits))
    many, many_vectors = read_voices(blended(tmp_path, people(300), "many", count=1500, **limits))
    assert (len(few), len(many)) == (102, 1502)
    assert many[:102] == few and (many_vectors[:102] == few_vectors).all()
    free, _ = read_voices(blended(tmp_path, people(300), "free", count=1500, leak_limit=1.0, twin_limit=1.0))
    assert free != many  # so the limits did drop some


def test_shares_of_gender_and_language(tmp_path: Path) -> None:
    voices, _ = read_voices(blended(tmp_path, people(), count=90, agents=0))
    assert [voice.gender for voice in voices[:4]] == ["female", "male"] * 2
    assert Counter(voice.language for voice in voices) == {"en": 60, "zh": 30}


@pytest.mark.parametrize(
    "options, expected",
    [
        ({"languages": {"zh": 1.0}}, {("zh", "female"): 20, ("zh", "male"): 20}),
        (
            {"languages": {"zh": 3.0, "en": 1.0}},
            {("zh", "female"): 15, ("zh", "male"): 15, ("en", "female"): 5, ("en", "male"): 5},
        ),
        ({"balance": "corpus"}, {("en", "female"): 27, ("en", "male"): 13}),
        ({"balance": "gender"}, {("en", "female"): 20, ("en", "male"): 20}),
    ],
)  # fmt: skip
def test_options_decide_the_shares(options: dict[str, Any], expected: dict[Any, int], tmp_path: Path) -> None:
    lopsided = [speaker(f"q{i}", "male" if i % 3 == 0 else "female") for i in range(30)]
    real = people() if "languages" in options else lopsided
    voices, _ = read_voices(blended(tmp_path, real, agents=0, **options))
    assert Counter((voice.language, voice.gender) for voice in voices) == expected


def test_rate_buckets_come_up_in_proportion_to_their_speakers(tmp_path: Path) -> None:
    real = [speaker(f"q{i:03d}", bucket=80 if i < 30 else 90) for i in range(40)]
    voices, _ = read_voices(blended(tmp_path, real, count=2000, agents=0, twin_limit=1.0))
    share = sum(voice.ms_per_character == 80 for voice in voices) / len(voices)
    assert 0.71 < share < 0.79  # 3/4 of the speakers; by pairs it would be 0.91


@pytest.mark.parametrize(
    "licenses, expected",
    [
        (("CC0-1.0", "CC0-1.0"), "CC0-1.0"),
        (("MIT", "CC0-1.0"), "CC0-1.0 AND MIT"),
        (("MIT", None), None),
    ],
)
def test_the_license_is_that_of_all_parents(
    licenses: tuple[str, str | None], expected: str | None, tmp_path: Path
) -> None:
    real = [speaker(f"q{i}", license=license) for i, license in enumerate(licenses)]
    voices, _ = read_voices(blended(tmp_path, real, count=1, agents=0))
    assert voices[0].license == expected


@pytest.mark.parametrize(
    "change, message",
    [
        ({"leak_limit": 0.0}, "--leak-limit 0"),
        ({"twin_limit": 1.5}, "--twin-limit 1.5"),
        ({"count": 0}, "--count"),
        ({"parents": 1}, "two parents"),
        ({"parents": 4}, "cannot add up"),
        ({"weights": (0.6, 0.7)}, "cannot add up"),
        ({"weights": (0.7, 0.3)}, "lowest <= highest"),
        ({"parents": 40, "weights": (0.01, 0.9)}, "none of the 60 speakers shares"),
        ({"languages": {"fr": 1.0}}, "no two speakers of 'fr' can be paired"),
        ({"languages": {"en": 0.0}}, "a share must be above 0"),
    ],
)
def test_options_that_cannot_be_met(change: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=message):
        blended(tmp_path, people(), **change)
    assert not (tmp_path / "out" / "voices.parquet").exists()


def test_a_bank_that_was_not_measured_needs_a_limit(tmp_path: Path) -> None:
    make_bank(tmp_path / "real", people(), limit=None)
    with pytest.raises(UserError, match="give --leak-limit"):
        blended(tmp_path, [])
    assert read_card(blended(tmp_path, [], leak_limit=0.9))["limits"] == {"leak": 0.9, "twin": 0.9}


def test_no_men_no_male_agent(tmp_path: Path) -> None:
    women = [speaker(f"q{i}") for i in range(9)]
    with pytest.raises(UserError, match=r"no male agent can be made: .* try --agents 0"):
        blended(tmp_path, women)
    assert len(read_voices(blended(tmp_path, women, agents=0))[0]) == 40


def test_a_finished_bank_is_not_written_over(tmp_path: Path) -> None:
    blended(tmp_path, people())
    with pytest.raises(UserError, match="out holds a voice bank already"):
        blended(tmp_path, people())


@pytest.mark.parametrize(
    "limits, cause",
    [({"twin_limit": 0.97}, "twin"), ({"leak_limit": 0.75}, "near_real")],
)
def test_a_bank_that_is_used_up_says_how_many_voices_it_gives(
    limits: dict[str, float], cause: str, tmp_path: Path
) -> None:
    with pytest.raises(
        UserError, match=rf"gives \d+ distinct voices at these limits.*{cause}.*median 0\.\d+"
    ) as caught:
        blended(tmp_path, people(12, ("en",)), count=5000, patience=300, **limits)
    assert not (tmp_path / "out" / "voices.parquet").exists()
    given = int(str(caught.value).split(" gives ")[1].split()[0].replace(",", ""))
    if given:
        assert len(read_voices(blended(tmp_path, [], count=given, patience=300, **limits))[0]) == given + 2


def test_parents_who_cancel_out_are_no_voice(tmp_path: Path) -> None:
    ends = [unit([1] + [0] * 7), unit([-1] + [1e-4] * 7)]
    real = [speaker(f"q{i}", xvector=vector, embedding=None) for i, vector in enumerate(ends)]
    with pytest.raises(UserError, match="cancelled"):
        blended(tmp_path, real, agents=0, weights=(0.49, 0.51), patience=50)


def test_a_bank_for_no_synthesizer(tmp_path: Path) -> None:
    make_bank(tmp_path / "real", people(embedding=None))
    result = blend(open_place(tmp_path / "real"), open_place(tmp_path / "out"), OPTIONS)
    assert not result.speakable
    assert read_voices(open_place(tmp_path / "out"))[0][0].embedding is None


@pytest.mark.parametrize(
    "speakers, message",
    [
        ([], "no speakers"),
        ([speaker("a"), speaker("a")], "twice"),
        ([speaker("a"), speaker("b", embedding=None)], "1 of 2 speakers have no synthesis embedding"),
    ],
)
def test_speakers_that_make_no_bank(speakers: list[Speaker], message: str) -> None:
    with pytest.raises(CorpusError, match=message):
        speaker_table_of(speakers)


def test_a_speaker_table_is_the_same_in_any_order() -> None:
    one, other = speaker_table_of(people()), speaker_table_of(people()[::-1])
    assert one.ids == other.ids and one.digest == other.digest
    assert (one.xvectors == other.xvectors).all() and (one.buckets == other.buckets).all()


def test_card_and_figures_account_for_every_draw(tmp_path: Path) -> None:
    out = blended(tmp_path, people(300), count=500, twin_limit=0.96, leak_limit=0.94)
    card, leak = read_card(out), json.loads((out / "leak.json").read_text())
    assert leak["drawn"] == leak["kept"] + sum(leak["dropped"].values())
    assert leak["dropped"]["near_real"] > 0 and leak["dropped"]["twin"] > 0
    assert leak["kept"] == 502 == card["counts"]["users"] + card["counts"]["agents"]
    assert sum(sum(genders.values()) for genders in card["counts"]["by_language"].values()) == 500
    assert leak["nearest_real"]["max"] < 0.94 and leak["nearest_earlier_voice"]["max"] < 0.99
    assert leak["own_parents"]["max"] <= leak["nearest_real"]["max"]
    assert card["parents"]["name"] == "real" and len(card["parents"]["digest"]) == 64
    assert str(tmp_path) not in json.dumps(card) + json.dumps(leak)
