"""How much of an untrusted text the rules look at: some of their patterns take time in the square of its length."""

import re

# Twenty times the longest question, and six times the longest answer, that can come out.
MAX_CHARACTERS = 4000

# No word and no number that is said aloud is as long as this.
_ENDLESS = re.compile(r"[A-Za-z0-9]{60}")


def is_endless(text: str) -> bool:
    """Whether the text has a run of letters or digits that nobody can say."""
    return _ENDLESS.search(text) is not None


def beginning(text: str) -> str:
    """The part of the text that the patterns are tried on."""
    return text[:MAX_CHARACTERS]
