"""Strip Markdown and HTML and keep the words. List items stay on lines of their own."""

import html
import re
from functools import lru_cache

_FENCE = re.compile(r"^\s*(?:```|~~~)[^\n]*$", re.MULTILINE)
_COMMENT_OR_TAG = re.compile(r"<!--.*?-->|</?[A-Za-z][^<>\n]{0,200}>", re.DOTALL)
_IMAGE = re.compile(r"!\[([^\]\n]*)\]\([^)\n]*\)")
_LINK = re.compile(r"\[([^\]\n]+)\]\((?:https?:|/|#|mailto:)[^)\n]*\)")
_HEADING = re.compile(r"^\s{0,3}#{1,6}\s+(.*?)\s*#*\s*$", re.MULTILINE)
_QUOTE = re.compile(r"^\s{0,3}>\s?", re.MULTILINE)
_RULE = re.compile(r"^\s*(?:[-*_]\s*){3,}$", re.MULTILINE)
_STRONG = re.compile(r"(\*\*|__)(?=\S)(.+?)(?<=\S)\1", re.DOTALL)
_EMPHASIS = re.compile(r"(?<![\w*])([*_])(?=[^\s*_])([^*_\n]+?)(?<=\S)\1(?![\w*])")
_INLINE_CODE = re.compile(r"`([^`\n]*)`")
_MARK = re.compile(r"[<`~!\]\-*_#>]")
_REMEMBERED = 64
"""Texts: the rules look at one after another from several sides."""
# Each pattern, behind the parts of a text of which it needs one.
_IN_ORDER = (
    (("<",), _COMMENT_OR_TAG, " "),
    (("```", "~~~"), _FENCE, ""),
    (("![",), _IMAGE, r"\1"),
    (("](",), _LINK, r"\1"),
    (("-", "*", "_"), _RULE, ""),
    (("#",), _HEADING, r"\1"),
    ((">",), _QUOTE, ""),
    (("**", "__"), _STRONG, r"\2"),
    (("*", "_"), _EMPHASIS, r"\2"),
    (("`",), _INLINE_CODE, r"\1"),
)


@lru_cache(maxsize=_REMEMBERED)
def strip_markup(text: str) -> str:
    """Remove Markdown marks and HTML tags and decode entities; words and line ends are kept."""
    text = html.unescape(text)
    if not _MARK.search(text):
        return text
    for marks, pattern, replacement in _IN_ORDER:
        if any(mark in text for mark in marks):
            text = pattern.sub(replacement, text)
    return text
