"""Chinese arithmetic, fractions, ranges and plain numbers in words.

21-19 is a score, a difference or a number of its own: where the sentence does not tell, it stays unsaid.
"""

import re

from pipeline.text.replacements import compile_rules
from pipeline.text.scripts import HAN
from pipeline.text.verbalize.chinese.context import LEFT, RIGHT, after, clause_before, is_maths, is_score, left_of
from pipeline.text.verbalize.chinese.numbers import MOST_DIGITS, NUMBER, cardinal, number

_OPERATORS = {
    "+": "加",
    "-": "减",
    "−": "减",
    "–": "减",
    "×": "乘",
    "x": "乘",
    "X": "乘",
    "*": "乘",
    "÷": "除以",
    "/": "除以",
    "=": "等于",
    "≠": "不等于",
    "≈": "约等于",
    "<": "小于",
    ">": "大于",
    "≤": "小于等于",
    "≥": "大于等于",
    "±": "正负",
}
_POWER = r"(?:\^-?\d{1,3}|[²³])"
_OPERAND = (
    rf"(?:-?(?:{NUMBER})(?:[a-z](?![A-Za-z])|%|π)?{_POWER}?|-?[A-Za-z](?![A-Za-z']){_POWER}?|√\d+"
    rf"|π(?:[A-Za-z](?![A-Za-z]))?{_POWER}?)"
)
_OPERATOR = r"[-+−–×xX*÷/=≠≈<>≤≥±]"
_EXPRESSION = (
    rf"{LEFT}{_OPERAND}(?:\s?{_OPERATOR}\s?{_OPERAND})+(?![A-Za-z0-9_(（\[^²³]|\s?[-+−×*÷/=<>≤≥]\s?[\w(（\[-]|[.,]\d)"
)
_TOKEN = re.compile(rf"{NUMBER}|(?<=\d)[a-z](?!\s?\d)|{_POWER}|{_OPERATOR}|[A-Za-z√π%]")
_STRONG = re.compile(r"\d / \d|[+×*÷=≠≈<>≤≥±√^]|\d\s?[xX]\s?\d")

# Before a measure word two is 两.
_MEASURES = (
    "个|位|人(?!民)|名|次(?!元)|种|倍|张|本|条|件|项|款|杯|句|首|只|篇|步|类|天|年(?!级|代)|小时|分钟|秒|周|段|份|道|家|部|点(?!\\d(?!\\d))|块|盒|瓶|"
    "大|组|米|元|美元|公里|千米|千克|公斤|斤|克|吨|升|毫升|英里|英尺|英寸|匙|汤匙|茶匙|勺|片|颗|根|支|把|辆|台|间|套|层|座|"
    "头|匹|口|双|对|场|节|面|行|列|厘米|毫米|平方|立方|滴|粒|束|朵|棵|袋|包|箱|壶|碗|盘|锅|阶段|方面|岁|代|笔|封|艘|架|顿|"
    "趟|遍|回|堂|门|幅|枚|亩|多|千|万|亿|百|刻|港元|欧元|英镑|日元|圈|轮|成|折|股|批|瓣|排|串|罐|桶|晚|夜|边|端|侧"
)
# Before these it stays 二: a number in a row, not a count.
_ORDINAL_LEFT = re.compile(r"(?:第|周|星期|礼拜|初|农历|[\d一二三四五六七八九十零]|月|[.年:/])$")
_MAY_BE_DATE_LEFT = re.compile("日期|截止|(?<!等)于$|在$")
_MAY_BE_DATE_RIGHT = re.compile("[在到页]|截止|举行|开始|当天|那天|是.{0,4}[节日]")
_YEARS = range(1900, 2100)


def _power(text: str) -> str:
    exponent = {"²": "2", "³": "3"}.get(text, text.lstrip("^"))
    named = {"2": "的平方", "3": "的立方"}.get(exponent)
    minus = "负" if exponent.startswith("-") else ""
    return named or f"的{minus}{cardinal(int(exponent.lstrip('-')))}次方"


def _expression(match: re.Match[str]) -> str:
    text = match[0]
    if not re.search(r"\d|π|[A-Za-z] ?[=≠≈<>≤≥] ?[A-Za-z]", text) or (
        not _STRONG.search(text) and not is_maths(match)
    ):
        return text
    if re.fullmatch(rf"{NUMBER}[-–/]{NUMBER}", text) and (not is_maths(match) or is_score(match)):
        return text
    if re.fullmatch(rf"{NUMBER}/{NUMBER}", text) and not re.search(r"\d / \d", text):
        return text
    return _spoken(text) or text


def _spoken(text: str) -> str | None:
    words: list[str] = []
    operand_next = True
    tokens = [found[0] for found in _TOKEN.finditer(text)]
    for i, token in enumerate(tokens):
        if token == "%":
            if not words:
                return None
            words[-1] = f"百分之{words[-1]}"
        elif token == "-" and operand_next:
            words.append("负")
        elif token in _OPERATORS and not (token in "xX" and (operand_next or _ends_operand(tokens, i))):
            words.append(_OPERATORS[token])
            operand_next = True
            continue
        elif token[0] in "^²³":
            words.append(_power(token))
        elif token[0].isdigit():
            said = number(token)
            if said is None:
                return None
            words.append(said)
        else:
            words.append({"√": "根号", "π": "派"}.get(token, token))
        operand_next = token in ("-", "√")
    return "".join(words)


def _ends_operand(tokens: list[str], i: int) -> bool:
    """Whether the x at this place is a variable behind its coefficient, since an operator or nothing follows."""
    return i + 1 == len(tokens) or (tokens[i + 1] in _OPERATORS) or tokens[i + 1][0] in "^²³"


def _single_power(match: re.Match[str]) -> str:
    base = match["base"]
    said = number(base) if base[0].isdigit() else base
    return f"{said}{_power(match['power'])}" if said else match[0]


def _fraction(match: re.Match[str]) -> str:
    """Read 3/4 as 四分之三; 12/25 may be a day, and 1/3页 is a page."""
    over, under = int(match["over"]), int(match["under"])
    if not 0 < over < under or under > 100 or _MAY_BE_DATE_LEFT.search(clause_before(match)):
        return match[0]
    following = after(match)
    if over <= 12 and _MAY_BE_DATE_RIGHT.match(following):
        return match[0]
    counted = re.match(f"的|决赛|{_MEASURES}", following) is not None
    if not (under <= 10 or over == 1 or under == 100 or counted or match["whole"] or is_maths(match)):
        return match[0]
    whole = f"{cardinal(int(match['whole']))}又" if match["whole"] else ""
    return f"{whole}{cardinal(under)}分之{cardinal(over)}"


def _percent(match: re.Match[str]) -> str:
    said = number(match["n"])
    if said is None:
        return match[0]
    sign = {"": "", "-": "负", "+": "正", "±": "正负"}[match["sign"] or ""]
    return f"{sign}{ {'%': '百', '‰': '千', '‱': '万'}[match['of']] }分之{said}"


def _range(match: re.Match[str]) -> str:
    """Read 10-15 as a range, 21-19 in a game as its score."""
    first, second = match["first"], match["second"]
    low, high = float(first.replace(",", "")), float(second.replace(",", ""))
    mark, left = match["mark"].strip(), left_of(match)
    of = match["of"] or ""
    if is_score(match) and mark == "-" and not of:
        return f"{number(first)}比{number(second)}"
    hyphen = mark in "-–"
    if hyphen and (
        re.search(r"(?:[图表例题式节栋座]|波音|空客|型号|编号)\s?$", left)
        or (len(first) > 1 and first[0] == "0" and first[1] != ".")
    ):
        return match[0]
    if hyphen and is_maths(match) and mark != match["mark"]:
        return f"{number(first)}减{number(second)}"
    if low >= high:
        return match[0]
    scale = re.match(r"\s?[万亿]", match.string[match.end() : match.end() + 20])
    of = of or ("%" if after(match).startswith("%") else "")
    if of:
        return f"{first}{of}到{second}"
    if scale and first.isdigit() and int(first) > 999:
        return match[0]
    return f"{_counted(first, match)}到{second}"


def _counted(text: str, match: re.Match[str]) -> str:
    """Read the first number of a range by what follows the second: 1-2次 has 一, 2-3次 has 两."""
    if text == "2" and re.match(_MEASURES, after(match)) and not _ORDINAL_LEFT.search(left_of(match)):
        return "两"
    return number(text) or text


def _plain(match: re.Match[str]) -> str:
    text, rest = match["n"], match.string[match.end() : match.end() + 20]
    if _is_unsure(match, text, rest):
        return match[0]
    words = number(text)
    if words is None:
        return match[0]
    left = left_of(match)
    if text == "2" and not match["sign"] and re.match(_MEASURES, rest) and not _ORDINAL_LEFT.search(left):
        words = "两"
    sign = {"": "", "-": "负", "−": "负", "+": "正", "±": "正负"}[match["sign"] or ""]
    return f"{sign}{words}{'多' if match['plus'] else ''}"


def _is_unsure(match: re.Match[str], text: str, rest: str) -> bool:
    """Whether the digits could be a year or a number of somebody or something, which are read one by one."""
    if match["sign"] or not text.isdigit():
        return bool(re.search(r"[A-Za-z)）\]]\s?$", left_of(match))) and bool(match["sign"])
    if len(text) > MOST_DIGITS:
        return True
    beside = (re.match(r"\s\d{3,4}(?!\d)", rest) and len(text) <= 3) or re.search(r"(?<!\d)\d{1,3}\s$", left_of(match))
    if beside:
        return True
    counted = re.match(
        rf"\s?(?:{_MEASURES}|户|分|卡|册|字|页|株|城|所|国|步|词|兆|吉|毫|微|纳|太|度|伏|瓦|摄|余)", rest
    )
    if counted or is_maths(match):
        return False
    if len(text) == 4 and int(text) in _YEARS:
        return True
    return len(text) > 4 and int(text) % 100 != 0


def _negative(match: re.Match[str]) -> str:
    return f"负{number(match['n'])}"


EARLY = compile_rules(
    (rf"{LEFT}\d{{1,3}}(?:,\d{{3}})+(?![\d])", lambda m: m[0].replace(",", "")),
    (rf"{LEFT}\d{{1,3}}(?:\s\d{{3}}){{2,}}(?![\d/-]|\s\d)", lambda m: re.sub(r"\s", "", m[0])),
    (rf"{LEFT}\d{{1,2}}(?:,\d{{1,2}}){{2,}}(?![\d/-])", lambda m: "、".join(m[0].split(","))),
    (r"(?<!\d)7\s?[×x*]\s?24(?!\d)|(?<!\d)24/7(?!\d)", "七乘二十四"),
    (r"(?<![\d%‰℃°万亿元米个岁天])[~～](?=[$€£¥]?\d)", "约"),
    (r"(?<![A-Za-z])[Nn]o\.\s?(?=\d)|№\s?(?=\d)", "第"),
    (r"#(?=\d)", "第"),
)

RANGES = compile_rules(
    (
        rf"{LEFT}(?P<first>{NUMBER})(?P<of>[%℃°]|°C|[元块米岁天年月日号个次人度分秒斤]|美元|小时|分钟|公里|毫升|千克|公斤|厘米)?"
        rf"(?P<mark>\s?[-–—~～]+\s?)(?P<second>{NUMBER})(?![\d/:-]|[.,]\d|\s?[=*÷×+])",
        _range,
    ),
)

EXPRESSIONS = compile_rules(
    (_EXPRESSION, _expression),
    (rf"{LEFT}(?P<base>[A-Za-z]|{NUMBER})(?P<power>{_POWER})(?![A-Za-z0-9^])", _single_power),
    (r"(?<![\w/])π/(\d)(?![\d/.])", lambda m: f"{cardinal(int(m[1]))}分之派"),
    (r"√(\d{1,6})(?![\d.])", lambda m: f"根号{cardinal(int(m[1]))}"),
    (rf"(?<=[\d{HAN}])\s*=\s*(?=[-\d{HAN}])", "等于"),
    (rf"(?<=[{HAN}])\s*>\s*(?=\d)", "大于"),
    (rf"(?<=[{HAN}])\s*<\s*(?=\d)", "小于"),
    (rf"(?:(?<=[{HAN}])|(?<=^))\s?≥\s?(?=\d)", "大于等于"),
    (rf"(?:(?<=[{HAN}])|(?<=^))\s?≤\s?(?=\d)", "小于等于"),
    (r"\s?≈\s?", "约等于"),
    (rf"(?<=[{HAN}])\s?≠\s?(?=[\d{HAN}])", "不等于"),
)

WHOLE = compile_rules(
    (rf"(?:{LEFT}|(?<=到))(?P<sign>[-+±])?(?P<n>{NUMBER})\s?(?P<of>[%‰‱])(?!\s?[\dA-Za-z])", _percent),
    (rf"{LEFT}(?:(?P<whole>\d{{1,3}})又)?(?P<over>\d{{1,3}})/(?P<under>\d{{1,3}}){RIGHT}", _fraction),
    (rf"(?:(?<=[是为到至于得约和或、，：（(\[ 温度值在了])|(?<=^))(?<!\d\s)[-−](?P<n>{NUMBER}){RIGHT}", _negative),
    (rf"{LEFT}[-−](?P<n>{NUMBER})(?=摄氏度|度|℃){RIGHT}", _negative),
    (
        rf"(?:{LEFT}|(?<=[到乘])|(?<=[{HAN}]\+))(?P<sign>[+±])?(?P<n>{NUMBER})(?P<plus>\+(?=\s?(?:{_MEASURES})))?{RIGHT}",
        _plain,
    ),
)
