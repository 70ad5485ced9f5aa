"""Quantities in Chinese words: the signs of units, "per", heights such as 1米75."""

import re

from pipeline.text.replacements import compile_rules
from pipeline.text.scripts import HAN
from pipeline.text.verbalize.characters import unsure
from pipeline.text.verbalize.chinese.context import LEFT
from pipeline.text.verbalize.chinese.numbers import NUMBER, cardinal, digits, number

_NAMES = {
    "毫米": "mm",
    "厘米": "cm CM",
    "分米": "dm",
    "米": "m",
    "公里": "km KM Km",
    "纳米": "nm",
    "微米": "μm µm um",
    "平方毫米": "mm² mm2 mm^2",
    "平方厘米": "cm² cm2 cm^2",
    "平方米": "m² m2 m^2",
    "平方公里": "km² km2 km^2",
    "立方厘米": "cm³ cm3 cm^3 cc",
    "立方米": "m³ m3 m^3",
    "立方毫米": "mm³ mm3",
    "微克": "μg µg ug mcg",
    "毫克": "mg",
    "克": "g",
    "千克": "kg KG Kg",
    "吨": "t",
    "磅": "lb lbs",
    "盎司": "oz",
    "毫升": "ml mL ML",
    "微升": "μl μL µL",
    "分升": "dl dL",
    "升": "L l",
    "秒": "s sec",
    "毫秒": "ms",
    "微秒": "μs µs",
    "纳秒": "ns",
    "分钟": "min mins",
    "小时": "h hr hrs",
    "赫兹": "Hz HZ hz",
    "千赫兹": "kHz KHz",
    "兆赫兹": "MHz",
    "吉赫兹": "GHz",
    "千字节": "KB kB",
    "兆字节": "MB",
    "吉字节": "GB",
    "太字节": "TB",
    "兆比特每秒": "Mbps",
    "吉比特每秒": "Gbps",
    "千比特每秒": "kbps Kbps",
    "像素": "px",
    "伏": "V",
    "千伏": "kV",
    "毫伏": "mV",
    "毫安": "mA",
    "毫安时": "mAh mah",
    "安时": "Ah",
    "瓦": "W",
    "千瓦": "kW KW kw",
    "兆瓦": "MW",
    "瓦时": "Wh",
    "千瓦时": "kWh KWh kwh KWH",
    "欧姆": "Ω Ω",
    "分贝": "dB db DB",
    "焦耳": "J",
    "千焦": "kJ KJ",
    "卡": "cal",
    "千卡": "kcal Kcal",
    "帕": "Pa",
    "千帕": "kPa KPa",
    "兆帕": "MPa",
    "百帕": "hPa",
    "毫米汞柱": "mmHg mmhg",
    "摩尔": "mol",
    "毫摩尔": "mmol",
    "转每分钟": "rpm RPM r/min",
    "帧每秒": "fps FPS",
    "次每分钟": "bpm",
    "英尺": "ft",
    "英里": "mi",
    "英里每小时": "mph",
    "马力": "hp",
    "摄氏度": "℃ °C °c",
    "华氏度": "℉ °F °f",
    "度": "°",
}
_SYMBOLS = {symbol: name for name, symbols in _NAMES.items() for symbol in symbols.split()}
_SYMBOL = "|".join(re.escape(symbol) for symbol in sorted(_SYMBOLS, key=len, reverse=True))
_EACH = (
    "平方米|平方公里|立方米|百公里|人次|小时|分钟|公斤|千克|公里|千米|平米|人|天|月|年|日|时|秒|周|斤|克|毫克|吨|升|毫升|次|"
    "个|只|件|份|杯|瓶|位|晚|亩|股|张|箱|套|米|度|桶|户|班|场|节|課|课"
)
PER = rf"(?:\s?/\s?(?:{_SYMBOL}|{_EACH}|s²|s2|d|dL)(?![A-Za-z²³])){{1,2}}"
_LENGTHS = "公里|千米|米|英里|海里|厘米"
_TIMES = {"小时": "小时", "时": "小时", "h": "小时", "秒": "秒", "s": "秒"}
_SQUARED = {"s²": "二次方秒", "s2": "二次方秒", "d": "天"}
# Before these units two is 两, as before measure words.
_WITH_TWO = re.compile(
    "米|公里|千克|克|吨|升|毫升|小时|分钟|秒|英尺|英寸|英里|平方米|平方公里|毫克|厘米|毫米|磅|盎司|立方米"
)


def per(text: str) -> str:
    """Return the "/kg" behind a quantity as 每千克."""
    words = []
    for part in text.split("/")[1:]:
        part = part.strip()
        words.append(f"每{_SQUARED.get(part) or _SYMBOLS.get(part, part)}")
    return "".join(words)


def _quantity(match: re.Match[str]) -> str:
    symbol, amount = match["unit"], match["amount"]
    if len(symbol) == 1 and symbol.isascii() and re.match(r"\s?[+=×*^]", match.string[match.end() : match.end() + 20]):
        return match[0]
    words = number(amount)
    if words is None:
        return match[0]
    name = _SYMBOLS[symbol]
    if amount == "2" and _WITH_TWO.match(name):
        words = "两"
    sign = {"": "", "-": "负", "+": "正", "±": "正负"}[match["sign"] or ""]
    each = per(match["per"] or "")
    if each in ("每小时", "每秒") and name in ("公里",):
        return f"{each}{sign}{words}{name}"
    return f"{sign}{words}{name}{each}"


def _scaled_unit(match: re.Match[str]) -> str:
    return f"{match[1]}{_SYMBOLS[match[2]]}"


def _feet_inches(match: re.Match[str]) -> str:
    feet, inches = match["feet"], match["inches"]
    one = "两" if feet == "2" else cardinal(int(feet))
    return f"{one}英尺{'两' if inches == '2' else cardinal(int(inches))}英寸"


def _in_quotes(match: re.Match[str]) -> bool:
    return match.string[: match.start()].count('"') % 2 == 1


def _inches(match: re.Match[str]) -> str:
    return match[0] if _in_quotes(match) else f"{number(match['amount'])}英寸"


def _height(match: re.Match[str]) -> str:
    whole = "两" if match["whole"] == "2" else cardinal(int(match["whole"]))
    return f"{whole}{match['unit']}{digits(match['part'])}"


UNITS = compile_rules(
    # "20W" is 20万 of people and of pay, and 20瓦 elsewhere; "20w" is unsure elsewhere.
    (rf"{LEFT}({NUMBER})\s?[wW]\+?(?=像素|粉|播放|阅读|点赞|人|元|块|次|个|字|多|年薪)", lambda m: f"{m[1]}万"),
    (
        rf"(?<=[薪粉丝入价款])(?:是|约|有|到|达|超过)?({NUMBER})\s?[wW](?![A-Za-z0-9])",
        lambda m: f"{m[0][:-1].strip()}万",
    ),
    (
        rf"(?:{LEFT}|(?<=到))({NUMBER}[万亿]?[片粒颗枚袋支勺匙杯滴元块转]?)\s?/\s?(次|天|日|月|年|周|人|小时|分钟|分|秒)(?![\dA-Za-z])",
        lambda m: f"{m[1]}每{m[2]}",
    ),
    (
        rf"(?:{LEFT}|(?<=乘))({NUMBER})\s?[xX×*]\s?(?=(?:{NUMBER}\s?[xX×*]\s?)*{NUMBER}\s?(?:{_SYMBOL}|毫米|厘米|米|英寸|像素))",
        lambda m: f"{number(m[1])}乘",
    ),
    (rf"{LEFT}(?P<feet>\d)['′’](?P<inches>1[01]|\d)[\"″”]?(?![\d'])", _feet_inches),
    (rf"{LEFT}(?P<amount>{NUMBER})\"(?=[{HAN}])", _inches),
    (rf"{LEFT}(?P<amount>{NUMBER}\")", lambda m: m[0] if _in_quotes(m) else unsure(m[0])),
    (rf"{LEFT}(\d{{1,2}})秒(\d{{2}})(?![\d.])", lambda m: f"{cardinal(int(m[1]))}秒{digits(m[2])}"),
    (
        rf"(?<![A-Za-z0-9/])(?P<unit>{_SYMBOL})(?<=\w[\w²³])/(?P<each>{_SYMBOL})(?![A-Za-z0-9/²³])",
        lambda m: f"{_SYMBOLS[m['unit']]}每{_SYMBOLS[m['each']]}",
    ),
    (rf"{LEFT}(?P<whole>\d)(?P<unit>[米块])(?P<part>\d{{1,2}})(?![\dA-Za-z%.米厘公毫分钱元角个]|[-~～到])", _height),
    (
        rf"(?:{LEFT}|(?<=[到乘]))(?P<n>{NUMBER})\s?(?P<unit>{_LENGTHS}|km|KM)\s?/\s?(?P<each>小时|时|秒|h|s)"
        r"(?![A-Za-z²\d])",
        lambda m: f"每{_TIMES[m['each']]}{m['n']}{_SYMBOLS.get(m['unit'], m['unit'])}",
    ),
    (
        rf"(?:{LEFT}|(?<=[到乘]))(?P<sign>[-+±])?(?P<amount>{NUMBER})\s?(?P<unit>{_SYMBOL})(?P<per>{PER})?"
        r"(?![A-Za-z0-9²³^/]|-\d)",
        _quantity,
    ),
    # Behind a power, whose number is read later: "3×10^8 m/s".
    (
        rf"(?P<power>\^-?\d{{1,3}})\s?(?P<unit>{_SYMBOL})(?:/(?P<each>{_SYMBOL}))?(?![A-Za-z0-9²³^/])",
        lambda m: m["power"] + _SYMBOLS[m["unit"]] + (f"每{_SYMBOLS[m['each']]}" if m["each"] else ""),
    ),
    (rf"(?<=\d)([万亿千百]+)\s?({_SYMBOL})(?![A-Za-z0-9²³^/])", _scaled_unit),
    (
        rf"(?<=\d)(?P<scale>[百千万亿]*)(?P<unit>元|美元|港元|欧元)/(?P<each>{_SYMBOL})(?![/A-Za-z0-9²³])",
        lambda m: f"{m['scale']}{m['unit']}每{_SYMBOLS[m['each']]}",
    ),
    (
        rf"(?<=\d)(?P<scale>[百千万亿]*)(?P<unit>元|美元|块|块钱|次|毫克|克|升|吨|度|人|米|个|千卡|毫升|港元|欧元)/(?P<each>{_EACH})"
        rf"(?![/A-Za-z])",
        lambda m: f"{m['scale']}{m['unit']}每{m['each']}",
    ),
)
