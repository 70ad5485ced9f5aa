"""Chinese as it is said. Every row is a form that the data sets contain and a person reads aloud."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.text.verbalize import unspeakable, verbalize
from tests.tables import each_row

ROWS = [
    # numbers
    ("我有3个苹果。", "我有三个苹果。"),
    ("2个人和12个人", "两个人和十二个人"),
    ("2次、2种、2倍", "两次、两种、两倍"),
    ("第2次", "第二次"),
    ("1,000,000人", "一百万人"),
    ("1,234", "一千二百三十四"),
    ("100万", "一百万"),
    ("1.5亿", "一点五亿"),
    ("3.14", "三点一四"),
    ("12.5", "十二点五"),
    ("0.05", "零点零五"),
    ("1/2的人", "二分之一的人"),
    ("2/3", "三分之二"),
    ("200", "两百"),
    ("1001", "一千零一"),
    ("No.1", "第一"),
    # years, dates, time
    ("2024年", "二零二四年"),
    ("1687 年", "一六八七年"),
    ("1999年5月3日", "一九九九年五月三日"),
    ("2023-01-05", "二零二三年一月五日"),
    ("2023/5/6", "二零二三年五月六日"),
    ("20世纪80年代", "二十世纪八十年代"),
    ("1990s", "一九九零年代"),
    ("90后", "九零后"),
    ("1914-1918年", "一九一四年到一九一八年"),
    ("2020-2021", "二零二零年到二零二一年"),
    ("下午3点30分", "下午三点三十分"),
    ("12:30", "十二点三十分"),
    ("8:30-9:30", "八点三十分到九点三十分"),
    ("24小时", "二十四小时"),
    ("5-10分钟", "五到十分钟"),
    ("24/7", "七乘二十四"),
    # ranges
    ("10-15岁", "十到十五岁"),
    ("10~15", "十到十五"),
    ("3～5天", "三到五天"),
    ("1-2次", "一到两次"),
    ("10-20%", "百分之十到百分之二十"),
    ("10%-20%", "百分之十到百分之二十"),
    # money, percentages, units
    ("50%", "百分之五十"),
    ("99.5%", "百分之九十九点五"),
    ("1‰", "千分之一"),
    ("¥100", "一百元"),
    ("5元", "五元"),
    ("30美元", "三十美元"),
    ("$5.99", "五点九九美元"),
    ("12.50美元", "十二点五美元"),
    ("3万元", "三万元"),
    ("100km", "一百公里"),
    ("5kg", "五千克"),
    ("100km/h", "每小时一百公里"),
    ("60公里/小时", "每小时六十公里"),
    ("20°C", "二十摄氏度"),
    ("-10℃", "负十摄氏度"),
    ("169,639 平方公里", "十六万九千六百三十九平方公里"),
    ("5GB", "五吉字节"),
    # arithmetic and symbols
    ("1+1=2", "一加一等于二"),
    ("7-3=4", "七减三等于四"),
    ("5×3", "五乘三"),
    ("6÷3", "六除以三"),
    ("40 * 52 = 2080个小时", "四十乘五十二等于两千零八十个小时"),
    ("3:2", "三比二"),
    ("苹果&梨", "苹果和梨"),
    ("奇幻/冒险", "奇幻或冒险"),
    ("约≈3米", "约约等于三米"),
    # telephone numbers
    ("拨打555-1234", "拨打五五五，幺二三四"),
    ("电话13800138000", "电话幺三八零零幺三八零零零"),
    ("拨打119", "拨打幺幺九"),
    # Latin words
    ("3D打印", "三D打印"),
    ("COVID-19", "COVID十九"),
    ("A/B测试", "A B测试"),
    ("iPhone 12", "iPhone十二"),
    # punctuation
    ("他说：“好”。", "他说，好。"),
    ("《红楼梦》的作者", "红楼梦的作者"),
    ("熵（一个概念）很重要", "熵，一个概念，很重要"),
    ("甲；乙：丙", "甲，乙，丙"),
    ("等等……好", "等等，好"),
    ("阿尔伯特·爱因斯坦", "阿尔伯特爱因斯坦"),
    ("你好,世界.真的?", "你好，世界。真的？"),
    ("中 文 之间", "中文之间"),
    ("青蛙和___跳开了", "青蛙和什么跳开了"),
    ("真的？！", "真的？"),
    ("１２３个ＡＢ", "一百二十三个AB"),
]


@each_row(("written", "spoken"), ROWS)
def test_chinese(written: str, spoken: str) -> None:
    assert verbalize(written, "zh") == spoken
    assert unspeakable(spoken, "zh", allow_latin=True) == []


@pytest.mark.parametrize("text", ["笑😀", "example.com?a=1", "∫是积分", "甲→乙", "120/80mmHg"])
def test_unspeakable_characters_stay_in_the_text(text: str) -> None:
    assert unspeakable(verbalize(text, "zh"), "zh", allow_latin=True)


@each_row("spoken", [spoken for _, spoken in ROWS])
def test_verbalizing_twice_changes_nothing(spoken: str) -> None:
    assert verbalize(spoken, "zh") == spoken


@settings(deadline=None, max_examples=200)
@given(st.text(alphabet=st.sampled_from("一二人的3年.，。：（）%-/ aB"), max_size=30))
def test_any_mixture_gives_one_line_without_outer_blanks(text: str) -> None:
    spoken = verbalize(text, "zh")
    assert spoken == spoken.strip()
    assert "\n" not in spoken
