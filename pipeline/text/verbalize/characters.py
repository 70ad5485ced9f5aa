"""Which characters may be left in a spoken text.

English: ASCII letters, apostrophe, space and ``. , ? ! -``. Chinese: Han characters and ``。，？！、``; with
`allow_latin` also Latin words (ASCII letters, with space, apostrophe and hyphen between them), which a recipe allows
where its synthesizer and its recognizer both know English.
"""

import re

from pipeline.text.lengths import text_length
from pipeline.text.scripts import HAN

LANGUAGES = frozenset({"en", "zh"})

_UNSPEAKABLE = {
    ("en", False): re.compile(r"[^A-Za-z' .,?!-]"),
    ("zh", False): re.compile(f"[^{HAN}。，？！、]"),
    ("zh", True): re.compile(f"[^{HAN}。，？！、A-Za-z' -]"),
}


def unspeakable(text: str, language: str, *, allow_latin: bool = False) -> list[str]:
    """List the distinct characters of a verbalized text that nobody can say, in order of appearance.

    `allow_latin` matters for Chinese only. Raises ValueError for a language that is not in `LANGUAGES`.
    """
    pattern = _UNSPEAKABLE.get((language, allow_latin and language == "zh"))
    if pattern is None:
        raise ValueError(f"no spoken form is defined for language {language!r}")
    return list(dict.fromkeys(pattern.findall(text)))


def unsaid(text: str, language: str, *, allow_latin: bool = False) -> list[str]:
    """List the distinct words of a verbalized text that hold what `unspeakable` finds: the "03/04/2020" of a date.

    In Chinese a word is what stands between characters that can be said.
    """
    if not unspeakable(text, language, allow_latin=allow_latin):
        return []
    words = re.split(r"[,.?!]*(?:\s+|$)" if language == "en" else f"[{HAN}。，？！、\\s]+", text)
    return list(dict.fromkeys(word for word in words if unspeakable(word, language, allow_latin=allow_latin)))


def is_speakable(text: str, language: str, *, allow_latin: bool = False) -> bool:
    """Whether the text has at least one word and no character that cannot be said."""
    return not unspeakable(text, language, allow_latin=allow_latin) and text_length(text, language) > 0


def unsure(text: str) -> str:
    """Mark a part whose reading is not sure, so that it stays in the text and `unspeakable` finds it."""
    return f"⟨{text}⟩"
