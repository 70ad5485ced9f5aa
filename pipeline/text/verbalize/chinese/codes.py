"""Chinese telephone numbers, addresses, versions, models and numbers that are read digit by digit."""

import re

from pipeline.text.replacements import compile_rules
from pipeline.text.verbalize.chinese.context import LEFT, sentence
from pipeline.text.verbalize.chinese.numbers import cardinal, digits, telephone

_DIALED = (
    "拨打|拨通|拨|致电|请打|打电话|打|热线|电话|客服|号码|手机|手机号|报警|急救|火警|来电|联系方式|座机|传真|咨询|"
    "微信|QQ"
)
_NUMBERED = (
    "房间号?|航班号?|车次|编号|学号|工号|邮编|邮政编码|密码|验证码|账号|卡号|代码|尾号|车牌号?|单号|订单号|快递单号|证号|"
    "身份证号?|门牌号?|门禁|序列号|股票代码|错误码|状态码|错误代码|区号|提取码|口令|型号"
)
# Weapons, rockets, ships and aircraft, whose hyphen is not heard.
_MODELS = (
    "歼|轰|运|直|东风|长征|神舟|嫦娥|天宫|红旗|鹰击|霹雳|图|苏|米格|伊尔|波音|空客|北斗|玉兔|天问|翼龙|彩虹|巨浪|天舟|"
    "蛟龙|风云|高分|问天|梦天|歼轰|武直|运油|巡飞"
)
_SCHEMES = "高校|院校|大学|工程|学校|名校|毕业|院系"


def _dialed(match: re.Match[str]) -> str:
    groups = re.findall(r"\d+", match[0])
    return "，".join(telephone(group) for group in groups)


def _mobile(match: re.Match[str]) -> str:
    return telephone(match[0])


def _after_word(match: re.Match[str]) -> str:
    return f"{match['word']}{telephone(match['number'])}"


def _identified(match: re.Match[str]) -> str:
    return f"{match['word']}{digits(match['number'])}"


def _dotted(match: re.Match[str]) -> str:
    """Read 3.11.2 as 三点一一点二 and 192.168.0.1 digit by digit."""
    groups = match["version"].split(".")
    if len(groups) > 2 and all(len(group) == 3 for group in groups[1:]):
        return match[0]
    if len(groups) == 3 and len(groups[0]) == 4:  # a date that does not exist
        return match[0]
    first = cardinal(int(groups[0])) if len(groups[0]) < 3 else digits(groups[0])
    return "点".join([first, *map(digits, groups[1:])])


def _model(match: re.Match[str]) -> str:
    return f"{match['name']}{_number(match['number'])}"


def _code(match: re.Match[str]) -> str:
    return f"{match['letters']}{_number(match['number'])}{match['tail'] or ''}"


def _number(text: str) -> str:
    """Read up to two digits as a number, and more one by one, unless they are round ("A100")."""
    if text[0] == "0" or (len(text) > 2 and not re.fullmatch(r"[1-9]0{2,3}", text)):
        return digits(text)
    return cardinal(int(text))


def _school(match: re.Match[str]) -> str:
    """Read 985 and 211 as the names of two groups of universities, where the sentence speaks of such."""
    return (
        digits(match[0])
        if re.search("大学|高校|院校|考上|考进|毕业|学历|名校|学校|录取|本科", sentence(match))
        else match[0]
    )


def _spelled(match: re.Match[str]) -> str:
    text = re.sub(r"^https?://", "", match[0]).rstrip("/")
    return text.replace(".", "点").replace("/", "斜杠").replace("-", "杠")


ADDRESSES = compile_rules(
    (
        r"(?<![A-Za-z0-9@._/-])(?:https?://)?(?:[A-Za-z][A-Za-z-]*\.)+(?:com|org|net|cn|edu|gov|io|js|html|pdf|txt|py)"
        r"(?:/[A-Za-z-]+)*/?(?![A-Za-z0-9@_?=/-]|\.[A-Za-z0-9])",
        _spelled,
    ),
)

CODES = compile_rules(
    # Telephone numbers.
    (rf"{LEFT}(?:\+?86[\s-]?)?1[3-9]\d(?:[\s-]?\d{{4}}){{2}}(?![\dA-Za-z%./-])", _dialed),
    (rf"{LEFT}400-?\d{{3}}-?\d{{4}}(?![\dA-Za-z%./-])", _dialed),
    (rf"{LEFT}0\d{{2,3}}-\d{{7,8}}(?![\dA-Za-z%./-])", _dialed),
    (rf"{LEFT}0\d{{2,3}}-\d{{3,4}}[-\s]\d{{4}}(?![\dA-Za-z%./-])", _dialed),
    (
        rf"{LEFT}(?:\d{{3,4}}-)?\d{{3,4}}-\d{{4}}(?![\dA-Za-z%./-])(?!年)(?<!19\d\d-\d{{4}})(?<!20\d\d-\d{{4}})",
        _dialed,
    ),
    (
        rf"(?P<word>(?:{_DIALED})[了是为：:的]{{0,2}}\s?[“\"]?)(?P<number>\d{{3,12}})(?![\d.A-Za-z%年月日个元块次分人]|[-/]\d)",
        _after_word,
    ),
    (rf"{LEFT}(1(?:10|19|20|22))(?=报警|急救|火警|电话|热线|救护车|指挥中心)", _mobile),
    (rf"{LEFT}(1\d{{4}}|9\d{{4}})(?=热线|客服|电话|平台|官网)", _mobile),
    # Numbers by their words.
    (
        rf"(?P<word>(?:{_NUMBERED})(?:是|为|号|号是|码是)?[：:“\"]?\s?)(?P<number>\d{{3,18}}(?:\s\d{{3,4}})*)(?![\d.A-Za-z%]|[-/\s]\d)",
        _identified,
    ),
    (rf"{LEFT}([45]\d\d)(?=\s?(?:错误|报错|页面|状态码|错误码))", lambda m: _number(m[1])),
    (rf"{LEFT}(985|211)(?=(?:[、和/与或及]?(?:985|211))?[、和/与或及]?(?:{_SCHEMES}))", lambda m: digits(m[1])),
    (rf"(?<=九八五)([、和/与或及]?)(211)(?={_SCHEMES})", lambda m: m[1].replace("/", "、") + digits(m[2])),
    (rf"(?<=二一一)([、和/与或及]?)(985)(?={_SCHEMES})", lambda m: m[1].replace("/", "、") + digits(m[2])),
    (rf"{LEFT}(985|211)(?![\d.,%年月日元个块分人次米克台万亿A-Za-z])", _school),
    (rf"{LEFT}([1-9][1-9])(?=折)", lambda m: digits(m[1])),
    (r"(?<=[零幺二三四五六七八九]转)(\d{1,5})(?!\d)", lambda m: digits(m[1])),
    (r"(?<=[A-Z]座)(\d{3,4})(?![\d.A-Za-z])", lambda m: digits(m[1])),
    (rf"{LEFT}(\d{{3,4}})(?=室|号房|房间|宿舍|房(?![价地产屋子东]))", lambda m: digits(m[1])),
    (r"((?:网页|页面|网站|服务器|接口|返回|报错?|显示)了?)(40\d|50[1-9])(?![\d.])", lambda m: f"{m[1]}{digits(m[2])}"),
    (r"(?<![A-Za-z0-9])(K?N)95(?![A-Za-z0-9.])", r"\1九五"),
    # Brands and things that bear a number.
    (
        rf"{LEFT}(?:502(?=胶)|360(?=浏览器|安全|卫士|公司|搜索|手机助手|杀毒)|58(?=同城|到家)|301(?=医院)|711(?=便利)"
        r"|101(?=忠狗|次求婚)|520(?=表白|告白|情人|礼物))",
        lambda m: digits(m[0]),
    ),
    (rf"{LEFT}400(?=电话|热线|客服)", lambda m: digits(m[0])),
    (r"(?<=单元)(\d{3,4})(?![\d.A-Za-z]|[人户家])", lambda m: digits(m[1])),
    (rf"{LEFT}996(?=[^\d.,个元人次年块份名台米斤件])(?!万|亿)|{LEFT}996$", lambda m: digits(m[0])),
    (rf"{LEFT}(\d{{3}})(?=路(?![人程口灯线由])|室|国道|省道|号房|房间|宿舍)", lambda m: _number(m[1])),
    # Versions and net addresses.
    (
        r"(?<![A-Za-z0-9_.-])[vV](?P<version>\d{1,3}(?:\.\d{1,3}){1,3})(?![A-Za-z0-9/_]|\.\d)",
        lambda m: f"V{_dotted(m)}",
    ),
    (rf"(?:{LEFT}|(?<=[A-Za-z]))(?P<version>\d{{1,4}}(?:\.\d{{1,4}}){{2,}})(?![A-Za-z0-9/:_,-]|\.\d)", _dotted),
    # Models.
    (rf"(?P<name>{_MODELS})\s?[-－—–]\s?(?P<number>\d{{1,4}})(?![\d./:%-])(?P<tail>)", _model),
    (r"(?P<name>骁龙|天玑|麒麟|锐龙|诺基亚|标致)\s?(?P<number>\d{3,4})(?!\d|[-./]\d)", _model),
    (r"(?P<name>波音|空客)(?P<number>\d{3})(?!\d|[-./]\d)", _model),
    # A decimal behind a name: "PM2.5", "Python3.11", "GPT-3.5".
    (
        r"(?<![A-Za-z0-9_.-])(?P<name>[A-Za-z][A-Za-z+]*)[\s-]?(?P<whole>\d{1,3})\.(?P<part>\d{1,3})(?![\dA-Za-z%/_-]|\.\d|[万亿元个])",
        lambda m: f"{m['name']}{cardinal(int(m['whole']))}点{digits(m['part'])}",
    ),
)

LETTERED = compile_rules(
    (
        r"(?<![A-Za-z0-9_./-])(\d)\s?[vV](?:[sS]\.?)?\s?(\d)(?![A-Za-z0-9_.])",
        lambda m: f"{cardinal(int(m[1]))}对{cardinal(int(m[2]))}",
    ),
    (
        r"(?<![A-Za-z0-9_./-])(?P<letters>[A-Za-z]+)\s?-?(?P<number>\d{1,4})(?P<tail>[A-Z])?(?![A-Za-z0-9_.%/^²³-]|:\d|\s?[=+*×÷<>]|,\d)",
        _code,
    ),
    # "H2O", "C6H12O6".
    (
        r"(?<![A-Za-z0-9_./-])(?:[A-Z][a-z]?\d{1,2})+[A-Z][a-z]?(?:\d{1,2})?(?![A-Za-z0-9_./^])",
        lambda m: re.sub(r"\d+", lambda n: cardinal(int(n[0])), m[0]),
    ),
    (rf"{LEFT}(\d{{1,3}})(?P<tail>[GKDCPW])(?![A-Za-z0-9_/+.-])", lambda m: f"{cardinal(int(m[1]))}{m['tail']}"),
    (r"(?<=[A-Za-z])2(?=[A-Z](?![a-z]))", "二"),
)
