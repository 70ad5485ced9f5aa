"""Which characters may be left in a spoken text, and how long a text is.

English: ASCII letters, apostrophe, space and ``. , ? ! -``. Chinese: Han characters and ``。，？！、``; with
`allow_latin` also Latin words (ASCII letters, with space, apostrophe and hyphen between them), which a recipe allows
where its synthesizer and its recognizer both know English.
"""

import re
import unicodedata

LANGUAGES = frozenset({"en", "zh"})

# The ideographs of the blocks that have readings: the main block, extension A and the compatibility ideographs.
HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff〇"

_UNSPEAKABLE = {
    ("en", False): re.compile(r"[^A-Za-z' .,?!-]"),
    ("zh", False): re.compile(f"[^{HAN}。，？！、]"),
    ("zh", True): re.compile(f"[^{HAN}。，？！、A-Za-z' -]"),
}
_ENGLISH_UNIT = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_CHINESE_UNIT = re.compile(rf"[{HAN}]|[^\W_{HAN}]+(?:['’][^\W_{HAN}]+)*")


def unspeakable(text: str, language: str, *, allow_latin: bool = False) -> list[str]:
    """The distinct characters of a verbalised text that nobody can say, in order of appearance.

    `allow_latin` matters for Chinese only. Raises ValueError for a language that is not in `LANGUAGES`.
    """
    pattern = _UNSPEAKABLE.get((language, allow_latin and language == "zh"))
    if pattern is None:
        raise ValueError(f"no spoken form is defined for language {language!r}")
    return list(dict.fromkeys(pattern.findall(text)))


def is_speakable(text: str, language: str, *, allow_latin: bool = False) -> bool:
    """Whether the text has something to say and nothing that cannot be said."""
    return not unspeakable(text, language, allow_latin=allow_latin) and text_length(text, language) > 0


def text_length(text: str, language: str) -> int:
    """Length as the recipes count it: words in English; in Chinese characters, where a Latin word or number is one.

    A hyphenated word counts as its parts: that is how it is said, and how a recognizer writes it.
    """
    if language not in LANGUAGES:
        raise ValueError(f"no units are defined for language {language!r}")
    pattern = _CHINESE_UNIT if language == "zh" else _ENGLISH_UNIT
    return len(pattern.findall(unicodedata.normalize("NFC", text)))
