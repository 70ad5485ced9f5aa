"""What the bank `kokoro`, which ships, promises: enough voices of each language and gender, each heard, nobody's."""

import json
from collections import Counter

from voicebank.bank import load_bank, load_card
from voicebank.voice import GENDERS

LEAST = 60
CARD = load_card("kokoro")
VOICES = load_bank("kokoro").voices
USERS = Counter((voice.language, voice.gender) for voice in VOICES if not voice.agent)


def test_there_are_enough_of_each_language_and_gender() -> None:
    assert USERS.keys() == {(language, gender) for language in ("en", "zh") for gender in GENDERS}
    assert min(USERS.values()) >= LEAST
    counted = {(language, gender): CARD["counts"][language][gender] for language, gender in USERS}
    assert counted == USERS


def test_each_was_heard_and_is_nobody() -> None:
    assert CARD["measured"].keys() == {voice.voice_id for voice in VOICES}
    assert max(one["nearest_real"][1] for one in CARD["measured"].values()) < CARD["limits"]["leak"]


def test_each_is_an_average_of_several_and_no_two_are_one() -> None:
    assert all(len(set(voice.parents)) == len(voice.parents) >= 3 for voice in VOICES)
    assert all(max(voice.weights) <= 0.5 for voice in VOICES)
    made = [json.dumps([voice.language, voice.parents, voice.weights]) for voice in VOICES]
    assert len(set(made)) == len(made)
