"""Which script a letter belongs to."""

import re
import unicodedata

import pytest

from pipeline.text.scripts import HAN, SCRIPTS, in_language, letters, runs, script_of
from tests.tables import each_row

LETTERS = {
    "latin": "aÀñſẞỹ",
    "han": "汉漢々豈𠮷",
    "kana": "あアーｶゝﾞ",
    "hangul": "한ㅎᄒ",
    "cyrillic": "яЁ",
    "arabic": "سـپ",
    "greek": "λΆ",
    "hebrew": "א",
    "thai": "กี",
    "burmese": "မ",
    "khmer": "ក",
}


@pytest.mark.parametrize(("script", "characters"), LETTERS.items())
def test_letters_belong_to_their_own_script_only(script: str, characters: str) -> None:
    for character in characters:
        assert script_of(character) == script
        assert [name for name in SCRIPTS if letters(name).match(character)] == [script]


@pytest.mark.parametrize("character", [*"1๓०。、.-×÷Ａ☃", "\u0301", "\u0308", "ᠠ"])
def test_digits_marks_and_other_scripts_have_no_script(character: str) -> None:
    assert script_of(character) is None


def test_runs_are_the_longest() -> None:
    assert runs("latin").findall("Größe, 3 cafés 你好 x") == ["Größe", "cafés", "x"]


def test_spoken_han_is_part_of_han_but_for_the_zero() -> None:
    spoken = [chr(code) for code in range(0x110000) if re.match(f"[{HAN}]", chr(code))]
    assigned = [character for character in spoken if unicodedata.category(character) == "Lo"]
    assert len(assigned) > 27_000
    assert all(letters("han").match(character) for character in assigned)
    assert [character for character in spoken if unicodedata.category(character) not in ("Lo", "Cn")] == ["〇"]


@each_row(
    ("language", "text", "right"),
    [
        ("en", "What is tea?", True),
        ("en", "Where is the café Müller?", True),
        ("en", "", True),
        ("en", "1 + 1 = 2?", True),
        ("en", "茶是什么？", False),
        ("en", "What does 茶 mean?", False),
        ("en", "What does カ mean?", False),
        ("en", "What does 한 mean?", False),
        ("en", "Что такое чай?", False),
        ("en", "ab вг", False),
        ("en", "abc вг", True),
        ("zh", "茶是什么？", True),
        ("zh", "", True),
        ("zh", "123", True),
        ("zh", "What is tea?", False),
        ("zh", "怎么安装Microsoft Office？", True),
        ("zh", "用Photoshop", True),
        ("zh", "用Adobe Photoshop", False),
        ("zh", "これは本です", False),
        ("zh", "차는 무엇입니까", False),
        ("zh", "日本語の「の」怎么念", True),
        ("fr", "茶是什么？", True),
    ],
)
def test_the_script_tells_the_language(language: str, text: str, right: bool) -> None:
    assert in_language(text, language) is right
