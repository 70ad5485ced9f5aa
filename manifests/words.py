"""Cuts a text into the words that are counted, timed and cut at: one way for the whole project.

In languages with spaces a word is what stands between them; in the others it is a character, or a run of Latin letters
and digits. Punctuation belongs to the word before it, and at the start of a text to the first one. So the words of a
text, one behind the other, are the text.
"""

import re
from dataclasses import dataclass

from manifests.languages import is_unspaced

_SPACED = re.compile(r"\s*\S+")
# Apostrophes, periods and the like inside a run do not end it: "don't", "3.5".
_UNSPACED = re.compile(r"[0-9A-Za-z\u00c0-\u024f]+(?:['’.,:%-][0-9A-Za-z\u00c0-\u024f]+)*|\w|\W+")
_LETTER = re.compile(r"\w")


@dataclass(frozen=True, slots=True)
class WordSpan:
    """Says where a word is in its text: characters [start, end), with the blanks before it and its punctuation."""

    text: str
    start: int
    end: int


def words_of(text: str, language: str) -> tuple[WordSpan, ...]:
    """Return the words of the text in order; their `text` is without blanks around it. Empty if nothing is spoken."""
    found: list[tuple[int, int]] = []
    start = 0
    for match in (_UNSPACED if is_unspaced(language) else _SPACED).finditer(text):
        if _LETTER.search(match[0]):
            found.append((start, match.end()))
            start = match.end()
        elif found:
            found[-1] = (found[-1][0], match.end())
            start = match.end()
    if found:
        found[-1] = (found[-1][0], len(text))
    return tuple(WordSpan(text[first:last].strip(), first, last) for first, last in found)
