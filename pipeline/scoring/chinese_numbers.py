"""Turn Chinese numerals into digits.

As in English, many spoken forms have the same digits (2024 is 两千零二十四 or 二零二四), so numerals become the digits
that a recognizer prints for them. Two digits side by side without a unit are left alone: 三四个 is "three or four",
not 34.
"""

import re
from decimal import Decimal
from typing import NamedTuple

_DIGITS = {character: value for value, character in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2, "幺": 1}
_UNITS = frozenset("十百千万亿")
_SCALES = {"万亿": 10**12, "亿": 10**8, "万": 10**4}
_PLAIN_DIGITS = str.maketrans("零〇一二三四五六七八九两幺", "0012345678921")
_ONE_NAME = str.maketrans("〇两", "零二")

_HAS_NUMERAL = re.compile("[0-9零〇一二三四五六七八九两幺十]|百分[之百]")
_STARTS = re.compile("[0-9零〇一二三四五六七八九两幺十]")
_WHOLE = re.compile("百分之?百(?!分)")
_RUN = re.compile("[零〇一二三四五六七八九两幺]+")
_UNIT_RUN = re.compile("[十百千万亿]+")
_SCALE = re.compile("万亿|亿|万")
_DIGIT = r"[一二两三四五六七八九]|(?:0\.|[1-9])[0-9]*(?:\.[0-9]+)?"
_ONE_DIGIT = r"[一二两三四五六七八九]|(?<![0-9.])[1-9](?:\.[0-9]+)?"
# 千米 and 千克 are units of measure, not thousands: 112千米.
_THOUSAND = "千(?![米克瓦卡帕赫伏焦])"
_SECTION = re.compile(
    rf"(?:(?P<thousands>{_ONE_DIGIT}){_THOUSAND})?"
    rf"(?:[零〇]?(?P<hundreds>{_ONE_DIGIT})百)?"
    rf"(?:[零〇]?(?P<tens>(?:{_ONE_DIGIT})?十))?"
    rf"(?:(?P<zero>[零〇]+)?(?P<ones>{_DIGIT})(?!{_THOUSAND}|[十百零〇一二两三四五六七八九幺]|\.?[0-9]))?"
)
_WRITTEN = re.compile(r"[0-9]+(?:\.[0-9]+)*")
_MINUTES = re.compile("[0-5][0-9](?![0-9.])|[零〇][一二三四五六七八九]|[二三四五]?十[一二三四五六七八九]?")
_DIGITS_ALONE = re.compile("[0-9]+")
# Longer numbers are never multiplied by a unit: nobody says that, and a Decimal has 28 digits.
_MAX_DIGITS = 15
_METERS = re.compile("[0-9一二两三四五六七八九]米")
_AFTER_ONE_NUMBER = frozenset("年折后")
# Days of the year and rules that are named by their digits: 五四运动, 二八定律.
_EVENTS = tuple(
    "运动 事变 惨案 青年节 妇女节 国际妇女节 劳动节 国际劳动节 儿童节 国际儿童节 "
    "建军节 国庆 假期 小长假 长假 黄金周 大促 定律 法则".split()
)
# 三点五个小时 is three and a half, 三点五个人 are five people at three.
_DECIMAL_BEFORE = ("个百分点", "个小时", "个月", "个单位", "个点", "个亿", "个百分比")
_TIME_OF_DAY = re.compile("(?:上午|下午|早上|早晨|清晨|中午|晚上|凌晨|傍晚|今晚|今早|明早|明晚|夜里|半夜|午后)$")
# Before these, 一点 is an hour or "a little", not the whole part of a decimal: 八点一刻, 一点一个.
_NOT_DECIMAL_BEFORE = frozenset("刻个起些下定直样切共次点会旦般边开同名位块")


_NOT_PART_BEFORE = _NOT_DECIMAL_BEFORE.union(_UNITS, "半分钟") - {"点"}


class Numeral(NamedTuple):
    """The text that replaces the characters up to `end`."""

    text: str
    end: int


def has_numerals(text: str) -> bool:
    """Whether `digits_of` could change the text."""
    return _HAS_NUMERAL.search(text) is not None


def digits_of(text: str) -> str:
    """Replace the numerals of `text` by digits; everything else stays, also 百, 千, 万 and 亿 without a digit."""
    if "百分" in text:
        text = _WHOLE.sub("百分之100", text)
    result: list[str] = []
    done = at = 0
    while found := _STARTS.search(text, at):
        start = found.start()
        numeral = _numeral(text, start)
        if numeral is None:
            at = start + 1
        else:
            result.append(text[done:start])
            result.append(numeral.text)
            done = at = numeral.end
    result.append(text[done:])
    return "".join(result)


def _numeral(text: str, at: int) -> Numeral | None:
    run = _RUN.match(text, at)
    if run and len(run[0]) > 1:
        return _read_one_by_one(text, run)
    if run and run[0] in "零〇":
        return _after_point(text, at, Numeral("0", at + 1)) or Numeral("0", at + 1)
    number = _value(text, at)
    if number is None or "." in number.text:
        return number
    return _after_point(text, at, number) or number


def _read_one_by_one(text: str, run: re.Match[str]) -> Numeral:
    """Read digits without units, 二零二四. Two of them (三四), or any before a unit (七八百), are an approximation."""
    digits, end = run[0], run.end()
    units = _UNIT_RUN.match(text, end)
    if units:
        return Numeral((digits + units[0]).translate(_ONE_NAME), units.end())
    number = Numeral(digits.translate(_PLAIN_DIGITS), end)
    decimal = _after_point(text, run.start(), number)
    if decimal:
        return decimal
    if len(digits) > 2 or not set("零〇幺").isdisjoint(digits) or _is_one_number(text, run):
        return number
    return Numeral(digits.translate(_ONE_NAME), end)


def _is_one_number(text: str, run: re.Match[str]) -> bool:
    """Tell numbers from approximations by what follows.

    九八年 is a year, 八五折 a discount, 一米七五 a height; 三四年 are three or four years, 一二年级 two grades.
    """
    if _METERS.match(text, max(0, run.start() - 2)):
        return True
    if text.startswith(_EVENTS, run.end()):
        return True
    first, second = (_DIGITS[digit] for digit in run[0])
    return text[run.end() : run.end() + 1] in _AFTER_ONE_NUMBER and second != first + 1


def _value(text: str, at: int) -> Numeral | None:
    """Read a number with units (三千五百, 5百万, 1.5亿), a single digit, or digits as they are written."""
    written = _WRITTEN.match(text, at)
    if written and (len(written[0]) > _MAX_DIGITS or text[written.end() : written.end() + 1] not in _UNITS):
        return Numeral(written[0], written.end())
    total, end, limit = Decimal(0), at, 10**16
    while True:
        skipped = end > at and text[end : end + 1] in ("零", "〇")
        found = _SECTION.match(text, end + skipped)
        if found is None or found.end() == found.start():
            break
        scale_found = _SCALE.match(text, found.end())
        scale = _SCALES[scale_found[0]] if scale_found else 1
        if scale >= limit:
            break
        if end == at and scale == 1 and found.end() == found.end("ones") and found.start("ones") == at:
            return Numeral(found[0].translate(_PLAIN_DIGITS), found.end())
        is_short = scale == 1 and found.start("ones") == end and found["ones"] in _DIGITS and end > at
        total += _section(found) * (limit // 10 if is_short else scale)
        end, limit = (scale_found.end() if scale_found else found.end()), scale
        if scale == 1:
            break
    if end == at:
        return None
    return Numeral(f"{total.normalize():f}", end)


def _section(found: re.Match[str]) -> Decimal:
    """Compute a value below ten thousand. A last digit without a zero before it counts the next lower unit: 二百五."""
    value = Decimal(0)
    lower = 1
    for name, unit in (("thousands", 1000), ("hundreds", 100)):
        if found[name]:
            value += _digit(found[name]) * unit
            lower = unit // 10
    if found["tens"]:
        value += _digit(found["tens"][:-1] or "一") * 10
        lower = 1
    if found["ones"]:
        is_short = not found["zero"] and found["ones"] in _DIGITS
        value += _digit(found["ones"]) * (lower if is_short else 1)
    return value


def _digit(text: str) -> Decimal:
    return Decimal(text.translate(_PLAIN_DIGITS))


def _after_point(text: str, start: int, whole: Numeral) -> Numeral | None:
    """Read 三点一四 as 3.14 and 三点二十 as 3点20分; return None where 点 means neither."""
    point = whole.end
    if text[point : point + 1] != "点":
        return None
    time = _time(text, start, whole, point + 1)
    if time:
        return time
    digits = _RUN.match(text, point + 1) or _DIGITS_ALONE.match(text, point + 1)
    if digits is None:
        return None
    if _is_little(text, whole, digits):
        return None
    decimal = f"{whole.text}.{digits[0].translate(_PLAIN_DIGITS)}"
    parts = _further_parts(text, digits.end())
    if parts.text:
        return Numeral(decimal + parts.text, parts.end)
    scale = _SCALE.match(text, digits.end())
    if scale and len(decimal) <= _MAX_DIGITS:
        return Numeral(f"{(Decimal(decimal) * _SCALES[scale[0]]).normalize():f}", scale.end())
    return Numeral(decimal, digits.end())


def _is_little(text: str, whole: Numeral, digits: re.Match[str]) -> bool:
    """Whether 点 is an hour or "a little" for the one digit that follows: 八点一刻, 一点一个."""
    following = text[digits.end() : digits.end() + 1]
    if following not in _NOT_DECIMAL_BEFORE or len(digits[0]) > 1:
        return False
    if (whole.text == "0" and following in "个次位名块") or (following == "点" and digits[0] in "零〇0"):
        return False
    return not text.startswith(_DECIMAL_BEFORE, digits.end())


def _further_parts(text: str, at: int) -> Numeral:
    """Read the further parts of a version or an address: the .0.1 of 192.168.0.1, each said with 点."""
    parts = ""
    while text[at : at + 1] == "点":
        digits = _RUN.match(text, at + 1) or _DIGITS_ALONE.match(text, at + 1)
        if digits is None or text[digits.end() : digits.end() + 1] in _NOT_PART_BEFORE:
            break
        parts += "." + digits[0].translate(_PLAIN_DIGITS)
        at = digits.end()
    return Numeral(parts, at)


def _time(text: str, start: int, hour: Numeral, at: int) -> Numeral | None:
    """Read the minutes of an hour. Speakers may leave out 分 where they cannot be a decimal (三点二十)."""
    minutes = _MINUTES.match(text, at)
    if minutes is None or len(hour.text) > 2 or int(hour.text) > 24:
        return None
    end = minutes.end()
    has_suffix = text[end : end + 1] == "分" and text[end + 1 : end + 2] not in ("钟", "之")
    may_be_decimal = minutes[0][0] in "零〇"
    if may_be_decimal and not has_suffix and not _TIME_OF_DAY.search(text, max(0, start - 2), start):
        return None
    if text[end : end + 1] in _UNITS:
        return None
    value = _value(minutes[0].lstrip("零〇"), 0)
    spoken = minutes[0] if value is None or minutes[0].isdecimal() else value.text
    return Numeral(f"{hour.text}点{spoken.rjust(2, '0')}分", end + has_suffix)
