"""Normalize Chinese for comparison: simplified characters, no punctuation, no spaces, numbers as digits."""

import re

from pipeline.scoring import chinese_written
from pipeline.scoring.chinese_characters import fold
from pipeline.scoring.chinese_numbers import digits_of, has_numerals
from pipeline.scoring.chinese_spelling import respell

VERSION = "chinese-5"

# As in English: numbers that punctuation kept apart are read again until nothing changes.
_MAX_ROUNDS = 6

# A numeral that another round could read further. Without a match the next round changes nothing: the punctuation is
# gone, and digits stay as they are unless a unit, letter, point or date follows.
_UNSETTLED = re.compile(
    r"[零〇一二三四五六七八九两幺十]|[0-9](?:[百千万亿点a-z加减乘除等大小]|\.[0-9]+\.)"
    r"|(?<![0-9.])0[1-9][月日号]|百分(?:之?百|之[0-9.]+到百)|[元镑]到[0-9]"
)
_LATIN = re.compile("[a-z]")
# Each is searched for only with the character that it needs.
_UNSETTLED_WITH = (
    ("每", re.compile("[克里米升转帧特节]每[小秒分升公立]")),
    ("d", re.compile("(?:usd|cad|aud|hkd|twd|sgd|nzd)[0-9]")),
    ("r", re.compile("(?:eur|krw|inr|rub)[0-9]")),
    ("p", re.compile("(?:gbp|jpy)[0-9]")),
    ("h", re.compile("(?:chf|thb)[0-9]")),
)
# 五的平方 and 五平方 are both said.
_OF_POWER = re.compile("的+(?=[平立]方)")
_NOISE = re.compile(r"(?<![0-9])\.|\.(?![0-9])|[^\w.]|_")


def normalize(text: str) -> str:
    """Map Chinese texts that sound the same to the same string, without spaces."""
    normalized = _normalize(text)
    for _ in range(_MAX_ROUNDS):
        if not _is_unsettled(normalized):
            break
        text, normalized = normalized, _normalize(normalized)
        if normalized == text:
            break
    return normalized


def _is_unsettled(text: str) -> bool:
    if _UNSETTLED.search(text) is not None:
        return True
    return (_LATIN.search(text) is not None or "每" in text) and any(
        mark in text and pattern.search(text) is not None for mark, pattern in _UNSETTLED_WITH
    )


def _normalize(text: str) -> str:
    text = chinese_written.rewrite(respell(fold(text)))
    if has_numerals(text):
        text = chinese_written.units(digits_of(text))
    text = _NOISE.sub("", text)
    return _OF_POWER.sub("", text) if "的平方" in text or "的立方" in text else text
