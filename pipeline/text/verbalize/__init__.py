"""Written text to words that can be said: shared by all text engines.

`verbalize` turns numbers, units, symbols and abbreviations into words, `unspeakable` says what could still not be
said, and `text_length` measures a text the way the recipes do (words in English, characters in Chinese).
"""

from pipeline.text.lengths import text_length
from pipeline.text.verbalize.characters import LANGUAGES, is_speakable, unspeakable
from pipeline.text.verbalize.markup import strip_markup
from pipeline.text.verbalize.verbalize import verbalize

__all__ = ["LANGUAGES", "is_speakable", "strip_markup", "text_length", "unspeakable", "verbalize"]
