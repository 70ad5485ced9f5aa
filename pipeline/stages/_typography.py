"""Removes typographic marks from a text that will be spoken.

Language models write them from habit, whatever the prompt says, and nobody hears them: to ask again because of a curly
apostrophe would cost a whole answer. Characters with a sound (digits, symbols) or with a meaning that must be put into
words (brackets, lists) stay, so that the checks complain of them.
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
        # An en dash without spaces is a range, and a colon without one a time of day: both have a sound.
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
    """Return the text without typographic marks; texts in languages other than en and zh are unchanged."""
    bare = text
    for pattern, replacement in _RULES.get(language, ()):
        bare = pattern.sub(replacement, bare)
    return text if bare == text else bare.strip(" ,，")
