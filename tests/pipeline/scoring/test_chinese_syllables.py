"""Toned syllables: what the ear can tell apart counts, what only the eye can does not."""

from hypothesis import given
from hypothesis import strategies as st
from pypinyin import Style, lazy_pinyin

from manifests.schema import Score
from pipeline.scoring.chinese_syllables import syllables
from pipeline.scoring.rates import pooled_syllables, score
from tests.tables import each_row


@each_row(
    ("text", "expected"),
    [
        ("他重新做2个", "tā chóng xīn zuò èr gè"),
        ("银行的行长", "yín háng de háng zhǎng"),
        ("1起走", "yī qǐ zǒu"),
        ("有15.5个abc", "yǒu 1 5 . 5 gè a b c"),
        ("土地慢慢地跑得快", "tǔ dì màn màn de pǎo de kuài"),
        ("", ""),
    ],
)
def test_every_character_is_one_token(text: str, expected: str) -> None:
    assert syllables(text) == expected.split()
    assert len(syllables(text)) == len(text)


@each_row(
    ("said", "heard", "edits"),
    [
        ("他在家", "她在家", 0),
        ("它再这里", "他在这里", 0),
        ("期中考试", "期终考试", 0),
        ("慢慢地走", "慢慢的走", 0),
        ("跑得快", "跑的快", 0),
        ("我的目的", "我的目地", 0),
        ("他一生平安", "他医生平安", 0),
        ("有四个人", "有是个人", 1),
        ("银行很大", "音行很大", 1),
        ("买东西", "卖东西", 1),
        ("妈妈骂马", "妈妈马骂", 2),
        ("土地很大", "土得很大", 1),
        ("十五个", "一五个", 2),
        ("今天天气", "今天", 2),
        ("今天", "今天他天气", 3),
        ("用iPhone拍", "用iPhane拍", 1),
        ("二〇二四年", "2024年", 0),
        ("今天", "", 2),
    ],
)
def test_edits(said: str, heard: str, edits: int) -> None:
    result = score(said, heard, "zh")
    assert result.syllable_edits == edits <= result.edits
    assert result.syllable_rate == edits / result.reference_length


@each_row("language", ["en", "ja", "yue", "th", "de"])
def test_only_mandarin_has_syllables(language: str) -> None:
    result = score("今天天气", "今天天汽", language)
    assert (result.syllable_edits, result.syllable_rate) == (None, None)


def test_an_empty_reference_has_edits_and_no_rate() -> None:
    result = score("嗯……", "好", "zh")
    assert (result.syllable_edits, result.syllable_rate) == (1, None)


def test_rates_are_pooled() -> None:
    scores = [score("买东西", "卖东西", "zh"), score("他来了呢", "她来了呢", "cmn"), score("a b", "a c", "en")]
    assert pooled_syllables(scores) == 1 / 7
    assert pooled_syllables(scores[2:]) is None


@each_row(
    "text", ["我们今天去银行办理新的账户", "他长大以后成为校长", "音乐使人快乐", "这本书重印很重要", "他还有还钱的事"]
)
def test_readings_are_those_of_the_library(text: str) -> None:
    assert syllables(text) == lazy_pinyin(text, style=Style.TONE)


_HAN = st.text(alphabet="他她它在再做作买卖行银长地的得了一二三十个5a重要乐", max_size=12)


@given(_HAN, _HAN)
def test_never_more_than_the_characters_and_none_for_the_same(said: str, heard: str) -> None:
    result: Score = score(said, heard, "zh")
    assert result.syllable_edits is not None
    assert abs(result.reference_length - len(result.hypothesis)) <= result.syllable_edits <= result.edits
    assert score(said, said, "zh").syllable_edits == 0
