"""Look up English words that are read without regard to their neighbors, as nearly all are."""

import re
from collections.abc import Iterable

from pipeline.scoring.english_contractions import expand
from pipeline.scoring.english_letters import ROMANS
from pipeline.scoring.english_number_words import NUMBER_WORDS
from pipeline.scoring.english_spelling import respell
from pipeline.scoring.english_words import FILLERS

# English has more words, but a text consists almost wholly of so common ones; the others are worked out again.
_MAX_CHUNKS = 1 << 17
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*|'[^\W_]+")
_HAS_DIGIT = re.compile("[0-9]")
# Words whose reading depends on the words beside them.
_READ_TOGETHER = NUMBER_WORDS.union(ROMANS, FILLERS, {"quarter"})


class _Plain(dict[str, str | None]):
    """A cache: chunk between spaces, punctuation included -> its words, or None if its neighbors decide."""

    def __missing__(self, chunk: str) -> str | None:
        if _HAS_DIGIT.search(chunk):
            return None
        if len(self) >= _MAX_CHUNKS:
            self.clear()
        self[chunk] = words = _words(chunk)
        return words


def has_letters(plain: Iterable[str | None]) -> bool:
    """Whether two of the letters that are words, a and i, stand side by side: "A. I." is one word."""
    text = f" {' '.join(filter(None, plain))} "
    return " a i " in text or " i a " in text or " a a " in text or " i i " in text


def _words(chunk: str) -> str | None:
    parts = _WORD.findall(chunk)
    words = expand(parts)
    is_read_together = (
        not parts
        or any(part.endswith("'d") for part in parts)  # "would" or "had", as the next word says
        or any(word in _READ_TOGETHER or (len(word) == 1 and word not in "ai") for word in words)
    )
    return None if is_read_together else " ".join(map(respell, words))


PLAIN = _Plain()
