"""Chinese normalisation: what must agree, what must not."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wetext import Normalizer

from pipeline.scoring.chinese import normalize
from pipeline.scoring.rates import score

SAME = [
    # case, punctuation, spaces, width, script
    ("你好，世界！", "你好世界"),
    ("你 好\n世 界", "你好世界"),
    ("“好的”——他说……", "好的他说"),
    ("ＡＢＣ公司", "abc公司"),
    ("用 Python 写", "用python写"),
    ("軟體工程師說後來頭髮乾淨", "软体工程师说后来头发干净"),
    ("著名的學者", "著名的学者"),
    ("《红楼梦》是谁写的？", "红楼梦是谁写的"),
    # hesitations
    ("嗯，我想，呃，可以", "我想可以"),
    # per cent
    ("50%", "百分之五十"),
    ("50％", "百分之五十"),
    ("50 %", "百分之50"),
    ("3.5%", "百分之三点五"),
    ("100%", "百分之百"),
    ("100%", "百分百"),
    ("5‰", "千分之五"),
    ("5%-10%", "百分之五到百分之十"),
    ("5-10%", "百分之五到十"),
    # cardinals
    ("5个", "五个"),
    ("10个", "十个"),
    ("15个", "十五个"),
    ("20个", "二十个"),
    ("34个", "三十四个"),
    ("105", "一百零五"),
    ("110", "一百一十"),
    ("250", "二百五"),
    ("250", "两百五十"),
    ("1001夜", "一千零一夜"),
    ("1010", "一千零一十"),
    ("3500", "三千五"),
    ("3500", "三千五百"),
    ("1,234", "一千二百三十四"),
    ("10000", "一万"),
    ("15000", "一万五"),
    ("1.5万", "一万五千"),
    ("10500", "一万零五百"),
    ("100万", "一百万"),
    ("1000000", "一百万"),
    ("1234567", "一百二十三万四千五百六十七"),
    ("1.2亿", "一亿两千万"),
    ("1.2亿", "一点二亿"),
    ("14亿", "十四亿"),
    ("2万亿", "两万亿"),
    ("3千块", "三千块"),
    ("5百人", "五百人"),
    ("第1名", "第一名"),
    ("2个人", "两个人"),
    ("二个人", "两个人"),
    ("2000", "两千"),
    ("2000", "二千"),
    ("零下5度", "零下五度"),
    ("-5度", "负五度"),
    ("十分高兴", "十分高兴"),
    ("1起去", "一起去"),
    # digits read one by one
    ("13812345678", "一三八一二三四五六七八"),
    ("13812345678", "幺三八幺二三四五六七八"),
    ("138 1234 5678", "幺三八，幺二三四，五六七八"),
    ("138-1234-5678", "一三八一二三四五六七八"),
    ("010-65521234", "零一零六五五二一二三四"),
    ("拨打110", "拨打幺幺零"),
    ("拨打120", "拨打一二零"),
    ("007", "零零七"),
    ("房间404", "房间四零四"),
    ("波音747", "波音七四七"),
    ("1、2、3", "一二三"),
    # approximations
    ("3、4个", "三四个"),
    ("三、四个", "三四个"),
    # decimals and fractions
    ("3.14", "三点一四"),
    ("0.5", "零点五"),
    ("3.50", "三点五零"),
    ("1.5公里", "一点五公里"),
    ("1/10", "十分之一"),
    ("3/4", "四分之三"),
    # dates
    ("2024年", "二零二四年"),
    ("2024年", "二〇二四年"),
    ("2024年", "两千零二十四年"),
    ("1999年5月3号", "一九九九年五月三号"),
    ("98年", "九八年"),
    ("08年", "零八年"),
    ("2024-05-03", "二零二四年五月三日"),
    ("2024/5/3", "二零二四年五月三日"),
    ("05月03日", "五月三日"),
    ("周1", "周一"),
    ("80后", "八零后"),
    ("九十年代", "90年代"),
    ("双11", "双十一"),
    # times
    ("3:05", "三点零五分"),
    ("3:30", "三点三十分"),
    ("3:30", "三点三十"),
    ("下午3:05", "下午三点零五"),
    ("14:00", "十四点"),
    ("8点20分", "八点二十分"),
    ("8点20", "八点二十"),
    ("12:05:20", "十二点零五分二十秒"),
    ("8点1刻", "八点一刻"),
    ("3点半", "三点半"),
    ("20分钟", "二十分钟"),
    ("3.5分钟", "三点五分钟"),
    # money
    ("¥5.50", "五点五零元"),
    ("￥100", "一百元"),
    ("$20", "二十美元"),
    ("€3万", "三万欧元"),
    ("5块5", "五块五"),
    # ranges, ratios, arithmetic, units
    ("5-10个", "五到十个"),
    ("5~10个", "五到十个"),
    ("3:1", "三比一"),
    ("3+5=8", "三加五等于八"),
    ("6×7", "六乘七"),
    ("5km", "五公里"),
    ("112 千米", "一百一十二千米"),
    ("5千克", "五千克"),
    ("14:00-15:30", "十四点到十五点三十分"),
    ("20℃", "二十摄氏度"),
    ("180cm", "一百八十厘米"),
    ("60km/h", "六十公里每小时"),
    ("5G网络", "五g网络"),
    ("GPT-4", "gpt四"),
]

DIFFERENT = [
    ("三十四个", "三四个"),
    ("3、4个", "34个"),
    ("三四十个", "三百四十个"),
    ("七八百", "七百八"),
    ("十七八岁", "一百七十八岁"),
    ("二十七八", "278"),
    ("三四年", "34年"),
    ("一二年级", "12年级"),
    ("十一", "一一"),
    ("十四", "四十"),
    ("十", "四"),
    ("2024年", "2025年"),
    ("二零二四年", "二零一四年"),
    ("一百零五", "一百五"),
    ("一千零一", "一千一"),
    ("一万", "一亿"),
    ("1.5万", "15万"),
    ("3.14", "314"),
    ("三点一四", "三一四"),
    ("3.5", "3.50"),
    ("百分之五十", "五十"),
    ("百分之五", "千分之五"),
    ("三分之一", "一分之三"),
    ("-5度", "5度"),
    ("5美元", "5元"),
    ("五元", "五块"),
    ("3:05", "3:50"),
    ("三点半", "三点"),
    ("三点半", "三点三十分"),
    ("八点一刻", "八点"),
    ("3.05分", "三点零五分"),
    ("9.25分", "9.25"),
    ("一起", "起"),
    ("万一", "万"),
    ("一些", "些"),
    ("一个", "两个"),
    ("千万", "一千万"),
    ("十万", "一万"),
    ("5到10", "5和10"),
    ("五公里", "五里"),
    ("他", "她"),
    ("在", "再"),
    ("是的", "是地"),
    ("陆地", "六地"),
    ("软件", "软体"),
    ("啊", ""),
    ("好吗", "好"),
    ("几十", "几百"),
    ("俩人", "两人"),
    ("老幺", "老一"),
    ("公斤", "公里"),
    ("五千米", "五米"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_agree(one: str, other: str) -> None:
    assert normalize(one) == normalize(other) != ""
    assert score(one, other, "zh").rate == 0


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_differ(one: str, other: str) -> None:
    assert normalize(one) != normalize(other)
    assert score(one, other, "zh").rate != 0


@pytest.mark.parametrize(
    ("text", "normalized"),
    [
        ("你好，世界！", "你好世界"),
        ("二零二四年，百分之五十的人", "2024年百分之50的人"),
        ("下午三点零五分", "下午3点05分"),
        ("圆周率是三点一四。", "圆周率是3.14"),
        ("三四十个", "三四十个"),
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


@pytest.mark.parametrize(
    "number",
    [*range(0, 21), *range(22, 130, 9), 200, 205, 210, 999, 1000, 1001, 1010, 1100, 2024, 9999, 10500, 250000],
)
@pytest.mark.parametrize("written", ["有{}个", "{}%", "{}.5米", "第{}名", "{}km", "¥{}"])
def test_agrees_with_its_reading(read_aloud: Callable[[str], str], written: str, number: int) -> None:
    text = written.format(number)
    assert normalize(read_aloud(text)) == normalize(text), read_aloud(text)


@pytest.mark.parametrize("year", [*range(1900, 2031, 5), 1008, 1066, 800])
def test_year_agrees_with_its_reading(read_aloud: Callable[[str], str], year: int) -> None:
    text = f"{year}年5月3日"
    assert normalize(read_aloud(text)) == normalize(text), read_aloud(text)


@pytest.mark.parametrize(
    ("hour", "minute"), [(h, m) for h in (1, 2, 9, 10, 12, 20, 23) for m in (1, 5, 10, 15, 20, 30, 59)]
)
def test_time_agrees_with_its_reading(read_aloud: Callable[[str], str], hour: int, minute: int) -> None:
    text = f"{hour}:{minute:02}"
    assert normalize(read_aloud(text)) == normalize(text), read_aloud(text)


_CHARACTERS = "零〇一二三四五六七八九十百千万亿两幺点分年月号半个到第之%，。、：:-./~ 0123456789k m¥嗯"
_PIECES = st.sampled_from([*_CHARACTERS, "百分之", "上午", "°c"])


@given(st.lists(_PIECES, max_size=9).map("".join))
def test_normalized_text_is_stable(text: str) -> None:
    once = normalize(text)
    assert normalize(once) == once
