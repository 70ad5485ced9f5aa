"""Chinese normalization: its forms, and what holds for every text. The pairs are in `golden/`."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wetext import Normalizer

from pipeline.scoring import chinese_characters
from pipeline.scoring.chinese import normalize
from tests.tables import each_row


@each_row(
    ("text", "normalized"),
    [
        ("你好，世界！", "你好世界"),
        ("二零二四年，百分之五十的人", "2024年百分之50的人"),
        ("下午三点零五分", "下午3点05分"),
        ("圆周率是三点一四。", "圆周率是3.14"),
        ("三四十个", "三四十个"),
        ("你 好\n世 界", "你好世界"),
        ("歼-20在-5度", "歼20在负5度"),
        ("什麼女人，什么元素", "什么女人什么元素"),
        ("著名的他看著我", "著名的他看着我"),
        ("不要重覆", "不要重复"),
        ("一米七五和三四米", "1米75和三四米"),
        ("c++、km²", "c加加平方公里"),
        ("啊……", "啊"),
        ("嗯……", ""),
        ("", ""),
        ("万一有一些人一起来", "万1有1些人1起来"),
    ],
)
def test_form(text: str, normalized: str) -> None:
    assert normalize(text) == normalized


@pytest.fixture(scope="module")
def read_aloud() -> Callable[[str], str]:
    """An independent library's spoken form of a written text."""
    return Normalizer(lang="zh", operator="tn").normalize  # type: ignore[no-any-return]


@each_row(
    "number",
    [*range(0, 21), *range(22, 130, 9), 200, 205, 210, 999, 1000, 1001, 1010, 1100, 2024, 9999, 10500, 250000],
)
@each_row("written", ["有{}个", "{}%", "{}.5米", "第{}名", "{}km", "¥{}"])
def test_agrees_with_its_reading(read_aloud: Callable[[str], str], written: str, number: int) -> None:
    text = written.format(number)
    assert normalize(read_aloud(text)) == normalize(text), read_aloud(text)


@each_row("year", [*range(1900, 2031, 5), 1008, 1066, 800])
def test_year_agrees_with_its_reading(read_aloud: Callable[[str], str], year: int) -> None:
    text = f"{year}年5月3日"
    assert normalize(read_aloud(text)) == normalize(text), read_aloud(text)


@each_row(("hour", "minute"), [(h, m) for h in (1, 2, 9, 10, 12, 20, 23) for m in (1, 5, 10, 15, 20, 30, 59)])
def test_time_agrees_with_its_reading(read_aloud: Callable[[str], str], hour: int, minute: int) -> None:
    text = f"{hour}:{minute:02}"
    assert normalize(read_aloud(text)) == normalize(text), read_aloud(text)


_CHARACTERS = (
    "零〇一二三四五六七八九十百千万亿两幺点分年月号半个到第之%，。、：:-./~ 0123456789k m¥嗯折后米x*+=乘以么什"
)
_WRITTEN = (
    "个百分点 个小时 千米 mg/L 5km/s 100W 2t 512MB ½ 2½ ‰ ‱ ² 10⁸ 2^10 √ ≥ < ~50 ≠ ₩100 50USD a+b A-B 5/10000 2002/01"
).split()
_PIECES = st.sampled_from([*_CHARACTERS, "百分之", "上午", "°c", "美元", "c++", ".com", *_WRITTEN])


@given(st.lists(_PIECES, max_size=9).map("".join))
def test_normalized_text_is_stable(text: str) -> None:
    once = normalize(text)
    assert normalize(once) == once


_HAN = st.text(alphabet=st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF), max_size=12)
_CONVERTED = st.sampled_from(
    [key for key, value in chinese_characters.zhconv.getdict("zh-hans").items() if key != value and key.isalpha()]
)


@given(_HAN, _CONVERTED)
def test_simplified_text_needs_no_conversion(text: str, word: str) -> None:
    """The quick way and the long way are one; only 么 is better left alone, which zhconv takes for 幺."""
    for whole in (text, text + word, word + text):
        if chinese_characters.folds_one_by_one(whole) and "么" not in whole:
            assert chinese_characters.zhconv.convert(whole, "zh-hans") == whole
        assert chinese_characters.fold(whole) == chinese_characters.fold(f"{whole} 臺").removesuffix(" 台")
