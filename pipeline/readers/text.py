"""Make text from a file safe to store: it always encodes to UTF-8 and has no control characters."""

import re

_UNUSUAL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff]")
_LINE_END = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_INVISIBLE = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\ufeff]")


def clean_text(text: str) -> str:
    """Unify the line ends of `text` and remove characters that nobody can see or store.

    Every line or page separator becomes "\\n". NUL, the other control characters (except the tab) and byte-order
    marks are removed. A surrogate pair becomes its character, a lone surrogate U+FFFD.
    """
    if not _UNUSUAL.search(text):
        return text
    return _INVISIBLE.sub("", _LINE_END.sub("\n", join_surrogates(text)))


def join_surrogates(text: str) -> str:
    """Make each surrogate pair its character, and each lone surrogate U+FFFD."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
