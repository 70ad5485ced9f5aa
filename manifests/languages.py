"""Reads language tags: the primary subtag, and whether the language separates words by spaces.

Rows and voices carry BCP 47 tags ("zh", "en-GB"). The primary subtag alone decides whether a text is counted in words
or in characters, and so whether a row has a word or a character error rate.
"""

# Scripts written without spaces between words (Unicode line breaking class SA, and Han with kana): words cannot be
# counted without a segmenter, characters can.
_UNSPACED = frozenset({"zh", "cmn", "yue", "wuu", "nan", "ja", "th", "lo", "km", "my", "bo", "dz"})


def primary_subtag(language: str) -> str:
    """Return the first part of a tag, in lower case: "zh" of "zh-Hant-TW"."""
    return language.replace("_", "-").partition("-")[0].casefold()


def is_unspaced(language: str) -> bool:
    """Tell whether the language is written without spaces between words."""
    return primary_subtag(language) in _UNSPACED
