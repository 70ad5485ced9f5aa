"""Guesses the sounds of an English word from its letters, as phones of the CMU dictionary.

For names and new words alone: an aligner needs to know only roughly what it will hear, and how long it lasts.
"""

import re

_SOUNDS = {
    **{"tion": "SH AH N", "sion": "ZH AH N", "ough": "AO", "augh": "AO", "eigh": "EY", "igh": "AY", "tch": "CH"},
    **{"sch": "SH", "dge": "JH", "ch": "CH", "sh": "SH", "th": "TH", "ph": "F", "gh": "G", "ck": "K", "ng": "NG"},
    **{"qu": "K W", "wh": "W", "kn": "N", "wr": "R", "ee": "IY", "ea": "IY", "oo": "UW", "ou": "AW", "ow": "OW"},
    **{"oi": "OY", "oy": "OY", "ai": "EY", "ay": "EY", "ei": "EY", "ey": "IY", "ie": "IY", "au": "AO", "aw": "AO"},
    **{"oa": "OW", "ue": "UW", "ew": "UW", "er": "ER", "ir": "ER", "ur": "ER", "ar": "AA R", "or": "AO R"},
    **{"ce": "S EH", "ci": "S IH", "cy": "S IY", "ge": "JH EH", "a": "AE", "b": "B", "c": "K", "d": "D", "e": "EH"},
    **{"f": "F", "g": "G", "h": "HH", "i": "IH", "j": "JH", "k": "K", "l": "L", "m": "M", "n": "N", "o": "AA"},
    **{"p": "P", "q": "K", "r": "R", "s": "S", "t": "T", "u": "AH", "v": "V", "w": "W", "x": "K S", "y": "IY"},
    **{"z": "Z"},
}
_PIECES = re.compile("|".join(sorted(_SOUNDS, key=lambda letters: -len(letters))))
_DOUBLE = re.compile(r"([bcdfghjklmnpqrstvwxyz])\1")
_SILENT_E = re.compile(r"(?<=[aeiouy][bcdfgklmnpstvz])e(?=s?$)")


def guess_sounds(word: str) -> list[str]:
    """Return phones, at least one; the word is of the letters a-z and apostrophes."""
    letters = _SILENT_E.sub("", _DOUBLE.sub(r"\1", word.replace("'", "")))
    return " ".join(_SOUNDS[piece] for piece in _PIECES.findall(letters)).split() or ["AH"]
