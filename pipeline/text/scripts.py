"""Tell which script a letter belongs to, by Unicode's own tables: `regex` has them, the standard library does not."""

import re
from collections.abc import Iterable
from functools import cache
from typing import Any

import regex

HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff〇"
"""Han characters that are read aloud, as part of a character set of `re` or `regex`: the main block, extension A and
the compatibility ideographs, whose bounds never change, and the zero.

This is narrower than `letters("han")`, which has the repetition mark 々 and the rare characters from extension B on
as well.
"""

# Unicode gives some letters that several scripts share (the prolonged sound mark ー, the Arabic tatweel and vowel
# marks) to no single one; only the script extensions (`scx`) name their scripts. For the other scripts the extensions
# would add what is not theirs, such as the diaeresis to Hebrew. Full-width Latin letters are left out: they are
# typography of Chinese and Japanese, and ＡＢＣ公司 is not English for them.
_SETS = {
    "latin": r"[\p{sc=Latin}--\p{Block=Halfwidth_and_Fullwidth_Forms}]",
    "han": r"\p{sc=Han}",
    "kana": r"[\p{scx=Hiragana}\p{scx=Katakana}]",
    "hangul": r"\p{sc=Hangul}",
    "cyrillic": r"\p{sc=Cyrillic}",
    "arabic": r"\p{scx=Arabic}",
    "greek": r"\p{sc=Greek}",
    "hebrew": r"\p{sc=Hebrew}",
    "devanagari": r"\p{sc=Devanagari}",
    "bengali": r"\p{sc=Bengali}",
    "gurmukhi": r"\p{sc=Gurmukhi}",
    "gujarati": r"\p{sc=Gujarati}",
    "tamil": r"\p{sc=Tamil}",
    "telugu": r"\p{sc=Telugu}",
    "kannada": r"\p{sc=Kannada}",
    "malayalam": r"\p{sc=Malayalam}",
    "sinhala": r"\p{sc=Sinhala}",
    "thai": r"\p{sc=Thai}",
    "lao": r"\p{sc=Lao}",
    "burmese": r"\p{sc=Myanmar}",
    "georgian": r"\p{sc=Georgian}",
    "ethiopic": r"\p{sc=Ethiopic}",
    "khmer": r"\p{sc=Khmer}",
    "armenian": r"\p{sc=Armenian}",
}
# Letters and the marks written on them; a script's digits and punctuation do not tell its language.
_LETTERS = {script: rf"[{named}&&[\p{{L}}\p{{M}}]]" for script, named in _SETS.items()}

SCRIPTS = tuple(_SETS)
"""The names of the scripts that are told apart."""

_HAN = re.compile(f"[{HAN}]")
_WORD = re.compile(r"[^\W\d_]+")
_LETTER = re.compile(r"[^\W\d_]")


@cache
def letters(*scripts: str) -> Any:
    """Return a compiled pattern of `regex` that matches one letter of any of the scripts (names of `SCRIPTS`)."""
    return regex.compile(f"[{_union(scripts)}]", regex.V1)


@cache
def runs(script: str) -> Any:
    """Return a compiled pattern of `regex` that matches the longest run of letters of the script."""
    return regex.compile(f"[{_union([script])}]+", regex.V1)


@cache
def script_of(character: str) -> str | None:
    """Return the script of one letter, or None for anything else and for letters of scripts not in `SCRIPTS`."""
    return next((script for script in SCRIPTS if letters(script).match(character)), None)


def in_language(text: str, language: str) -> bool:
    """Tell whether the text is in the script of the language; `foreign_language` tells languages of a script apart.

    zh: at least half is Han, where a word in another script counts as much as one character (so that a product's name
    does not outweigh the sentence around it). en: no Han, kana or Hangul, and most letters are Latin. Other languages,
    and texts without letters, are not judged.
    """
    kana_or_hangul = letters("kana", "hangul")
    if language == "zh":
        han, other = len(_HAN.findall(text)), len(kana_or_hangul.findall(text))
        # Scripts without spaces between words are measured by character, all others by run of letters.
        words = len(_WORD.findall(kana_or_hangul.sub(" ", _HAN.sub(" ", text))))
        return han >= other + words
    if language == "en":
        latin, total = len(letters("latin").findall(text)), len(_LETTER.findall(text))
        has_east_asian = _HAN.search(text) or kana_or_hangul.search(text)
        return not has_east_asian and (total == 0 or 2 * latin > total)
    return True


def _union(scripts: Iterable[str]) -> str:
    return "".join(_LETTERS[script] for script in scripts)
