"""Paths of this machine stay out of what travels."""

import pytest

from manifests.private_paths import is_private, public_text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("cannot open '/home/me/models/big/llm.pt'", "cannot open 'llm.pt'"),
        ("error:/home/me/x.bin, then (/tmp/y)", "error:x.bin, then (y)"),
        ("~/data/voices is gone", "voices is gone"),
        ("see file:///home/me/a.wav", "see a.wav"),
        ("/srv/corpus/", "corpus"),
        ("two\nlines  and\ttabs", "two lines and tabs"),
    ],
)
def test_of_a_path_only_the_last_part_stays(text: str, shown: str) -> None:
    assert public_text(text) == shown


@pytest.mark.parametrize(
    "text", ["and/or", "iic/CosyVoice2 at main", "https://host:8000/v1/models", "the tag </think>", "3 / 4", "en/zh"]
)
def test_what_is_not_a_path_stays(text: str) -> None:
    assert public_text(text) == text


def test_known_names_are_replaced_and_long_lines_are_cut_off() -> None:
    names = {"/data/me/bank/": "", "my secret model": "model"}
    assert public_text("/data/me/bank/clips/1.wav of my secret model", names) == "clips/1.wav of model"
    assert public_text("a" * 50, limit=10) == "a" * 10


@pytest.mark.parametrize(
    ("text", "private"),
    [
        ("/home/me/corpus", True),
        ("from ~/data", True),
        (r"C:\data", True),
        ("file:/data", True),
        ("https://me:word@host/x", True),
        ("https://host/x", False),
        ("aishell3/train", False),
        ("a / b", False),
    ],
)
def test_private_places_are_recognized(text: str, private: bool) -> None:
    assert is_private(text) is private
