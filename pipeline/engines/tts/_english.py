"""Prepares English text for engines that read plain ASCII letters only."""

import re
import unicodedata

from manifests.reasons import Reason
from pipeline.engines.contract import Failure
from pipeline.engines.tts._prosody import unspeakable

_TYPOGRAPHIC = str.maketrans(
    {"’": "'", "‘": "'", "ʼ": "'", "“": " ", "”": " ", '"': " ", "–": ", ", "—": ", ", "…": ".", "\u00a0": " "}
)
_FORBIDDEN = re.compile(r"[^A-Za-z0-9 .,;:?!'-]")
_LONGEST_WORD = 60


def plain_english(text: str) -> str | Failure:
    """Reduce a text to ASCII letters, digits, blanks and ``.,;:?!'-``.

    Typographic quotes and dashes become plain ones and accents are dropped (café is said as cafe). Any other character
    is a `Failure`, as are an empty text, a text over `MAX_CHARACTERS` and a word over 60 letters.
    """
    if failure := unspeakable(text):
        return failure
    decomposed = unicodedata.normalize("NFKD", text.translate(_TYPOGRAPHIC))
    plain = " ".join("".join(c for c in decomposed if not unicodedata.combining(c)).split())
    if found := _FORBIDDEN.search(plain):
        return Failure(
            Reason.SYNTHESIS_FAILED, f"the text holds character U+{ord(found[0]):04X}, which has no English sound"
        )
    if any(len(word) > _LONGEST_WORD for word in plain.split()):
        return Failure(Reason.SYNTHESIS_FAILED, f"a word has more than {_LONGEST_WORD} letters")
    return plain
