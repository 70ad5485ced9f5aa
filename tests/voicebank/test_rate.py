import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.scoring.normalize import metric
from tests.tables import each_row
from voicebank.rate import count_characters, ms_bucket


@each_row(
    ("text", "language", "expected"),
    [
        ("今天我们去爬山。", "zh", 7),
        ("今天，我们 去\n爬山！", "zh", 7),
        ("我用iPhone打电话", "zh", 5),
        ("我有3个", "zh", 3),
        ("二〇二四年", "zh", 5),
        ("ＡＢ你好", "zh", 2),
        ("今天", "zh-Hans-CN", 2),
        ("今天", "cmn_CN", 2),
        ("こんにちは、世界", "ja", 7),
        ("ภาษาไทย", "th", 7),
        ("Hello, world!", "en", 10),
        ("don't stop", "en", 8),
        ("I have 3 cats", "en-GB", 9),
        ("café", "fr", 4),
        ("cafe\u0301", "fr", 4),
        ("привет", "ru", 6),
        ("안녕하세요", "ko", 5),
        ("50 % 😀 …", "en", 0),
        ("", "en", 0),
        (None, "zh", 0),
    ],
)
def test_units(text, language, expected):
    assert count_characters(text, language) == expected


@each_row("language", "zh cmn yue wuu nan ja th lo km my bo dz en fr ko ru vi zh-Hant-TW".split())
def test_the_unspaced_languages_are_those_that_are_scored_by_character(language):
    assert count_characters("abc", language) == (0 if metric(language) == "cer" else 3)


@each_row(
    ("seconds", "expected"),
    [
        (0.2, 200),
        (0.2049, 200),
        (0.205, 210),
        (0.145, 150),
        (0.1449999, 140),
        (0.185, 190),
        (0.215, 220),
        (0.0649, 60),
        (0.004, 0),
        (0.005, 10),
        (1e-9, 0),
        (2, 2000),
    ],
)
def test_buckets(seconds, expected):
    assert ms_bucket(seconds) == expected


@given(st.floats(0.001, 2, allow_nan=False))
def test_a_bucket_is_within_5_ms(seconds):
    assert ms_bucket(seconds) % 10 == 0
    assert abs(ms_bucket(seconds) - 1000 * seconds) <= 5 + 1e-9


@pytest.mark.parametrize("seconds", [0, -0.2, math.nan, math.inf])
def test_what_is_no_time_has_no_bucket(seconds):
    with pytest.raises(ValueError, match="above zero"):
        ms_bucket(seconds)
