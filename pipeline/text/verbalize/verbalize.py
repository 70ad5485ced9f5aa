"""Verbalize a text: clean its characters, correct, normalize sentence by sentence, tidy."""

import re
import unicodedata
from itertools import groupby

from anyascii import anyascii

from pipeline.text.replacements import apply_rules
from pipeline.text.scripts import HAN
from pipeline.text.sentences import split_for_normalizer
from pipeline.text.verbalize import chinese, english
from pipeline.text.verbalize.characters import LANGUAGES
from pipeline.text.verbalize.normalizer import normalize_sentence

_TABLES = {"en": (english.BEFORE, english.AFTER), "zh": (chinese.BEFORE, chinese.AFTER)}

_TYPOGRAPHY = str.maketrans(
    dict.fromkeys("’‘ʼ′", "'") | dict.fromkeys("“”", '"') | {"…": "... ", "\u00a0": " ", "⁄": "/", "‑": "-", "•": " "}
)
_SUPERSCRIPTS = str.maketrans({"²": " squared", "³": " cubed"})
_CHINESE_SUPERSCRIPTS = str.maketrans({"²": "平方", "³": "立方"})
_INVISIBLE = re.compile(r"[\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\ufe0e\ufe0f\u00ad]")
_FULL_WIDTH = re.compile(r"[０-９Ａ-Ｚａ-ｚ％＋－＝／＃＆＠．]")

# A sentence goes to the normalizer if it matches. Most sentences of a dialogue do not, and are left alone.
_NEEDS_NORMALIZER = {
    "en": re.compile(r"[0-9$€£¥%°@#+=<>^]|[a-z]\.[a-z]|\b(?:Dr|Mr|Mt|Inc|Ltd|Co)\.|\b(?:[A-Z]\.){2,}|\bWar\b"),
    "zh": re.compile(r"[0-9$€£¥￥%°℃℉+=<>]"),
}
# In a text without a match the tables and the normalizer change nothing; that is half of all sentences.
_SPECIAL = {
    "en": re.compile(
        r"[^A-Za-z ,.?!'-]|--|(?<![A-Za-z])[-']|[-'](?![A-Za-z])|[A-Za-z]\.[A-Za-z]|\b[A-Z]\.|\b[IVX]{2,}\b|\bWar\b"
        r"|\b(?:[Vv]s?|[Ee]tc|[Nn]os?|[Aa]pprox|Prof|Mrs|Ms|Mr|Dr|Mt|St|Jr|Sr|Inc|Ltd|Co|cm)\b|Misses|hundreds"
        r"|january|february|april|june|july|august|september|october|november|december|of march|of may"
    ),
    "zh": re.compile(f"[^{HAN}。，？！、]"),
}
# wetext needs the neighbors of a number to read it ("June 18, 1815", "5 square miles"). A whole long sentence would
# cost 5 ms.
_WORDS_BEFORE = 1
_WORDS_AFTER = 1
# In characters: wetext takes seconds for more. A longer part is not normalized and so stays unspeakable.
_LONGEST_PART = 300


def verbalize(text: str, language: str) -> str:
    """Return the text as it is said: numbers, dates, units, money, abbreviations and symbols become words.

    Brackets, colons and dashes become pauses (commas); quotation marks are removed. English letters lose their accents
    ("café" becomes "cafe"); Latin words in Chinese text stay Latin. Characters that cannot be said stay in the text,
    where `unspeakable` finds them. Raises ValueError for a language that is not in `LANGUAGES`.
    """
    if language not in LANGUAGES:
        raise ValueError(f"no spoken form is defined for language {language!r}")
    text = _clean(text, language)
    if _SPECIAL[language].search(text):
        text = _put_into_words(text, language)
    return _tidy_chinese(text) if language == "zh" else _tidy_english(text)


def _put_into_words(text: str, language: str) -> str:
    before, after = _TABLES[language]
    text = apply_rules(before, text)
    text = "".join(_normalize(sentence, language) for sentence in split_for_normalizer(text, language))
    return apply_rules(after, text)


def _clean(text: str, language: str) -> str:
    if text.isascii() and language == "en":
        return text
    text = _INVISIBLE.sub("", unicodedata.normalize("NFC", text))
    text = _FULL_WIDTH.sub(lambda match: unicodedata.normalize("NFKC", match.group()), text)
    if language == "zh":
        return text.translate(_CHINESE_SUPERSCRIPTS)
    text = text.translate(_SUPERSCRIPTS).translate(_TYPOGRAPHY)
    return text if text.isascii() else "".join(map(_plain_letter, text))


def _plain_letter(character: str) -> str:
    """Remove the accent of a Latin letter and write a vulgar fraction as "1/2"; leave other characters unchanged."""
    if character.isascii():
        return character
    if unicodedata.name(character, "").startswith("LATIN"):
        return anyascii(character)
    if unicodedata.numeric(character, None) is not None and unicodedata.category(character) == "No":
        return " " + unicodedata.normalize("NFKC", character).replace("⁄", "/")
    return character


def _normalize(sentence: str, language: str) -> str:
    """Put the numbers and signs of a sentence into words; in English, normalize only them and their neighbors."""
    needs = _NEEDS_NORMALIZER[language]
    if not needs.search(sentence):
        return sentence
    if language == "zh":
        return _normalize_part(sentence, language)
    words = sentence.split()
    near = [False] * len(words)
    for i, word in enumerate(words):
        if needs.search(word):
            first, last = max(0, i - _WORDS_BEFORE), min(len(words), i + _WORDS_AFTER + 1)
            near[first:last] = [True] * (last - first)
    groups = groupby(zip(near, words, strict=True), key=lambda pair: pair[0])
    parts = [(is_near, " ".join(word for _, word in group)) for is_near, group in groups]
    return " " + " ".join(_normalize_part(part, language) if is_near else part for is_near, part in parts)


def _normalize_part(text: str, language: str) -> str:
    # wetext drops blanks around the text, fails on double blanks and escapes double quotes.
    core = " ".join(text.replace('"', "").split())
    return normalize_sentence(core, language) if 0 < len(core) <= _LONGEST_PART else text


def _tidy_english(text: str) -> str:
    text = re.sub(r"\s+", " ", text)
    text = re.sub(r"\s+(?=[.,?!])", "", text)
    text = re.sub(r"[.,]*([?!])[.,?!]*", r"\1", text)
    text = re.sub(r",*\.[.,]*", ".", text)
    text = re.sub(r",+", ",", text)
    text = re.sub(r"(?<=[.,?!])(?=[A-Za-z])", " ", text)
    text = text.strip(" ,-")
    return re.sub(r"(^|[.?!] )([a-z])(?![a-z]*[A-Z])", lambda match: match[1] + match[2].upper(), text)


def _tidy_chinese(text: str) -> str:
    text = re.sub(r"\s+", " ", text).strip()
    text = re.sub(r" ?([。，？！、]) ?", r"\1", text)
    text = re.sub(r"[。，、]*([？！])[。，？！、]*", r"\1", text)
    text = re.sub(r"[，、]*。[。，、]*", "。", text)
    text = re.sub(r"[，、]*，[，、]*", "，", text)
    text = re.sub(r"、+", "、", text)
    return text.strip("，、 ")
