"""Mends what a language model wrote in digits and signs, instead of asking it again.

Models write "in 1995" and "natural language processing (NLP)" whatever the prompt says, and write it again when they
are told. `verbalize` says what it is sure of; the rest is told to the model as before. A text with marks of a list, of
Markdown or of program code is left alone: its words would have to be put in another order. But sentences that are
merely numbered, "1. Plan it well. 2. Do it at once.", are said without their numbers, and the name of a function
without its empty brackets.
"""

import re

from pipeline.text.lengths import text_length
from pipeline.text.verbalize import LANGUAGES, unspeakable, verbalize

_LONGEST = 2000
"""In characters; a spoken text is far shorter, and a longer one is told to be too long anyway."""
_WRITTEN_ONLY = re.compile(
    r"[*_`|\\{}\[\]<>~^]|#|->|=>|://|\n"  # Markdown, code, addresses, lines
    r"|(?:^|[.:;,!?。，：；！？]\s*|\s)[(（]?\d{1,2}[.)）、](?!\d)\s*(?=[^\W\d_])"  # "1. Apples 2. Pears"
    r"|(?:^|[.:;!?。：；！？]\s*)[-•·–]\s"
)
_NUMBER = re.compile(r"(?:(?<=^)|(?<=[\s.:;,!?。，：；！？、]))[(（]?(\d{1,2})[.)）、](?!\d)\s*(?=[^\W\d_])")
_ITEM_END = re.compile(r"[.!?;,。！？；，]\s*$")
_ITEM = {"en": 3, "zh": 5}
"""Words (characters) of a numbered item from which on it can be said alone (our choice)."""
_CALL = re.compile(r"(?<=\w)\(\)")
_SHORT_FORM = re.compile(r"\s?[(（]([A-Z][A-Za-z]{0,7}?)s?[)）]")
_WORD = re.compile(r"[A-Za-z]+")
_IN_NAMES = frozenset("of the and for in a an on to".split())


def mended(text: str, language: str) -> str:
    """Return the text with its digits and signs in words, or unchanged if that cannot be done for sure."""
    if language not in LANGUAGES or len(text) > _LONGEST or not _odd(text, language):
        return text
    plain = _without_numbers(_CALL.sub("", text), language)
    if _WRITTEN_ONLY.search(plain):
        return text
    spoken = verbalize(_SHORT_FORM.sub(_without_short_form, plain), language)
    return text if not spoken or _odd(spoken, language) else spoken


def _without_numbers(text: str, language: str) -> str:
    """Return the text without the numbers 1, 2, ... before its sentences; unchanged unless each is one by itself."""
    marks = list(_NUMBER.finditer(text))
    if len(marks) < 2 or [int(mark[1]) for mark in marks] != list(range(1, len(marks) + 1)):
        return text
    starts = [mark.end() for mark in marks]
    items = [text[start:end] for start, end in zip(starts, [*(mark.start() for mark in marks[1:]), None], strict=True)]
    if any(text_length(item, language) < _ITEM[language] for item in items):
        return text
    if not all(_ITEM_END.search(item) for item in items[:-1]):
        return text
    return text[: marks[0].start()] + "".join(items)


def _odd(text: str, language: str) -> list[str]:
    return unspeakable(text, language, allow_latin=True)


def _without_short_form(match: re.Match[str]) -> str:
    """Drop a short form in brackets if it has the initials of the words before it, which have just been said."""
    words = [word for word in _WORD.findall(match.string[: match.start()]) if word not in _IN_NAMES]
    letters = match[1].upper()
    initials = "".join(word[0] for word in words[-len(letters) :]).upper()
    return "" if initials == letters else match[0]
