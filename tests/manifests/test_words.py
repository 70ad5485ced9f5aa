"""Words are counted in one way, and give their text back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifests.words import words_of


@pytest.mark.parametrize(
    ("text", "language", "words"),
    [
        ("Well, that's it.", "en", ["Well,", "that's", "it."]),
        ("- So - what now ?", "en", ["- So -", "what", "now ?"]),
        ("你好，我有3.5个iPhone。", "zh", ["你", "好，", "我", "有", "3.5", "个", "iPhone。"]),
        ("«да» — нет", "ru", ["«да» —", "нет"]),
        ("…", "en", []),
        ("", "zh", []),
    ],
)
def test_words_have_their_punctuation(text, language, words):
    assert [word.text for word in words_of(text, language)] == words


@given(st.text(max_size=40), st.sampled_from(["en", "zh"]))
def test_the_words_are_the_text(text, language):
    words = words_of(text, language)
    if words:
        assert "".join(text[word.start : word.end] for word in words) == text
    assert all(word.text for word in words)
