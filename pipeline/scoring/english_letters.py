"""Join letters that are said one by one, and read Roman numerals."""

import re

from pipeline.scoring.english_number_words import BREAKS, ordinal
from pipeline.scoring.english_words import BEFORE_ROMAN, BEFORE_V, BEFORE_X, MONARCHS, STARTING_WITH_A

# "a" stands before letters whose names begin with a consonant, "an" before these: "a PhD", "an FBI agent".
_VOWEL_NAMES = frozenset("aefhilmnorsx")
# In "a TVs" the s is a plural ending; "is", "as" and "us" are words.
_PLURAL_LETTER = re.compile("[b-df-hj-np-tv-z]s")
# Without single letters: "the part I like".
ROMANS = {
    tens + ones: 10 * ten + one
    for ten, tens in enumerate(("", "x", "xx", "xxx"))
    for one, ones in enumerate(("", "i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix"))
    if len(tens + ones) > 1
}
_HEADS = {"v": BEFORE_V, "x": BEFORE_X}
_VALUES = ROMANS | {"v": 5, "x": 10}


def join_letters(words: list[str]) -> list[str]:
    """Join a run of single letters whatever punctuation is between them: "g p s" and "GPS" are one word."""
    if len([word for word in words if len(word) == 1 and word.isalpha()]) < 2:
        return words
    result: list[str] = []
    run = ""
    for word in words:
        if word == "a" and len(run) == 1 and result and result[-1][-1].isdecimal():
            result.append(run)  # "2 l a day" has no word "la"
            run = word
        elif len(word) == 1 and word.isalpha():
            run += word
        elif not run:
            result.append(word)
        elif word not in BREAKS:
            is_plural = len(run) > 1 and _PLURAL_LETTER.fullmatch(word)
            result.extend(_letters(run + word) if is_plural else [*_letters(run), word])
            run = ""
    return result + _letters(run) if run else result


def _letters(run: str) -> list[str]:
    """Split off the article: "a p h d" is "a" and "phd", but "a t m" is one word."""
    is_article = len(run) > 2 and run[0] == "a" and run[1] not in _VOWEL_NAMES
    return ["a", run[1:]] if is_article and not run.startswith(STARTING_WITH_A) else [run]


def romans(words: list[str]) -> list[str]:
    """Read Roman numerals after headings and kings: "part ii" is "part 2", "henry v" is "henry the 5th"."""
    if _VALUES.keys().isdisjoint(words):
        return words
    result: list[str] = []
    before = ""
    for word in words:
        if word in _VALUES and before in _HEADS.get(word, BEFORE_ROMAN):
            value = _VALUES[word]
            result.extend(["the", ordinal(value)] if before in MONARCHS else [str(value)])
        else:
            result.append(word)
        if word not in BREAKS:
            before = word
    return result
