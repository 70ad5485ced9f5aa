"""Rewrite Chinese written forms in the words and the order in which they are said.

Every rule works on folded text (lower case, half width, straight hyphens). Special rules come before general ones: a
date before a range, a range of money before an amount.
"""

import re

from pipeline.text.replacements import MarkedRules

_CURRENCIES = {
    "$": "美元", "€": "欧元", "£": "英镑", "¥": "元", "₩": "韩元", "₽": "卢布", "฿": "泰铢", "₱": "比索", "₹": "卢比",
    "₪": "谢克尔", "₫": "越南盾", "₺": "里拉", "₦": "奈拉", "₴": "格里夫纳", "₿": "比特币",
}  # fmt: skip
_CODES = {
    "us$": "美元", "usd": "美元", "hk$": "港元", "hkd": "港元",
    "nt$": "新台币", "twd": "新台币", "c$": "加元", "ca$": "加元",
    "cad": "加元", "a$": "澳元", "au$": "澳元", "aud": "澳元",
    "s$": "新加坡元", "sgd": "新加坡元", "nz$": "新西兰元", "nzd": "新西兰元",
    "eur": "欧元", "gbp": "英镑", "jpy": "日元", "krw": "韩元",
    "rmb": "元", "cny": "元", "rub": "卢布", "thb": "泰铢", "inr": "卢比", "chf": "瑞士法郎",
}  # fmt: skip
_UNITS = {
    "km/h": "公里每小时",
    "m/s": "米每秒",
    "km": "公里",
    "cm": "厘米",
    "mm": "毫米",
    "kg": "公斤",
    "mg": "毫克",
    "ml": "毫升",
    "khz": "千赫兹",
    "mhz": "兆赫兹",
    "ghz": "吉赫兹",
    "hz": "赫兹",
    "kcal": "千卡",
    "kwh": "千瓦时",
    "kw": "千瓦",
    "db": "分贝",
    "°c": "摄氏度",
    "°f": "华氏度",
    "°": "度",
    "m": "米",
    "l": "升",
    "mah": "毫安时",
    "ma": "毫安",
    "kb": "千字节",
    "mb": "兆字节",
    "gb": "吉字节",
    "tb": "太字节",
    "mb/s": "兆字节每秒",
    "mbps": "兆比特每秒",
    "gbps": "吉比特每秒",
    "pa": "帕",
    "hpa": "百帕",
    "kpa": "千帕",
    "mpa": "兆帕",
    "mmhg": "毫米汞柱",
    "mg/l": "毫克每升",
    "mg/dl": "毫克每分升",
    "g/l": "克每升",
    "mg/kg": "毫克每公斤",
    "g/cm3": "克每立方厘米",
    "kg/m3": "公斤每立方米",
    "km/s": "公里每秒",
    "m2": "平方米",
    "m3": "立方米",
    "km2": "平方公里",
    "cm2": "平方厘米",
    "cm3": "立方厘米",
    "μm": "微米",
    "μg": "微克",
    "nm": "纳米",
    "ms": "毫秒",
    "mw": "兆瓦",
    "gw": "吉瓦",
    "wh": "瓦时",
    "kv": "千伏",
    "ω": "欧",
    "kω": "千欧",
    "ha": "公顷",
    "kj": "千焦",
    "rpm": "转每分钟",
    "fps": "帧每秒",
    "lb": "磅",
    "oz": "盎司",
    "ft": "英尺",
    "min": "分钟",
}
# One letter is a unit only after two digits or more: 5G网络 and 3V3 are names.
_UNITS_AFTER_TWO_DIGITS = {"g": "克", "v": "伏", "w": "瓦"}
_SIGNS = {"≥": "大于等于", "≤": "小于等于", "≠": "不等于", "≈": "约等于", "±": "正负", "√": "根号"}
_COMPARED = {"<": "小于", ">": "大于", "<=": "小于等于", ">=": "大于等于"}
_OPERATORS = {"+": "加", "=": "等于", "×": "乘", "÷": "除以", "x": "乘", "*": "乘"}
_NUMERALS = "零一二三四五六七八九"

# Possessive, and never starting inside a number: this keeps the time linear in the length of the text.
_NUMBER = r"(?<![0-9])[0-9]++(?:\.[0-9]++)?"
_AMOUNT = rf"{_NUMBER}[万亿]?"
_CURRENCY_SIGNS = re.escape("".join(_CURRENCIES))
_CURRENCY_NAMES = "|".join(sorted({*_CURRENCIES.values(), *_CODES.values()}, key=lambda name: (-len(name), name)))
_THOUSANDS = re.compile(r"(?<![0-9.,])[0-9]{1,3}(?:,[0-9]{3})++(?![0-9]|,[0-9])")
_SPACE_IN_NUMBER = re.compile(r"(?<=[0-9])\s+(?=[0-9])")
_PHONE = re.compile(r"(?<![0-9-])[0-9]{3,4}(?:-[0-9]{3,8}){1,2}(?![0-9-])")
_DATE = re.compile(r"(?<![0-9])([12][0-9]{3})[-/.](0?[1-9]|1[0-2])[-/.](3[01]|[12][0-9]|0?[1-9])(?![0-9])")
_TIME = re.compile(r"(?<![0-9:])([0-9]{1,2}):([0-5][0-9])(?::([0-5][0-9]))?(?![0-9:])")
# 七点四十五分 printed with a point; elsewhere 7.45分 are points of a score.
_DOTTED_TIME = re.compile(
    r"(?<=[0-9])\.([0-5][0-9])分(?![之0-9])"
    r"(?:(?<=(?:现在|请在|上午|下午|中午|早上|晚上|凌晨|傍晚|已经)[0-9]...分)"
    r"|(?<=(?:现在|请在|上午|下午|中午|早上|晚上|凌晨|傍晚|已经)[0-9][0-9]...分))"
)
_DAY = re.compile("(?<=[0-9]月)([0-9]{1,2})号(?![楼线])")
_LEADING_ZERO = re.compile("(?<![0-9.])0(?=[1-9](?:月|日|号))")
_RATIO = re.compile("(?<=[0-9]):(?=[0-9])")
# After a character a hyphen belongs to a name (歼-20), unless the word before it or the unit says otherwise.
_MINUS = re.compile(
    rf"(?<![\w.)])-(?=[0-9])|(?<=[是为到约达在于加减乘以从])-(?=[0-9])|(?<![a-z0-9.)])-(?={_NUMBER}\s?[%‰°度])"
)
_PERCENT_RANGE = re.compile(rf"({_NUMBER})\s?-\s?({_NUMBER})\s?%")
# 10-4=6, and neither the score 10-4 nor the range 4-10.
_DIFFERENCE = re.compile(r"(?<=[0-9])\s?-\s?(?=[0-9.]+\s?(?:=|等于)\s?-?[0-9])")
_RANGE = re.compile(r"(?<=[0-9%点分年月日号元度])\s?-\s?(?=[0-9$¥€£])")
_PERCENT = re.compile(rf"({_NUMBER})\s?([%‰‱])")
_PERCENTS = {"%": "百", "‰": "千", "‱": "万"}
_DOLLARS = re.compile(rf"(?<![a-z])({'|'.join(re.escape(code) for code in _CODES if code[-1] == '$')})\s?({_AMOUNT})")
_CODE = "|".join(filter(str.isalpha, _CODES))
_CODE_BEFORE = re.compile(rf"(?<![a-z])({_CODE})\s?({_AMOUNT})")
_CODE_AFTER = re.compile(rf"(?<=[0-9万亿])\s?({_CODE})(?![a-z])")
_MONEY_RANGE = re.compile(rf"([{_CURRENCY_SIGNS}])\s?({_AMOUNT})\s?-\s?\1?({_AMOUNT})")
_MONEY = re.compile(rf"([{_CURRENCY_SIGNS}])\s?({_AMOUNT})")
_SIGN_AFTER = re.compile(rf"(?<=[0-9万亿])\s?([{_CURRENCY_SIGNS}])(?!\s?[0-9])")
_YEAR_MONTH = re.compile(r"(?<![0-9/])([12][0-9]{3})/(0?[1-9]|1[0-2])(?![0-9/])")
_FRACTION = re.compile(r"(?<![0-9/.])([0-9]{1,3})[/⁄]([0-9]{1,7})(?![0-9/.])")
_POWER = re.compile(r"\^\s?\(?(-?[0-9]+|[a-z](?![a-z]))\)?")
_POWERS = {"2": "平方", "3": "立方"}
_SIGN = re.compile("[" + "".join(_SIGNS) + "]")
_COMPARISON = re.compile(r"\s?([<>]=?)\s?(?=[0-9负-])")
_PLUS = re.compile(r"(?<=[a-z0-9方])\s?([+=])\s?(?=[a-z0-9负])")
_LETTER_MINUS = re.compile(r"(?<![a-z0-9])([a-z])\s?-\s?(?=[a-z](?![a-z0-9]))")
_OPERATOR = re.compile(r"(?<=[0-9])\s?([×÷x*])\s?(?=[0-9负])")
_DOMAIN = re.compile(r"(?<=[a-z0-9])\.(?=(?:com|cn|org|net|edu|gov|io)(?![a-z0-9]))|(?<=www)\.(?=[a-z0-9])")
_C_PLUS_PLUS = re.compile(r"(?<![a-z])c\+\+")
# 三、四个 is said like 三四个. Only a rising pair: 一、二、三 is a count.
_PAIR = re.compile(
    "(?<![0-9一二三四五六七八九十、])([1-9一二两三四五六七八九])、"
    "([1-9一二三四五六七八九])(?![0-9一二三四五六七八九十百千万、.])"
)
_UNIT = re.compile(rf"({_NUMBER})\s?({'|'.join(sorted(_UNITS, key=len, reverse=True))})(?![a-z])")
_UNIT_AFTER_TWO_DIGITS = re.compile(r"(?<=[0-9][0-9])([gvw])(?![a-z0-9])")
_TIMES_BY = re.compile("(?<=[0-9])乘以(?=[0-9负])")
# 50% to 60% is said with one 百分之 or with two, $50 to $60 with one 美元 or with two.
_PERCENT_TWICE = re.compile(r"(百分之[0-9]++(?:\.[0-9]++)?到)百分之(?=[0-9])")
_CURRENCY_TWICE = re.compile(rf"({_NUMBER})({_CURRENCY_NAMES})到({_NUMBER})(?=\2)")

_WHOLES = {"100": "百", "1000": "千", "10000": "万"}
_WHOLE = re.compile("(?<![0-9.])(10{2,4})分之")
_THOUSAND_UNITS = {"千米": "公里", "千克": "公斤"}
_THOUSAND_UNIT = re.compile("(?<=[0-9])千[米克]")
# 60km/h is said 六十公里每小时 or 每小时六十公里.
_RATE = re.compile(
    rf"({_NUMBER}(?:公里|米|[毫微]?克|公斤|毫?升|[兆吉]比特|兆字节|转|帧))(每(?:小时|秒|分钟|升|分升|公斤|立方厘米|立方米))(?![0-9])"
)

# 3.00元 is said 三元, and 5.50元 五点五元.
_ZEROS = re.compile(rf"(?<=[0-9])(?:\.0++|(\.[0-9]*?[1-9])0++)(?=(?:{_CURRENCY_NAMES}))")
_EACH = re.compile("(?<=[元次个人片粒杯转块])/(?=(?:小时|分钟|平方米|公斤|千克|[人斤天日月年次分秒克升吨个件位]))")

_LATIN = re.compile("[a-zμω°]")


def rewrite(text: str) -> str:
    """Rewrite dates, times, money, percentages, ranges and fractions as they are said, still with digits."""
    return _RULES.apply(text)


def units(text: str) -> str:
    """Write units in full, and repeated units once, in text whose numbers are digits already."""
    if _LATIN.search(text):
        text = _CODE_BEFORE.sub(lambda found: f"{found[2]}{_CODES[found[1]]}", text)
        text = _CODE_AFTER.sub(lambda found: _CODES[found[1]], text)
        text = _UNIT.sub(lambda found: f"{found[1]}{_UNITS[found[2]]}", text)
        text = _UNIT_AFTER_TWO_DIGITS.sub(lambda found: _UNITS_AFTER_TWO_DIGITS[found[1]], text)
    if "元" in text:
        text = _ZEROS.sub(lambda found: found[1] or "", text)
    if "/" in text:
        text = _EACH.sub("每", text)
    if "号" in text:
        text = _DAY.sub(r"\1日", text)
    if "乘以" in text:
        text = _TIMES_BY.sub("乘", text)
    if "分之" in text:
        text = _WHOLE.sub(lambda found: f"{_WHOLES[found[1]]}分之", text)
    if "千" in text:
        text = _THOUSAND_UNIT.sub(lambda found: _THOUSAND_UNITS[found[0]], text)
    if "每" in text:
        text = _RATE.sub(r"\2\1", text)
    if "到" in text:
        text = _CURRENCY_TWICE.sub(r"\1到\3", _PERCENT_TWICE.sub(r"\1", text))
    return text


def _time(found: re.Match[str]) -> str:
    hour, minutes, seconds = found.groups()
    if seconds:
        return f"{int(hour)}点{minutes}分{seconds}秒"
    return f"{int(hour)}点" if minutes == "00" else f"{int(hour)}点{minutes}分"


def _phone(found: re.Match[str]) -> str:
    """Join the groups of a telephone number (010-6552-1234), but not those of a range (100-200)."""
    groups = found[0].split("-")
    is_range = len(groups) == 2 and len(groups[0]) <= len(groups[1]) <= 4 and groups[0][0] != "0"
    return found[0] if is_range else "".join(groups)


def _power(found: re.Match[str]) -> str:
    return _POWERS.get(found[1], f"的{found[1].replace('-', '负')}次方")


def _pair(found: re.Match[str]) -> str:
    first, second = (_NUMERALS[int(digit)] if digit.isascii() else digit for digit in found.groups())
    rises = _NUMERALS.index(second) == _NUMERALS.index(first.replace("两", "二")) + 1
    return first + second if rises else found[0]


# Each rule with the characters of which its pattern needs one: most texts have none, and most rules are skipped.
_RULES = MarkedRules(
    ("、", _PAIR, _pair),
    (".", _DOMAIN, "点"),
    ("+", _C_PLUS_PLUS, "c加加"),
    (",", _THOUSANDS, lambda found: found[0].replace(",", "")),
    (" ", _SPACE_IN_NUMBER, ""),
    ("-/.", _DATE, lambda found: f"{found[1]}年{int(found[2])}月{int(found[3])}日"),
    (":", _TIME, _time),
    ("分", _DOTTED_TIME, r"点\1分"),
    ("0", _LEADING_ZERO, ""),
    (":", _RATIO, "比"),
    ("-", _PHONE, _phone),
    ("^", _POWER, _power),
    ("$", _DOLLARS, lambda found: f"{found[2]}{_CODES[found[1]]}"),
    (_CURRENCIES, _MONEY_RANGE, lambda found: f"{found[2]}到{found[3]}{_CURRENCIES[found[1]]}"),
    ("%", _PERCENT_RANGE, r"百分之\1到\2"),
    ("-", _DIFFERENCE, "减"),
    ("-", _RANGE, "到"),
    ("-", _MINUS, "负"),
    ("%‰‱", _PERCENT, lambda found: f"{_PERCENTS[found[2]]}分之{found[1]}"),
    (_CURRENCIES, _MONEY, lambda found: f"{found[2]}{_CURRENCIES[found[1]]}"),
    (_CURRENCIES, _SIGN_AFTER, lambda found: _CURRENCIES[found[1]]),
    ("/", _YEAR_MONTH, lambda found: f"{found[1]}年{int(found[2])}月"),
    ("/⁄", _FRACTION, r"\2分之\1"),
    (_SIGNS, _SIGN, lambda found: _SIGNS[found[0]]),
    ("<>", _COMPARISON, lambda found: _COMPARED[found[1]]),
    ("+=", _PLUS, lambda found: _OPERATORS[found[1]]),
    ("-", _LETTER_MINUS, r"\1减"),
    ("×÷x*", _OPERATOR, lambda found: _OPERATORS[found[1]]),
)
