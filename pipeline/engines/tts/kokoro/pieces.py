"""Cuts long phoneme strings into pieces that the graph can take, where a sentence ends if possible."""

import re

LONGEST = 400
"""Tokens. The graph takes 510; Kokoro's authors say that it rushes beyond 400."""

_CUTS = (
    re.compile(r"(?<=[.!?…])[\"”)]*\s+"),
    re.compile(r"(?<=[,;:—])[\"”)]*\s+"),
    re.compile(r"\s+"),
)
"""Ends of sentences, of clauses, and of words."""


def cut(phonemes: str, longest: int = LONGEST) -> list[str]:
    """Cut a phoneme string (a token each character) into as few pieces as sentences allow, of at most `longest`.

    The pieces are filled evenly rather than one after the other: a short rest would be spoken in another manner.
    """
    if len(phonemes) <= longest:
        return [phonemes]
    count = -(-len(phonemes) // longest)
    target = -(-len(phonemes) // count)
    pieces: list[str] = []
    rest = phonemes
    while len(rest) > longest:
        at = _cut_near(rest, target, longest)
        pieces.append(rest[:at].strip())
        rest = rest[at:].strip()
    return [piece for piece in (*pieces, rest) if piece]


def _cut_near(phonemes: str, target: int, longest: int) -> int:
    """Return where to cut: the end of a sentence nearest to `target`, else of a clause, of a word, or anywhere."""
    for pattern in _CUTS:
        ends = [found.end() for found in pattern.finditer(phonemes, 0, longest + 1) if target // 2 <= found.end()]
        if ends := [end for end in ends if end <= longest]:
            return min(ends, key=lambda end: abs(end - target))
    return longest
