"""What a language tag says about the text: its primary subtag, and whether words are separated by spaces.

Rows and voices carry BCP 47 tags ("zh", "en-GB"). Whether a text is counted in words or in characters, and so whether
a row has a word or a character error rate, follows from the primary subtag alone.
"""

# Scripts written without spaces between words (Unicode line breaking class SA, and Han with kana): words cannot be
# counted without a segmenter, characters can.
_UNSPACED = frozenset({"zh", "cmn", "yue", "wuu", "nan", "ja", "th", "lo", "km", "my", "bo", "dz"})


def primary_subtag(language: str) -> str:
    """Return the first part of a tag, in lower case: "zh" of "zh-Hant-TW"."""
    return language.replace("_", "-").partition("-")[0].casefold()


def is_unspaced(language: str) -> bool:
    """Whether the language is written without spaces between words."""
    return primary_subtag(language) in _UNSPACED
