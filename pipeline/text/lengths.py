"""How long a text is: words where words are spaced, characters where they are not."""

import re
import unicodedata
from functools import lru_cache

from pipeline.text.scripts import HAN

_COUNTED = {
    "en": re.compile(r"[^\W_]+(?:['’][^\W_]+)*"),
    "zh": re.compile(rf"[{HAN}]|[^\W_{HAN}]+(?:['’][^\W_{HAN}]+)*"),
}


@lru_cache(maxsize=64)
def text_length(text: str, language: str) -> int:
    """Return the length as the recipes count it.

    English counts words. Chinese counts characters, and each Latin word or number as one. A hyphenated word counts as
    its parts: that is how it is said, and how a recognizer writes it. Raises ValueError for other languages.
    """
    if language not in _COUNTED:
        raise ValueError(f"no length is defined for language {language!r}: the languages are {', '.join(_COUNTED)}")
    return len(_COUNTED[language].findall(unicodedata.normalize("NFC", text)))
