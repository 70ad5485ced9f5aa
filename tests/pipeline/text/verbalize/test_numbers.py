"""Numbers in words: read back by the scorer's own reader, which was written apart from this one, and by hand."""

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.scoring.chinese_numbers import digits_of
from pipeline.text.verbalize.chinese import numbers as chinese
from pipeline.text.verbalize.english import numbers as english
from tests.tables import each_row


@settings(deadline=None, max_examples=300)
@given(st.integers(0, 10**12 - 1) | st.integers(0, 99_999))
def test_a_chinese_number_is_read_back(value: int) -> None:
    assert digits_of(chinese.cardinal(value)) == str(value)


@each_row(
    ("value", "words"),
    [
        (0, "zero"),
        (13, "thirteen"),
        (40, "forty"),
        (100, "one hundred"),
        (101, "one hundred and one"),
        (1_000, "one thousand"),
        (1_001, "one thousand and one"),
        (1_100, "one thousand one hundred"),
        (100_000, "one hundred thousand"),
        (1_000_020, "one million and twenty"),
        (2_000_300, "two million three hundred"),
        (10**12, "one trillion"),
    ],
)
def test_english_cardinals(value: int, words: str) -> None:
    assert english.cardinal(value) == words


@each_row(
    ("value", "words"),
    [
        (1, "first"),
        (12, "twelfth"),
        (20, "twentieth"),
        (23, "twenty third"),
        (100, "one hundredth"),
        (111, "one hundred and eleventh"),
    ],
)
def test_english_ordinals(value: int, words: str) -> None:
    assert english.ordinal(value) == words


@each_row(
    ("value", "words"),
    [
        (1066, "ten sixty six"),
        (1900, "nineteen hundred"),
        (1905, "nineteen oh five"),
        (2000, "two thousand"),
        (2009, "two thousand nine"),
        (2010, "twenty ten"),
    ],
)
def test_english_years(value: int, words: str) -> None:
    assert english.year(value) == words


@each_row("text", ["1" * 16, "9" * 40])
def test_nobody_reads_an_endless_number(text: str) -> None:
    assert english.number(text) is None
    assert chinese.number(text + "1") is None
