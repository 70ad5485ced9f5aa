"""Speaking rate, by which voices are put into buckets: the time that a character (or letter) takes, in steps of 10 ms.

Ke-SpeechChat averages only voices of one bucket: mean time per character, rounded to the nearest 10 ms. Pauses must
not count, so the time is measured on speech alone.
"""

import math
import unicodedata
from decimal import ROUND_HALF_UP, Decimal

from manifests.languages import is_unspaced

GRID_MS = 10

# In an unspaced script a character is about a syllable (Thai, Lao, Khmer and Burmese letters are less, but are
# counted alike for every speaker).
_FIRST_EAST_ASIAN = "\u2e80"
# Thai, Lao and Tibetan; Burmese; Khmer.
_OTHER_UNSPACED = ("\u0e00", "\u0fff"), ("\u1000", "\u109f"), ("\u1780", "\u17ff")
# Said like any other character, but not a letter in Unicode.
_ZERO = "〇"


def count_characters(text: str | None, language: str) -> int:
    """Count the characters of an unspaced script, or the letters of a spaced one; 0 where there is no text.

    Digits, punctuation, symbols and spaces do not count, nor do Latin words in a text of an unspaced script: nobody
    knows how they were said. A text full of them gives too slow a rate.
    """
    letters = filter(_is_letter, unicodedata.normalize("NFKC", text or ""))
    if is_unspaced(language):
        return sum(map(_is_unspaced, letters))
    return sum(1 for _ in letters)


def ms_bucket(seconds_per_character: float) -> int:
    """Milliseconds per character in steps of 10 ms, halves rounded up.

    Computed in decimal, as the number is written: in binary, 0.145 s lies just below its half. Raises ValueError where
    the time is not a finite number above zero.
    """
    if not math.isfinite(seconds_per_character) or seconds_per_character <= 0:
        raise ValueError(f"a character takes time above zero, not {seconds_per_character} s")
    steps = Decimal(repr(float(seconds_per_character))) * 1000 / GRID_MS
    return int(steps.to_integral_value(ROUND_HALF_UP)) * GRID_MS


def _is_letter(character: str) -> bool:
    return unicodedata.category(character).startswith("L") or character == _ZERO


def _is_unspaced(character: str) -> bool:
    return character >= _FIRST_EAST_ASIAN or any(first <= character <= last for first, last in _OTHER_UNSPACED)
