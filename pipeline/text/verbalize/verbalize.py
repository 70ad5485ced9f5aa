"""Verbalize a text: clean its characters, say what is written in numbers and signs, tidy."""

import re
import unicodedata
from collections.abc import Callable

from anyascii import anyascii

from pipeline.text.replacements import RuleTable, compile_rules
from pipeline.text.verbalize import chinese, english
from pipeline.text.verbalize.characters import LANGUAGES

_SAY: dict[str, Callable[[str], str]] = {"en": english.say, "zh": chinese.say}

_TYPOGRAPHY = str.maketrans(
    dict.fromkeys("’‘ʼ′", "'") | dict.fromkeys("“”″", '"') | {"…": "... ", "\u00a0": " ", "⁄": "/", "‑": "-", "•": " "}
)
_INVISIBLE = re.compile(r"[\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\ufe0e\ufe0f\u00ad]")
_FULL_WIDTH = re.compile(r"[０-９Ａ-Ｚａ-ｚ％＋－＝／＃＆＠．＜＞＄]")
_ACCENTED = re.compile("[\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u017f]")
_MARKS = RuleTable(
    compile_rules(
        (r"\s+", " "),
        (r"\s+(?=[.,?!])", ""),
        (r"[.,]*([?!])[.,?!]*", r"\1"),
        (r",*\.[.,]*", "."),
        (r",+", ","),
        (r"(?<=[.,?!])(?=[A-Za-z])", " "),
    )
)
_SENTENCE_START = re.compile(r"(^|[.?!] )([a-z])(?![a-z]*[A-Z])")
_BLANKS = re.compile(r"[^\S\n]+")


def verbalize(text: str, language: str) -> str:
    """Return the text as it is said: numbers, dates, units, money, abbreviations and symbols become words.

    Brackets, colons and dashes become pauses (commas); quotation marks are removed. English letters lose their accents
    ("café" becomes "cafe"); Latin words in Chinese text stay Latin. What cannot be said, and numbers and abbreviations
    that could be said in more than one way ("03/04/2020"), stay in the text as they are written, where `unspeakable`
    finds them: the spoken text is also what the recording is judged by, so a guess would go unnoticed. Raises
    ValueError for a language that is not in `LANGUAGES`.
    """
    if language not in LANGUAGES:
        raise ValueError(f"no spoken form is defined for language {language!r}")
    text = _SAY[language](_clean(text, language))
    return _tidy_chinese(text) if language == "zh" else _tidy_english(text)


def _clean(text: str, language: str) -> str:
    if not text.isascii():
        text = _INVISIBLE.sub("", unicodedata.normalize("NFC", text))
        text = _FULL_WIDTH.sub(lambda match: unicodedata.normalize("NFKC", match.group()), text)
    if language == "zh":
        return _ACCENTED.sub(lambda match: anyascii(match[0]), text)
    if not text.isascii():
        text = "".join(map(_plain_letter, text.translate(_TYPOGRAPHY)))
    return _BLANKS.sub(" ", text)


def _plain_letter(character: str) -> str:
    """Remove the accent of a Latin letter and write numbers in digits; leave other characters unchanged."""
    if character.isascii() or character in "²³":
        return character
    if unicodedata.name(character, "").startswith("LATIN"):
        return anyascii(character)
    if unicodedata.numeric(character, None) is not None and unicodedata.category(character) == "No":
        return _written_number(character)
    return character


def _written_number(character: str) -> str:
    """Write "½" as " 1/2", "⁵" as "^5", "₂" as "2", "①" as " 1 "."""
    plain = unicodedata.normalize("NFKC", character).replace("⁄", "/")
    how = unicodedata.decomposition(character).partition(" ")[0]
    return {"<super>": f"^{plain}", "<sub>": plain, "<fraction>": f" {plain}"}.get(how, f" {plain} ")


def _tidy_english(text: str) -> str:
    return _SENTENCE_START.sub(lambda match: match[1] + match[2].upper(), _MARKS.apply(text).strip(" ,-"))


def _tidy_chinese(text: str) -> str:
    text = re.sub(r"\s+", " ", text).strip()
    text = re.sub(r" ?([。，？！、]) ?", r"\1", text)
    text = re.sub(r"[。，、]*([？！])[。，？！、]*", r"\1", text)
    text = re.sub(r"[，、]*。[。，、]*", "。", text)
    text = re.sub(r"[，、]*，[，、]*", "，", text)
    text = re.sub(r"、+", "、", text)
    return text.strip("，、 ")
