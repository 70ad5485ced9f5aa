"""Normalize text of any language by Unicode folding alone, for languages without a module of their own.

Numbers are *not* reconciled with their spoken forms here. That is why this normalizer has a version name of its own:
its rates are not comparable with those of a language module.
"""

import unicodedata
from functools import cache

VERSION = "unicode-1"

# Folding can leave more to fold (a removed joiner lets two characters compose), so it is repeated until nothing
# changes; no assigned character needs more than three rounds.
_MAX_ROUNDS = 8


def normalize(text: str) -> str:
    """Fold compatibility forms and case; drop punctuation, symbols and control characters; leave single spaces."""
    for _ in range(_MAX_ROUNDS):
        folded = _fold(text)
        if folded == text:
            break
        text = folded
    return text


def _fold(text: str) -> str:
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return " ".join("".join(map(_keep, text)).split())


@cache
def _keep(character: str) -> str:
    """Return the character, a space if it separates words, or nothing if it has neither sound nor width."""
    category = unicodedata.category(character)
    if category[0] in "LMN":
        return character
    if category in ("Cf", "Cs", "Cn", "Co") or character in "'’":
        return ""
    return " "
