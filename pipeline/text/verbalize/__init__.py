"""Turn written text into words that can be said; all text engines share this.

`verbalize` turns numbers, units, symbols and abbreviations into words, `unspeakable` lists the characters that still
cannot be said, `unsaid` the words that hold them, and `text_length` measures a text the way the recipes do (words in
English, characters in Chinese).
"""

from pipeline.text.lengths import text_length
from pipeline.text.verbalize.characters import LANGUAGES, is_speakable, unsaid, unspeakable
from pipeline.text.verbalize.markup import strip_markup
from pipeline.text.verbalize.verbalize import verbalize

__all__ = ["LANGUAGES", "is_speakable", "strip_markup", "text_length", "unsaid", "unspeakable", "verbalize"]
