"""Correct Chinese text before and after the normalizer, by tables of (pattern, replacement) applied in order.

`BEFORE` repairs what wetext 0.1.8 misreads; `AFTER` tidies its output. The comment on each group says what goes wrong
without it.
"""

import re

from pipeline.text.replacements import compile_rules
from pipeline.text.scripts import HAN

_DIGITS = dict(zip("0123456789", "零一二三四五六七八九", strict=True))
_PHONE_DIGITS = _DIGITS | {"1": "幺"}
# Before a measure word two is 两; wetext knows 个, 位, 人, 米 and a few more.
_MEASURES = (
    "次|种|倍|张|本|条|件|项|款|杯|句|首|只|篇|步|类|天|年(?!级)|小时|分钟|周|段|份|道|家|部|点钟|块|盒|瓶|名|大|组"
)


def _telephone(match: re.Match[str]) -> str:
    groups = re.findall(r"\d+", match.group())
    return "，".join("".join(_PHONE_DIGITS[digit] for digit in group) for group in groups)


def _decimal(match: re.Match[str]) -> str:
    return match[1] + "点" + "".join(_DIGITS[digit] for digit in match[2])


BEFORE = compile_rules(
    # Half-width punctuation beside Chinese text.
    (r"(?<=[^\x00-\x7f]),\s?|,\s?(?=[^\x00-\x7f])", "，"),
    (r"(?<=[^\x00-\x7f])\.(?=\s|$|[^\x00-\x7f])|(?<=\d)\.(?=\s|$)", "。"),
    (r"(?<=[^\x00-\x7f])\?|\?(?=\s|$|[^\x00-\x7f])", "？"),
    (r"(?<=[^\x00-\x7f])!|!(?=\s|$|[^\x00-\x7f])", "！"),
    # Blanks around numbers, as word processors set them.
    (rf"(?<=\d)\s+(?=[{HAN}])|(?<=[{HAN}])\s+(?=\d)", ""),
    # Thousands: "1,234" gives "一,两百三十四".
    (r"(?<![\d.,])\d{1,3}(?:,\d{3})+(?!\d)", lambda m: m.group().replace(",", "")),
    # Telephone numbers are read as differences.
    (r"(?<![\d-])(?:\d{3,4}-)?\d{3,4}-\d{4}(?![\d-])(?!年)(?<!19\d\d-\d{4})(?<!20\d\d-\d{4})", _telephone),
    # A blank to be filled in, the equals sign ("= 2080" is read as a time of day), and the zeros of a price.
    (rf"(?<=[\d{HAN}])\s*=\s*(?=\d)", "等于"),
    (r"_{2,}", "什么"),
    (r"(\d+\.\d)0(?=\s?(?:元|美元|欧元|英镑))", r"\1"),
    (r"(\d+)\.0(?=\s?(?:元|美元|欧元|英镑))", r"\1"),
    # Decimals that could be a date are read as one: "12.5".
    (r"(?<![\d.])(1[0-2]|[1-9])\.([1-9]|[1-3]\d)(?![\d.%]|\s?%)", _decimal),
    # Ranges: years are read as differences, percentages as dates, dashes and tildes stay.
    (r"(?<!\d)(1[5-9]\d\d|20\d\d)年?\s?[-–—~～至]+\s?(1[5-9]\d\d|20\d\d)年?(?!\d)", r"\1年到\2年"),
    (r"(\d+(?:\.\d+)?)%?\s?[-–—~～]+\s?(\d+(?:\.\d+)?)%", r"\1%到\2%"),
    (r"(\d)\s?[~～–—]+\s?(\d)", r"\1到\2"),
    (r"(?<![\d-])(\d{1,3})-(\d{1,3})(?=[次个种天年月岁人元倍名位周分小米公])", r"\1到\2"),
    # A hyphen between a Latin word and a number is read as a minus sign: "COVID-19".
    (r"(?<=[A-Za-z])-(?=\d)", " "),
    # Decades: "1990s" is read as seconds.
    (r"(?<!\d)(1\d|20)(\d0)s(?![a-z])", r"\1\2年代"),
    (r"(?<![\d第.年月/:])2(?=" + _MEASURES + ")", "两"),
    # Signs that wetext leaves unread.
    (r"(?<=\d)\s?[×*xX]\s?(?=\d)", "乘"),
    (r"(?<=\d)\s?÷\s?(?=\d)", "除以"),
    (r"(?<=\d)\s?−\s?(?=\d)", "减"),
    (r"\s?≈\s?", "约等于"),
    (r"(?<!\d)7\s?乘\s?24(?!\d)|(?<!\d)24/7(?!\d)", "七乘二十四"),
    (r"(\d+(?:\.\d+)?)‰", r"千分之\1"),
    (r"[~～](?=\d)", "约"),
    (r"[Nn]o\.\s?(?=\d)", "第"),
    (r"#(?=\d)", "第"),
    (r"(\d+(?:\.\d+)?)\s?(?:km/h|公里/小时|千米/小时)", r"每小时\1公里"),
    (r"\s*&\s*", "和"),
    (r"(?<=[^\x00-\x7f\d])\s?/\s?(?=[^\x00-\x7f\d])", "或"),
    (r"(?<=[A-Za-z])/(?=[A-Za-z])", " "),
    (r"(?<=[^\x00-\x7f])\s?\+\s?(?=[^\x00-\x7f])", "加"),
    # Units that wetext leaves in Latin letters.
    (r"(\d)\s?GB", r"\1吉字节"),
    (r"(\d)\s?MB", r"\1兆字节"),
    (r"(\d)\s?GHz", r"\1吉赫兹"),
)

AFTER = compile_rules(
    (r"[“”‘’\"「」『』《》〈〉【】*_`]", ""),
    (r"(?<![A-Za-z])'|'(?![A-Za-z])", ""),
    (r"\s*[()（）\[\]{}；;：:|]+\s*", "，"),
    (r"\s*(?:—+|–+|…+|\.{3,}|~+|～+)\s*", "，"),
    (r"(?<=[^\x00-\x7f])\s?-\s?(?=[^\x00-\x7f])", "，"),
    (r"[·•・]", ""),
    (r"(?<=[^\x00-\x7f])\s+|\s+(?=[^\x00-\x7f])", ""),
)
