"""Sums of money in Chinese words; the currency stands behind the number: HK$100 is 一百港元."""

import re

from pipeline.text.replacements import compile_rules
from pipeline.text.verbalize.chinese.context import LEFT, sentence
from pipeline.text.verbalize.chinese.numbers import NUMBER, number, scaled
from pipeline.text.verbalize.chinese.units import PER, per

_CURRENCIES = {
    "¥": "元",
    "RMB": "元",
    "CNY": "元",
    "CN¥": "元",
    "$": "美元",
    "US$": "美元",
    "USD": "美元",
    "€": "欧元",
    "EUR": "欧元",
    "£": "英镑",
    "GBP": "英镑",
    "HK$": "港元",
    "HKD": "港元",
    "NT$": "新台币",
    "TWD": "新台币",
    "A$": "澳元",
    "AUD": "澳元",
    "C$": "加元",
    "CAD": "加元",
    "S$": "新加坡元",
    "SGD": "新加坡元",
    "R$": "雷亚尔",
    "JPY": "日元",
    "JP¥": "日元",
    "₩": "韩元",
    "KRW": "韩元",
    "₹": "卢比",
    "INR": "卢比",
    "₽": "卢布",
    "฿": "泰铢",
    "THB": "泰铢",
    "CHF": "瑞士法郎",
    "₫": "越南盾",
    "₱": "比索",
}
_SIGNS = "|".join(re.escape(sign) for sign in sorted(_CURRENCIES, key=len, reverse=True))
_FACTORS = {"k": 1000, "m": 10**6, "b": 10**9, "thousand": 1000, "million": 10**6, "billion": 10**9}
_SCALE = r"(?:\s?(?P<scale>[百千万亿]+|(?:thousand|million|billion|[kKmMbB])(?![A-Za-z])))?"
_END = rf"(?P<per>{PER})?(?![A-Za-z0-9$€£¥/%]|[.,]\d|-\d)"


def _sum(match: re.Match[str]) -> str:
    sign, scale = match["sign"], match["scale"] or ""
    if sign == "¥" and re.search("日本|日元|日币|东京|大阪", sentence(match)):
        return match[0]
    amount = match["amount"]
    if re.search(r"\.\d", amount):
        amount = amount.rstrip("0").rstrip(".")
    factor = _FACTORS.get(scale.lower())
    words = scaled(amount, factor) if factor else number(amount)
    if words is None:
        return match[0]
    name, rest = _CURRENCIES[sign], match.string[match.end() : match.end() + 20]
    if rest.startswith(name):
        name = ""
    if words == "二" and not scale:
        words = "两"
    if words == "二" and scale in ("万", "亿", "千", "百万", "千万"):
        words = "两"
    minus = "负" if match["minus"] else ""
    plus = "多" if match["plus"] else ""
    return f"{minus}{words}{'' if factor else scale}{plus}{name}{per(match['per'] or '')}"


MONEY = compile_rules(
    (rf"(?<![A-Za-z\d.])([$€£¥])\s?({NUMBER})\s?[-–—~～]+\s?\1({NUMBER}[万亿])", r"\2到\1\3"),
    (r"(?<=\d)(万|亿|元|美元)?\s?[-–—~～]+\s?(?=(?:US|HK|NT|[ACRS])?[$€£¥]\s?\d)", r"\1到"),
    (rf"(?<![A-Za-z\d.])([$€£¥])\s?({NUMBER})\s?[-–—~～]+\s?({NUMBER}[万亿]?)(?![\d/:.-])", r"\2到\1\3"),
    (rf"(?:{LEFT}|(?<=到))(?P<minus>-)?(?P<sign>{_SIGNS})\s?(?P<amount>{NUMBER}){_SCALE}(?P<plus>\+)?{_END}", _sum),
    (
        rf"{LEFT}(?P<minus>-)?(?P<amount>{NUMBER}){_SCALE}\s?(?P<plus>)(?P<sign>[$€£]|[A-Z]{{3}}(?<=RMB|CNY|USD|EUR|GBP"
        rf"|HKD|TWD|AUD|CAD|SGD|JPY|KRW|INR|THB|CHF))(?![A-Za-z\d]){_END}",
        _sum,
    ),
    # The zeros of a price.
    (rf"{LEFT}(\d+\.\d)0(?=\s?(?:元|美元|欧元|英镑|港元|块))", r"\1"),
    (rf"{LEFT}(\d+)\.00?(?=\s?(?:元|美元|欧元|英镑|港元|块))", r"\1"),
)
