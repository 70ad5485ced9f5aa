"""The table of languages, the fallback, and what holds for every text."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.scoring.normalize import metric, normalize, normalizer_version
from pipeline.scoring.rates import score
from tests.tables import each_row

LANGUAGES = ("en", "zh", "th", "de")
TEXTS = st.text(alphabet=st.characters(exclude_categories=("Cs",)), max_size=40)


@each_row(
    ("language", "kind", "version"),
    [
        ("en", "wer", "english-6"),
        ("en-GB", "wer", "english-6"),
        ("EN_us", "wer", "english-6"),
        ("zh", "cer", "chinese-5"),
        ("zh-Hant-TW", "cer", "chinese-5"),
        ("cmn", "cer", "chinese-5"),
        ("yue", "cer", "unicode-1"),
        ("ja", "cer", "unicode-1"),
        ("th", "cer", "unicode-1"),
        ("de", "wer", "unicode-1"),
        ("xx", "wer", "unicode-1"),
        ("", "wer", "unicode-1"),
    ],
)
def test_table(language: str, kind: str, version: str) -> None:
    assert metric(language) == kind
    assert normalizer_version(language) == version


@each_row(
    ("text", "normalized"),
    [
        ("Größe, STRASSE!", "grösse strasse"),
        ("L’été  à Paris", "lété à paris"),
        ("สวัสดี!", "สวัสดี"),
        ("ｶﾀｶﾅ　テスト。", "カタカナ テスト"),
        ("नमस्ते।", "नमस्ते"),
        ("a\u200bb\u00adc", "abc"),
        ("…", ""),
    ],
)
def test_other_languages(text: str, normalized: str) -> None:
    assert normalize(text, "xx") == normalized


@pytest.mark.parametrize("language", LANGUAGES)
@given(TEXTS)
def test_normalized_text_is_stable(language: str, text: str) -> None:
    once = normalize(text, language)
    assert normalize(once, language) == once


@pytest.mark.parametrize("language", LANGUAGES)
@given(TEXTS)
def test_a_text_agrees_with_itself(language: str, text: str) -> None:
    result = score(text, text, language)
    assert result.rate == (None if result.is_empty_reference else 0)


@pytest.mark.parametrize("language", LANGUAGES)
@given(TEXTS, TEXTS)
def test_counts_add_up(language: str, reference: str, hypothesis: str) -> None:
    result = score(reference, hypothesis, language)
    assert result.is_empty_reference == (result.rate is None) == (result.edge_error is None)
    if result.rate is not None:
        assert result.rate * result.reference_length == pytest.approx(result.edits)
    lost = result.reference_length - result.deletions
    heard = len(result.hypothesis if result.metric == "cer" else result.hypothesis.split())
    assert lost + result.insertions == heard


_LETTERS = st.text(alphabet="bcdfghjklnpqrstvwxyzaeiou", min_size=2, max_size=8)


@given(
    st.lists(_LETTERS, min_size=1, max_size=6), st.lists(_LETTERS, max_size=6), st.sampled_from(", . ! ? ; …".split())
)
def test_rate_ignores_case_and_punctuation(reference: list[str], hypothesis: list[str], mark: str) -> None:
    plain = score(" ".join(reference), " ".join(hypothesis), "en")
    dressed = score(f"{mark} ".join(reference).upper() + mark, " ".join(hypothesis).title(), "en")
    assert dressed.rate == plain.rate


@pytest.mark.slow
@each_row(
    ("language", "text"),
    [
        ("en", "hello there 12 five hundred apples " * 2900),
        ("en", "1" * 100_000),
        ("en", "oh " * 33_000),
        ("en", "five " + "oh " * 33_000),
        ("en", "a" + "'d" * 50_000),
        ("en", "1," * 50_000),
        ("en", "one million " * 8_000),
        ("en", "1" * 5_000 + " million"),
        ("en", "5 l a " * 16_000),
        ("en", "five and a fourth " * 6_000),
        ("en", "$1 to $2 " * 10_000),
        ("en", "$1-" * 30_000),
        ("en", "a.b" * 30_000),
        ("en", "may 1st of " * 9_000),
        ("en", "henry ii " * 10_000),
        ("en", "a " * 50_000),
        ("zh", "你好世界一百二十个苹果二零二四年" * 6_250),
        ("zh", "1" * 100_000),
        ("zh", "一万" * 50_000),
        ("zh", "1" * 5_000 + "万"),
        ("zh", "一点" * 50_000),
        ("zh", "是-1度" * 25_000),
        ("zh", "$1-$2" * 20_000),
        ("zh", "百分之一到" * 20_000),
        ("zh", "a.com" * 20_000),
        ("zh", "著麼" * 20_000),
        ("th", "สวัสดี " * 14_000),
    ],
)
def test_long_texts_take_linear_time(language: str, text: str) -> None:
    started = time.process_time()
    assert score(text, text, language).rate == 0
    # Measured at 1 to 3 s; a quadratic rule takes minutes.
    assert time.process_time() - started < 30
