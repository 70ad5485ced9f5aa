"""Which characters may be left in a spoken text."""

import pytest

from pipeline.text.verbalize import is_speakable, unsaid, unspeakable
from tests.tables import each_row


@each_row(
    ("text", "language", "odd"),
    [
        ("Well, it's a five-year plan. Really? Yes!", "en", []),
        ("It costs 5 dollars", "en", ["5"]),
        ("a/b & c", "en", ["/", "&"]),
        ('"no": (never); [ever]', "en", ['"', ":", "(", ")", ";", "[", "]"]),
        ("café", "en", ["é"]),
        ("line\nbreak", "en", ["\n"]),
        ("smile 😀😀", "en", ["😀"]),
        ("你好，世界。真的？真的！一、二", "zh", []),
        ("我有3个", "zh", ["3"]),
        ("他说：好；不", "zh", ["：", "；"]),
        ("《书》“引”", "zh", ["《", "》", "“", "”"]),
        ("人工智能AI", "zh", ["A", "I"]),
        ("half. width, marks", "zh", ["h", "a", "l", "f", ".", " ", "w", "i", "d", "t", ",", "m", "r", "k", "s"]),
    ],
)
def test_odd_characters_are_listed_once_in_order(text: str, language: str, odd: list[str]) -> None:
    assert unspeakable(text, language) == odd


@each_row(
    ("text", "language", "odd"),
    [
        ("It was on 03/04/2020, or 1,50?", "en", ["03/04/2020", "1,50"]),
        ("We met on Elm ⟨St.⟩ Boston", "en", ["⟨St.⟩"]),
        ("All is said.", "en", []),
        ("在图3-4里，图3-4。98年", "zh", ["3-4", "98"]),
        ("人工智能AI", "zh", ["AI"]),
    ],
)
def test_words_that_hold_odd_characters_are_listed_whole(text: str, language: str, odd: list[str]) -> None:
    assert unsaid(text, language) == odd


def test_latin_words_in_chinese_are_allowed_where_the_recipe_says_so() -> None:
    assert unspeakable("我用Python和it's well-known", "zh", allow_latin=True) == []
    assert unspeakable("我用Python3", "zh", allow_latin=True) == ["3"]
    assert unspeakable("汉字", "en", allow_latin=True) == ["汉", "字"]


@each_row(
    ("text", "language", "speakable"),
    [
        ("Hello.", "en", True),
        ("", "en", False),
        ("?!", "en", False),
        ("'-'", "en", False),
        ("Hello 2.", "en", False),
        ("你好。", "zh", True),
        ("。", "zh", False),
        ("", "zh", False),
        ("你好:", "zh", False),
        ("OK", "zh", False),
    ],
)
def test_speakable_needs_something_to_say(text: str, language: str, speakable: bool) -> None:
    assert is_speakable(text, language) is speakable


@pytest.mark.parametrize("language", ["fr", "", "EN"])
def test_an_unknown_language_is_an_error_of_the_caller(language: str) -> None:
    with pytest.raises(ValueError, match="language"):
        unspeakable("a", language)
