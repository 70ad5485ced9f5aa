"""How long texts are."""

import pytest

from pipeline.text.lengths import text_length


@pytest.mark.parametrize(
    ("text", "language", "length"),
    [
        ("", "en", 0),
        ("...", "en", 0),
        ("one two  three", "en", 3),
        ("it's O'Neill's", "en", 2),
        ("well-known fact", "en", 3),
        ("room 101, please!", "en", 3),
        ("", "zh", 0),
        ("，。", "zh", 0),
        ("你好世界", "zh", 4),
        ("你好，世界。", "zh", 4),
        ("我爱Python语言", "zh", 5),
        ("2024年", "zh", 2),
        ("iPhone 12", "zh", 2),
    ],
)
def test_lengths_are_words_or_characters(text: str, language: str, length: int) -> None:
    assert text_length(text, language) == length


@pytest.mark.parametrize("language", ["fr", "", "EN"])
def test_a_language_without_a_length_is_an_error_of_the_caller(language: str) -> None:
    with pytest.raises(ValueError, match="no length is defined for language"):
        text_length("a", language)
