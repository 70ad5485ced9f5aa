"""Chinese text as it is compared: simplified characters, no punctuation, no spaces, numbers as digits."""

import re
import unicodedata
import warnings
from functools import cache

from pipeline.scoring.chinese_numbers import digits_of, has_numerals

with warnings.catch_warnings():
    # zhconv reads its table through pkg_resources where that exists, which warns about its own removal.
    warnings.simplefilter("ignore", UserWarning)
    import zhconv

VERSION = "chinese-1"

# As in English: what punctuation kept apart is read again until nothing changes.
_MAX_ROUNDS = 6

# Recognisers rarely print hesitations; 啊 and 哦 they do.
_FILLERS = re.compile("[嗯呃唔呣]")
_NEEDS_WRITTEN = re.compile("[0-9%‰=+×÷$€£¥]")
_CURRENCIES = {"$": "美元", "€": "欧元", "£": "英镑", "¥": "元"}
_UNITS = {
    "km/h": "公里每小时",
    "km": "公里",
    "cm": "厘米",
    "mm": "毫米",
    "kg": "公斤",
    "mg": "毫克",
    "ml": "毫升",
    "°c": "摄氏度",
    "°f": "华氏度",
    "°": "度",
    "m": "米",
}
# Possessive, and never from the middle of a number: the time stays linear in the length of the text.
_NUMBER = r"(?<![0-9])[0-9]++(?:\.[0-9]++)?"
_THOUSANDS = re.compile(r"(?<![0-9.,])[0-9]{1,3}(?:,[0-9]{3})++(?![0-9]|,[0-9])")
_SPACE_IN_NUMBER = re.compile(r"(?<=[0-9])\s+(?=[0-9])")
_PHONE = re.compile(r"(?<![0-9-])[0-9]{3,4}(?:-[0-9]{3,8}){1,2}(?![0-9-])")
_DATE = re.compile(r"(?<![0-9])([12][0-9]{3})[-/.](0?[1-9]|1[0-2])[-/.](3[01]|[12][0-9]|0?[1-9])(?![0-9])")
_TIME = re.compile(r"(?<![0-9:])([0-9]{1,2}):([0-5][0-9])(?::([0-5][0-9]))?(?![0-9:])")
_LEADING_ZERO = re.compile("(?<![0-9.])0(?=[1-9](?:月|日|号))")
_RATIO = re.compile("(?<=[0-9]):(?=[0-9])")
_MINUS = re.compile(r"(?<![\w.)])-(?=[0-9])")
_PERCENT_RANGE = re.compile(rf"({_NUMBER})\s?-\s?({_NUMBER})\s?%")
_RANGE = re.compile(r"(?<=[0-9%点分年月日号元度])\s?-\s?(?=[0-9$¥€£])")
_PERCENT = re.compile(rf"({_NUMBER})\s?([%‰])")
_MONEY = re.compile(rf"([$€£¥])\s?({_NUMBER}[万亿]?)")
_FRACTION = re.compile(r"(?<![0-9/.])([0-9]{1,3})/([0-9]{1,3})(?![0-9/.])")
_UNIT = re.compile(rf"({_NUMBER})\s?({'|'.join(_UNITS)})(?![a-z])")
_OPERATORS = {"+": "加", "=": "等于", "×": "乘", "÷": "除以"}
_OPERATOR = re.compile(r"(?<=[0-9])\s?([+=×÷])\s?(?=[0-9])")
# 三、四个 is said like 三四个. Only a rising pair: 一、二、三 is a count.
_PAIR = re.compile(
    "(?<![0-9一二三四五六七八九十、])([1-9一二两三四五六七八九])、"
    "([1-9一二三四五六七八九])(?![0-9一二三四五六七八九十百千万、.])"
)
_NUMERALS = "零一二三四五六七八九"


_NOISE = re.compile(r"(?<![0-9])\.|\.(?![0-9])|[^\w.]|_")
_DASHES = str.maketrans(dict.fromkeys("‐‑‒–—―−～〜∼", "-") | {"~": "-"})


def normalize(text: str) -> str:
    """Two Chinese texts that sound the same give the same string, without spaces."""
    normalized = _normalize(text)
    for _ in range(_MAX_ROUNDS):
        if not has_numerals(normalized):
            break
        text, normalized = normalized, _normalize(normalized)
        if normalized == text:
            break
    return normalized


def _normalize(text: str) -> str:
    text = _FILLERS.sub("", _fold(text))
    text = _PAIR.sub(lambda found: f"{_hanzi(found[1])}{_hanzi(found[2])}" if _rises(found) else found[0], text)
    if _NEEDS_WRITTEN.search(text):
        text = _rewrite(text)
    if has_numerals(text):
        text = _UNIT.sub(lambda found: f"{found[1]}{_UNITS[found[2]]}", digits_of(text))
    return _NOISE.sub("", text)


def _fold(text: str) -> str:
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    # zh-hans changes characters and leaves the vocabulary of other regions as it was said.
    simplified: str = text if text.isascii() else zhconv.convert(text, "zh-hans")
    return "".join(map(_fold_character, simplified.translate(_DASHES)))


@cache
def _fold_character(character: str) -> str:
    """Joiners and unassigned characters vanish; the digits of other scripts become ours."""
    if unicodedata.category(character) in ("Cf", "Cs", "Co", "Cn", "Mn", "Me"):
        return ""
    return str(unicodedata.decimal(character)) if character.isdecimal() else character


def _rewrite(text: str) -> str:
    """Written dates, times, money, percentages, ranges, fractions and units in the order in which they are said."""
    text = _THOUSANDS.sub(lambda found: found[0].replace(",", ""), text)
    text = _SPACE_IN_NUMBER.sub("", text)
    text = _DATE.sub(lambda found: f"{found[1]}年{int(found[2])}月{int(found[3])}日", text)
    text = _TIME.sub(_time, text)
    text = _LEADING_ZERO.sub("", text)
    text = _RATIO.sub("比", text)
    text = _PHONE.sub(_phone, text)
    text = _PERCENT_RANGE.sub(r"百分之\1到\2", text)
    text = _RANGE.sub("到", text)
    text = _MINUS.sub("负", text)
    text = _PERCENT.sub(lambda found: f"{'百' if found[2] == '%' else '千'}分之{found[1]}", text)
    text = _MONEY.sub(lambda found: f"{found[2]}{_CURRENCIES[found[1]]}", text)
    text = _FRACTION.sub(r"\2分之\1", text)
    return _OPERATOR.sub(lambda found: _OPERATORS[found[1]], text)


def _time(found: re.Match[str]) -> str:
    hour, minutes, seconds = found.groups()
    if seconds:
        return f"{int(hour)}点{minutes}分{seconds}秒"
    return f"{int(hour)}点" if minutes == "00" else f"{int(hour)}点{minutes}分"


def _phone(found: re.Match[str]) -> str:
    """010-6552-1234 is one number; 100-200 is a range."""
    groups = found[0].split("-")
    is_range = len(groups) == 2 and len(groups[0]) <= len(groups[1]) <= 4 and groups[0][0] != "0"
    return found[0] if is_range else "".join(groups)


def _rises(found: re.Match[str]) -> bool:
    first, second = (_NUMERALS.index(_hanzi(digit).replace("两", "二")) for digit in found.groups())
    return second == first + 1


def _hanzi(digit: str) -> str:
    return _NUMERALS[int(digit)] if digit.isascii() else digit
