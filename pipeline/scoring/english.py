"""English text as it is compared: lower case, no punctuation, one spelling, numbers as digits.

A number's spoken and written forms meet in its digits (see `english_numbers`).
"""

import re
import unicodedata
from functools import cache

from pipeline.scoring import english_phrases, english_written
from pipeline.scoring.english_numbers import BREAK, COMMA, NUMBER_WORDS, digits_of
from pipeline.scoring.english_words import (
    CONTRACTED_ENDINGS,
    CONTRACTIONS,
    FILLERS,
    HAD_BEFORE,
    HAS_BEFORE,
    STEMS_OF_IS,
    respell,
)

VERSION = "english-1"

# Numbers that were apart can meet once the punctuation between them is gone, so they are read again until nothing
# changes: the second round for nearly every text, the third for crafted ones.
_MAX_ROUNDS = 6

# "shouldn't've" has two; a word with many is no contraction.
_MAX_APOSTROPHES = 3


_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*|'[^\W_]+")
_TOKEN = re.compile(r"[0-9]+(?:\.[0-9]+)+|[^\W_]+(?:'[^\W_]+)*|'[^\W_]+|[,.;:!?()\"]")
_PUNCTUATION = frozenset(',.;:!?()"')
_HAS_DIGIT = re.compile(r"[0-9]")
_UNSETTLED = re.compile(r"[0-9]|\bper cent\b|\bdouble\b|\btriple\b")
_APOSTROPHES = str.maketrans(dict.fromkeys("’‘ʼ´`′", "'") | dict.fromkeys("‐‑‒–—―−", "-"))
_INITIALS = re.compile(r"\b(?:[a-z]\.){2,}(?![a-z0-9])")
_WORLD_WAR = re.compile(r"\b(world war) (i{1,3})\b")
_JOINED = re.compile(r"\b(?:e-mail|wi-fi|co-op|on-line)|\bper[\W_]+cent\b")


def normalize(text: str) -> str:
    """Two English texts that sound the same give the same string of words, separated by single spaces."""
    normalized = _normalize(text)
    for _ in range(_MAX_ROUNDS):
        if not _UNSETTLED.search(normalized):
            break
        text, normalized = normalized, _normalize(normalized)
        if normalized == text:
            break
    return normalized


def _normalize(text: str) -> str:
    text = _fold(text)
    text = _INITIALS.sub(lambda found: found[0].replace(".", "") + " ", text)
    text = _JOINED.sub(lambda found: "percent" if found[0][0] == "p" else found[0].replace("-", ""), text)
    text = _WORLD_WAR.sub(lambda found: f"{found[1]} {len(found[2])}", text)
    if english_written.is_needed(text):
        text = english_written.rewrite(text)
    words = _WORD.findall(text)
    if _HAS_DIGIT.search(text) or not NUMBER_WORDS.isdisjoint(words):
        words = english_phrases.merge(digits_of(_spell_out(_TOKEN.findall(text))))
    else:
        words = _spell_out(words)
    return " ".join(map(respell, words))


def _fold(text: str) -> str:
    if text.isascii():
        return text.lower()
    text = english_written.separate_vulgar_fractions(text).translate(_APOSTROPHES)
    text = unicodedata.normalize("NFKC", text).casefold()
    text = unicodedata.normalize("NFKD", text).translate(_APOSTROPHES)
    return "".join(map(_fold_character, text))


@cache
def _fold_character(character: str) -> str:
    """Accents, joiners and unassigned characters vanish; the digits of other scripts become ours."""
    if unicodedata.category(character) in ("Mn", "Cf", "Cs", "Co", "Cn"):
        return ""
    return str(unicodedata.decimal(character)) if character.isdecimal() else character


def _spell_out(words: list[str]) -> list[str]:
    """Contractions in full, spelled letters joined, fillers dropped."""
    if any("'" in word for word in words):
        words = [part for at, word in enumerate(words) for part in _contraction(words, at)]
    words = _join_letters([_mark(word) for word in words if word not in FILLERS])
    return [word for word in words if word not in FILLERS]


def _mark(word: str) -> str:
    return BREAK if word in _PUNCTUATION and word != COMMA else word


def _contraction(words: list[str], at: int) -> list[str]:
    """The words that one word with an apostrophe stands for. A possessive merely loses its apostrophe."""
    word = words[at]
    if "'" not in word or word.count("'") > _MAX_APOSTROPHES:
        return [word.replace("'", "")]
    if word in CONTRACTIONS:
        return CONTRACTIONS[word].split()
    following = words[at + 1] if at + 1 < len(words) else ""
    stem, _, ending = word.rpartition("'")
    if ending == "s" and stem in STEMS_OF_IS:
        return [stem, "has" if following in HAS_BEFORE else "is"]
    if ending == "t" and stem.endswith("n"):
        verb = stem[:-1].replace("'", "")
        return [verb, "not"] if verb else ["not"]
    if stem and ending in CONTRACTED_ENDINGS:
        verb = "had" if ending == "d" and following in HAD_BEFORE else CONTRACTED_ENDINGS[ending]
        return [*_contraction([stem], 0), verb]
    return [word.replace("'", "")]


def _join_letters(words: list[str]) -> list[str]:
    """ "g p s" and "GPS" are one word: a run of single letters is joined, whatever punctuation is between."""
    result: list[str] = []
    is_run = False
    for word in words:
        is_letter = len(word) == 1 and word.isalpha()
        if is_letter and is_run:
            result[-1] += word
        elif word not in (BREAK, COMMA) or not is_run:
            result.append(word)
        is_run = is_letter or (is_run and word in (BREAK, COMMA))
    return result
