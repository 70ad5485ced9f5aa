"""Written text to words that can be said: shared by all text engines.

`verbalize` turns numbers, units, symbols and abbreviations into words, `unspeakable` says what could still not be
said, and `count_units` measures a text the way the recipes do (words in English, characters in Chinese).
"""

from pipeline.verbalize.characters import LANGUAGES, count_units, is_speakable, unspeakable
from pipeline.verbalize.markup import strip_markup
from pipeline.verbalize.spoken import verbalize

__all__ = ["LANGUAGES", "count_units", "is_speakable", "strip_markup", "unspeakable", "verbalize"]
