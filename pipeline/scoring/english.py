"""Normalize English for comparison: lower case, no punctuation, one spelling, numbers as digits.

The spoken and the written form of a number meet in its digits (see `english_numbers`).
"""

import re
import unicodedata
from functools import cache

from pipeline.scoring import english_phrases, english_written
from pipeline.scoring.english_case import lift_signs, read_capitals
from pipeline.scoring.english_contractions import expand
from pipeline.scoring.english_letters import join_letters, romans
from pipeline.scoring.english_numbers import digits_of
from pipeline.scoring.english_plain import PLAIN, has_letters
from pipeline.scoring.english_spelling import respell
from pipeline.scoring.english_words import FILLERS, HAS_BEFORE

VERSION = "english-6"

# Numbers can meet once the punctuation between them is gone, so they are read again until nothing changes. Only
# contrived texts need a second round, and only very contrived ones a third.
_MAX_ROUNDS = 6

# Words and punctuation, with digits apart from letters: "5km" is two tokens, "1990s" and "3rd" are one.
_TOKEN = re.compile(
    r"[^\W0-9_]+(?:'[^\W0-9_]+)*|[0-9]+(?:\.[0-9]+)+|[0-9]+(?:'?s|(?:st|nd|rd|th)s?)(?![^\W_])|[0-9]+"
    r"|'[^\W0-9_]+|[,.;:!?()\"]"
)
# How many words away from a number or letter a rule may look: "a dollar and 20 cents", "3 and a half million".
_WORDS_BEFORE, _WORDS_AFTER = 3, 4
# Word processors put these for plain marks. With them replaced, most texts are ASCII.
_TYPOGRAPHIC = (("’", "'"), ("‘", "'"), ("“", '"'), ("”", '"'), ("—", "-"), ("–", "-"), ("…", "..."))
_APOSTROPHES = str.maketrans(dict.fromkeys("’‘ʼ´`′", "'") | dict.fromkeys("‐‑‒–—―−", "-"))


def normalize(text: str) -> str:
    """Map English texts that sound the same to the same string of words, separated by single spaces."""
    text = english_written.rewrite(_fold(text))
    chunks = text.split()
    plain = [*map(PLAIN.__getitem__, chunks)]
    if has_letters(plain) or ("'s" in text and not HAS_BEFORE.isdisjoint(plain)):
        return _settled(_read(text))
    together = [at for at, words in enumerate(plain) if words is None]
    if not together:
        return " ".join(plain)  # type: ignore[arg-type]
    start, stop = max(together[0] - _WORDS_BEFORE, 0), together[-1] + 1 + _WORDS_AFTER
    middle = _settled(_read(" ".join(chunks[start:stop])))
    return " ".join(filter(None, [*plain[:start], middle, *plain[stop:]]))


def _settled(text: str) -> str:
    for _ in range(_MAX_ROUNDS):
        if not english_phrases.is_unsettled(text):
            break
        before, text = text, _read(english_written.rewrite(_fold(text)))
        if text == before:
            break
    return text


def _read(text: str) -> str:
    """Read the numbers, contractions, letters and fillers of text that is folded and rewritten."""
    words = expand(_TOKEN.findall(text))
    if not FILLERS.isdisjoint(words):
        words = [word for word in words if word not in FILLERS]
    words = join_letters(words)
    if not FILLERS.isdisjoint(words):
        words = [word for word in words if word not in FILLERS]
    merged = english_phrases.merge(digits_of(romans(words)))
    return " ".join(map(respell, english_phrases.drop_leading_zeros(merged)))


def _fold(text: str) -> str:
    if not text.isascii():
        for mark, plain in _TYPOGRAPHIC:
            text = text.replace(mark, plain)
    return read_capitals(text).lower() if text.isascii() else _fold_unicode(text)


def _fold_unicode(text: str) -> str:
    text = read_capitals(unicodedata.normalize("NFKC", lift_signs(text).translate(_APOSTROPHES))).casefold()
    text = unicodedata.normalize("NFKD", text).translate(_APOSTROPHES)
    return "".join(map(_fold_character, text))


@cache
def _fold_character(character: str) -> str:
    """Drop accents, joiners and unassigned characters; turn the digits of other scripts into ASCII."""
    if unicodedata.category(character) in ("Mn", "Cf", "Cs", "Co", "Cn"):
        return ""
    return str(unicodedata.decimal(character)) if character.isdecimal() else character
