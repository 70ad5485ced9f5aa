"""Chinese dates, years, times of day and scores in words.

3:20 is a time or a score: the words of the sentence decide. 98年 is a year or a span of years, and unsaid where
neither is sure.
"""

import re

from pipeline.text.replacements import compile_rules
from pipeline.text.verbalize.characters import unsure
from pipeline.text.verbalize.chinese.context import LEFT, RIGHT, after, is_ratio, is_score, left_of
from pipeline.text.verbalize.chinese.numbers import NUMBER, cardinal, digits, number

_YEAR = r"(?:1[0-9]\d\d|20\d\d)"
_SPAN = re.compile(
    r"(?:多|余)?(?:[个]|来|间|以来|之久|之间|的?历史|的?时间|以上|以内|左右|期|前|后|之前|之后|内|里|的)"
)
_EVENTS = (
    "事变|事件|运动|晚会|惨案|地震|战役|起义|暴动|大促|购物节|维权|消费者|恐怖袭击|袭击|精神|纪念日|国际劳动|"
    "妇女节|建军节|青年节|讲话"
)
_KNOWN_DAYS = frozenset(
    {"9·18", "3·15", "7·7", "5·4", "5·12", "12·9", "1·28", "6·18", "8·1", "9·11", "5·1", "4·12", "3·8"}
)
_MONTH_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def _date(match: re.Match[str]) -> str:
    month, day = int(match["month"]), int(match["day"])
    if not 1 <= month <= 12 or not 1 <= day <= _MONTH_DAYS[month - 1]:
        return match[0]
    ending = "" if after(match).startswith(("日", "号")) else "日"
    return f"{digits(match['year'])}年{cardinal(month)}月{cardinal(day)}{ending}"


def _years(match: re.Match[str]) -> str:
    return f"{digits(match['first'])}年到{digits(match['last'])}年"


def _season(match: re.Match[str]) -> str:
    first, last = match["first"], match["last"]
    if (int(first) + 1) % 10 ** len(last) != int(last):
        return match[0]
    return f"{digits(first)}{'' if match['mark'] == '/' and len(last) == 2 else '到'}{digits(last)}"


def _year(match: re.Match[str]) -> str:
    """Read 1998年 digit by digit; 2000年前 may be two thousand years ago, and 1500年历史 is a span."""
    year, rest = match["year"], match.string[match.end() : match.end() + 20]
    if re.match(r"年(?:多|余|的?历史|之久|的时间|的文明)", rest):
        return cardinal(int(year))
    if year == "1000" or (year.endswith("000") and not re.match(r"年(?:\d|[春夏秋冬初底末的在]|[，。、]|$)", rest)):
        return unsure(year)
    return digits(year)


def _short_year(match: re.Match[str]) -> str:
    """Read 98年 where it is a year for sure, or a span for sure."""
    text, left = match["year"], left_of(match)
    if text[0] == "0":
        return digits(text)
    if re.match(r"年\d{1,2}月", match.string[match.end() : match.end() + 4]) and not left.endswith(("了", "过")):
        return digits(text)
    if int(text) < 50:
        return cardinal(int(text))
    if _SPAN.match(match.string, match.end() + 1) or re.search(r"[了过近约达共满第]\s?$|已经$|长达$|公元前?$", left):
        return cardinal(int(text))
    if re.search(r"[从在自于]\s?$", left) or re.match(
        r"年(?:\d{1,2}月|[春夏秋冬初底末]|世界杯|毕业|出生|生)", match.string[match.end() : match.end() + 20]
    ):
        return digits(text)
    return unsure(text)


def _event(match: re.Match[str]) -> str:
    text = f"{match['month']}·{match['day']}"
    known = text in _KNOWN_DAYS or re.match(rf"[”\"』」]?(?:{_EVENTS})", after(match))
    if not known or (len(match["month"]) == 2 and text not in _KNOWN_DAYS):
        return match[0]
    return digits(text)


def _clock(match: re.Match[str]) -> str:
    """Read 3:20 as a time, or as 三比二十 where the sentence has a score or a ratio."""
    hour, minute = int(match["hour"]), int(match["minute"])
    if is_score(match) or is_ratio(match):
        return match[0]
    if hour > 24:
        return match[0]
    if minute == 0:
        return f"{_hour(hour)}点"
    return f"{_hour(hour)}点{'零' if minute < 10 else ''}{cardinal(minute)}分"


def _hour(hour: int) -> str:
    return "两" if hour == 2 else cardinal(hour)


def _versus(match: re.Match[str]) -> str:
    first, second = match["first"], match["second"]
    if len(second.replace(",", "")) == 2 and "." not in second and not (is_score(match) or is_ratio(match)):
        return match[0]
    one, two = number(first), number(second)
    return f"{one}比{two}{match['scale']}" if one and two else match[0]


_BOOKS = (
    "福音|创世[记纪]|出埃及记|利未记|民数记|申命记|诗篇|箴言|以赛亚书|耶利米书|使徒行传|罗马书|林多[前后]书|启示录"
)

DATES = compile_rules(
    (rf"{LEFT}(?P<year>{_YEAR})(?P<m>[-/.])(?P<month>\d\d?)(?P=m)(?P<day>\d\d?)(?:日|号)?{RIGHT}", _date),
    (rf"{LEFT}(?P<first>{_YEAR})(?P<mark>[/-])(?P<last>\d\d|{_YEAR})(?=赛季|学年|年度|财年)", _season),
    (rf"{LEFT}(?P<first>\d\d)(?P<mark>[/-])(?P<last>\d\d)(?=赛季)", _season),
    (rf"{LEFT}((?:19|20)\d\d)(?=款)", lambda m: digits(m[1])),
    (rf"{LEFT}10\.1(?=国庆|长假|假期|黄金周)", "十一"),
    (
        rf"{LEFT}(5\.1|3\.8|6\.1|5\.4|8\.1)(?=假期|小长假|长假|黄金周|劳动节|妇女节|儿童节|青年节|建军节|节(?![目奏省约日]))",
        lambda m: digits(m[1]),
    ),
    (rf"{LEFT}(?P<first>{_YEAR})年?\s?[-–—~～至到]+\s?(?P<last>{_YEAR})(?:年(?!代)|{RIGHT}(?!年代))", _years),
    (
        r"(?P<week>周|星期|礼拜)(?P<day>[一二三四五六日天])\s?[-–—~～]+\s?(?=(?:周|星期|礼拜)?[一二三四五六日天](?!月|年|点))",
        r"\g<week>\g<day>到",
    ),
    (
        rf"(?P<book>{_BOOKS})\s?(?P<chapter>\d{{1,3}}):(?P<verse>\d{{1,3}}){RIGHT}",
        lambda m: f"{m['book']}{cardinal(int(m['chapter']))}章{cardinal(int(m['verse']))}节",
    ),
    (rf"{LEFT}(\d{{4}}|\d0)(?=年代)", lambda m: digits(m[1]) if len(m[1]) == 4 else cardinal(int(m[1]))),
    (rf"{LEFT}(1\d|20)(\d0)['’]?s(?![A-Za-z])", lambda m: f"{digits(m[1])}{digits(m[2])}年代"),
    (rf"{LEFT}([0-9]0|[0-9]5)(?=后(?:[^面来天续的]|的(?:年轻|孩子|父母|家长|员工)|$))", lambda m: digits(m[1])),
    (rf"{LEFT}(?P<year>{_YEAR})(?=年)", _year),
    (rf"{LEFT}(?P<year>\d\d)(?=年(?!级|龄|薪|代))", _short_year),
    (rf"{LEFT}(?P<month>\d\d?)[·•・](?P<day>\d\d?){RIGHT}", _event),
    (rf"{LEFT}(?P<month>\d\d?)\.(?P<day>\d\d?)(?=[”\"』」]?(?:事变|事件|晚会|惨案|恐怖袭击))", _event),
    (
        rf"{LEFT}(\d)(\d\d?)(?=[”\"』」]?(?:事变|晚会|惨案|大地震|大促|购物节|维权日|消费者权益日))",
        lambda m: digits(m[0]),
    ),
    (r"双\s?(11|12)(?!\d|[.:]\d)", lambda m: f"双{cardinal(int(m[1]))}"),
    (
        rf"{LEFT}(?P<hour>0?[1-9]|1[0-2]):(?P<minute>[0-5]\d)\s?(?P<half>[aApP])\.?[mM]\b\.?",
        lambda m: f"{'上午' if m['half'] in 'aA' else '下午'}{_clock(m)}",
    ),
    (r"(?<=\d:[0-5]\d)\s?[-–—~～至]+\s?(?=\d\d?:[0-5]\d(?!\d|:))", "到"),
    (rf"(?:{LEFT}|(?<=到))(?P<hour>\d\d?):(?P<minute>[0-5]\d)(?:分(?!钟|之))?{RIGHT}(?!:)", _clock),
    (rf"{LEFT}(?P<first>{NUMBER}):(?P<second>{NUMBER})(?P<scale>[百千万亿]*){RIGHT}(?!:)", _versus),
)
