"""Keeps texts of strangers from steering a terminal: the one place where that is decided."""

import unicodedata

_STEERING = frozenset({"Cc", "Cs", "Zl", "Zp"})
# Of the invisible characters (Cf) only these: the others join letters, and some scripts need them.
_BIDIRECTIONAL = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")


def printable(text: str, keep: str = "") -> str:
    """Return the text with nothing in it that moves the cursor, colors, renames the window, or turns the direction.

    Line breaks and tabs become spaces, everything else of that kind its escape, as in JSON: `\\u001b`. So JSON stays
    the same JSON. The characters of `keep` stay as they are.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(character if character in keep else _shown(character) for character in text)


def _shown(character: str) -> str:
    if character in "\t\n\v\f\r\x85\u2028\u2029":
        return " "
    if unicodedata.category(character) in _STEERING or character in _BIDIRECTIONAL:
        return f"\\u{ord(character):04x}"
    return character
