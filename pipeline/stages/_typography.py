"""Typographic marks off a text that is to be spoken.

Language models write them from habit, however they are asked, and nobody hears them: to ask again for a curly
apostrophe costs a whole answer. Whatever has a sound (digits, symbols) or a meaning that must be put into words
(brackets, lists) stays, for the checks to complain of.
"""

import re

from pipeline.text.scripts import HAN

_INVISIBLE = (re.compile("[\u200b-\u200d\u2060\ufeff\u00ad]"), "")
_RULES = {
    "en": (
        _INVISIBLE,
        (re.compile("\u00a0"), " "),
        (re.compile("[’‘ʼ]"), "'"),
        (re.compile('[“”«»"]'), ""),
        (re.compile("\u2011"), "-"),
        (re.compile("…"), "..."),
        # An en dash without blanks is a range, and a colon without one a time of day: both have a sound.
        (re.compile(r" *— *| +– +|; *|: +"), ", "),
    ),
    "zh": (
        _INVISIBLE,
        (re.compile('[“”‘’「」『』《》〈〉"]'), ""),
        (re.compile(f"(?<=[{HAN}])[·・](?=[{HAN}])"), ""),
        (re.compile("…+(?=[。？！]|$)"), ""),
        (re.compile(rf"(?<=[{HAN}]) *(?:[：；;—…]+|[:,](?!\d)) *"), "，"),
        (re.compile(rf"(?<=[{HAN}])\?"), "？"),
        (re.compile(rf"(?<=[{HAN}])!"), "！"),
        (re.compile(rf"(?<=[{HAN}])\.(?![.\w])"), "。"),
        (re.compile(f"(?<=[{HAN}。，？！、]) +(?=[{HAN}])"), ""),
    ),
}


def without_marks(text: str, language: str) -> str:
    """The text as it is heard; one without such marks, or in another language than en and zh, as it is."""
    bare = text
    for pattern, replacement in _RULES.get(language, ()):
        bare = pattern.sub(replacement, bare)
    return text if bare == text else bare.strip(" ,，")
