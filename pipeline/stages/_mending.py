"""Mends what a language model wrote in digits and signs, instead of asking it again.

Models write "in 1995" and "natural language processing (NLP)" whatever the prompt says, and write it again when they
are told. `verbalize` says what it is sure of; the rest is told to the model as before. A text with marks of a list, of
Markdown or of program code is left alone: its words would have to be put in another order.
"""

import re

from pipeline.text.verbalize import LANGUAGES, unspeakable, verbalize

_LONGEST = 2000
"""In characters; a spoken text is far shorter, and a longer one is told to be too long anyway."""
_WRITTEN_ONLY = re.compile(
    r"[*_`|\\{}\[\]<>~^]|#|->|=>|://|\n"  # Markdown, code, addresses, lines
    r"|(?:^|[.:;,!?。，：；！？]\s*|\s)[(（]?\d{1,2}[.)）、](?!\d)\s*(?=[^\W\d_])"  # "1. Apples 2. Pears"
    r"|(?:^|[.:;!?。：；！？]\s*)[-•·–]\s"
)
_SHORT_FORM = re.compile(r"\s?[(（]([A-Z][A-Za-z]{0,7}?)s?[)）]")
_WORD = re.compile(r"[A-Za-z]+")
_IN_NAMES = frozenset("of the and for in a an on to".split())


def mended(text: str, language: str) -> str:
    """Return the text with its digits and signs in words, or unchanged if that cannot be done for sure."""
    if language not in LANGUAGES or len(text) > _LONGEST or not _odd(text, language):
        return text
    if _WRITTEN_ONLY.search(text):
        return text
    spoken = verbalize(_SHORT_FORM.sub(_without_short_form, text), language)
    return text if not spoken or _odd(spoken, language) else spoken


def _odd(text: str, language: str) -> list[str]:
    return unspeakable(text, language, allow_latin=True)


def _without_short_form(match: re.Match[str]) -> str:
    """Drop a short form in brackets if it has the initials of the words before it, which have just been said."""
    words = [word for word in _WORD.findall(match.string[: match.start()]) if word not in _IN_NAMES]
    letters = match[1].upper()
    initials = "".join(word[0] for word in words[-len(letters) :]).upper()
    return "" if initials == letters else match[0]
