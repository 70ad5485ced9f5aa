"""Text of any language: Unicode folding alone.

For languages without a module of their own. Numbers are *not* reconciled with their spoken forms here, which is why
this normalisation has a version name of its own: its rates are not comparable with those of a language module.
"""

import unicodedata
from functools import cache

VERSION = "unicode-1"

# Folding can expose new work (a removed joiner lets two characters compose), so it is repeated until it changes
# nothing; three rounds are the most that any assigned character needs.
_MAX_ROUNDS = 8


def normalize(text: str) -> str:
    """Compatibility forms, case, punctuation, symbols and control characters folded away; single spaces."""
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
    """The character itself, a space for what separates words, nothing for what has no sound or width."""
    category = unicodedata.category(character)
    if category[0] in "LMN":
        return character
    if category in ("Cf", "Cs", "Cn", "Co") or character in "'’":
        return ""
    return " "
