"""The golden tables: each written form is said as a person says it, and what could be said otherwise is refused."""

import pytest

from pipeline.text.verbalize import unspeakable, verbalize
from tests.pipeline.text.verbalize import chinese_rows, english_rows
from tests.tables import each_row

_SAID = [
    (language, written, spoken)
    for language, table in (("en", english_rows.SAID), ("zh", chinese_rows.SAID))
    for rows in table.values()
    for written, spoken in rows
]
_UNSURE = [("en", text) for text in english_rows.UNSURE] + [("zh", text) for text in chinese_rows.UNSURE]


@each_row(("language", "written", "spoken"), _SAID)
def test_each_form_is_said(language: str, written: str, spoken: str) -> None:
    assert verbalize(written, language) == spoken
    assert unspeakable(spoken, language, allow_latin=True) == []


@each_row(("language", "written", "spoken"), _SAID)
def test_a_form_is_said_the_same_in_a_sentence(language: str, written: str, spoken: str) -> None:
    """What stands around a form in quotes changes nothing but the capital and the marks at its ends."""
    before, after = ("He said, ", " And so on, he added.") if language == "en" else ("他说，", "，后来又说了。")
    if written[-1] in ".+" or (language == "zh" and written[-1] in "，"):
        return
    said = verbalize(f"{before}{written}.{after}" if language == "en" else f"{before}{written}{after}", language)
    assert said.lower().replace(",", "").startswith(f"{before}{spoken}".lower().replace(",", "").rstrip(" ."))


@each_row(("language", "text"), _UNSURE)
def test_what_is_unsure_is_refused(language: str, text: str) -> None:
    assert unspeakable(verbalize(text, language), language, allow_latin=True)


@each_row(("language", "text"), _UNSURE)
def test_what_is_unsure_is_refused_in_a_sentence(language: str, text: str) -> None:
    sentence = f"They told us that {text} was there." if language == "en" else f"他们说{text}。"
    assert unspeakable(verbalize(sentence, language), language, allow_latin=True)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("text", ["1" * 5000, "1 " * 1000, "1/2 " * 500, "3:20 " * 500, "a.b." * 500, '5" ' * 500])
def test_a_long_text_ends(language: str, text: str) -> None:
    assert isinstance(verbalize(text, language), str)
