"""Durations that a text can and cannot have."""

import pytest

from manifests.reasons import Reason
from pipeline.scoring.duration import DurationLimits, default_limits, duration_reason, expected_duration
from tests.tables import each_row

EN = "Could you tell me what the weather is going to be like tomorrow?"  # 51 letters
ZH = "请告诉我明天北京的天气怎么样？"  # 14 syllables
LIMITS = DurationLimits(slowest=5.0, fastest=20.0, pause_s=1.0)


@each_row(
    ("text", "language", "seconds", "expected"),
    [
        # normal, fast and slow readings
        (EN, "en", 3.1, None),
        (EN, "en", 1.9, None),
        (EN, "en", 9.0, None),
        (ZH, "zh", 3.0, None),
        (ZH, "zh", 1.6, None),
        (ZH, "zh", 9.0, None),
        ("Okay.", "en", 0.4, None),
        ("好。", "zh", 0.3, None),
        # cut off
        (EN, "en", 1.2, Reason.TOO_SHORT),
        (ZH, "zh", 1.0, Reason.TOO_SHORT),
        ("Okay.", "en", 0.05, Reason.TOO_SHORT),
        # runs away
        (EN, "en", 30.0, Reason.TOO_LONG_SPEECH),
        (ZH, "zh", 30.0, Reason.TOO_LONG_SPEECH),
        ("Okay.", "en", 6.0, Reason.TOO_LONG_SPEECH),
        ("好。", "zh", 6.0, Reason.TOO_LONG_SPEECH),
        # numbers are said with more, or fewer, sounds than they have characters
        ("777", "en", 2.2, None),
        ("1000000", "en", 0.7, None),
        ("1000000元", "zh", 0.8, None),
        ("25%", "zh", 1.2, None),
        # Latin letters in Chinese: a word, an initialism
        ("用 machine learning", "zh", 1.0, None),
        ("用 WWW", "zh", 2.5, None),
        # letters that are no syllables
        ("สวัสดีครับวันนี้อากาศดีมาก", "th", 1.5, None),
        # no samples, no text
        ("Okay.", "en", 0.0, Reason.TOO_SHORT),
        ("", "en", 0.0, Reason.TOO_SHORT),
        ("", "en", 1.0, None),
        ("", "en", 5.0, Reason.TOO_LONG_SPEECH),
    ],
)
def test_reason(text: str, language: str, seconds: float, expected: Reason | None) -> None:
    assert duration_reason(text, language, round(seconds * 16_000), 16_000) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", (0.0, 1.0)),
        ("abcdefghij", (0.5, 3.0)),
        ("a, b!", (0.1, 1.4)),
        ("ａｂ", (0.1, 1.4)),
        ("5%", (0.05, 4.2)),
    ],
)
def test_expected_duration_of_given_limits(text: str, expected: tuple[float, float]) -> None:
    assert expected_duration(text, "en", LIMITS) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("num_samples", "expected"),
    [(7_999, Reason.TOO_SHORT), (8_000, None), (48_000, None), (48_001, Reason.TOO_LONG_SPEECH)],
)
def test_limits_are_inclusive(num_samples: int, expected: Reason | None) -> None:
    assert duration_reason("abcdefghij", "en", num_samples, 16_000, LIMITS) == expected


def test_limits_depend_on_the_script() -> None:
    assert default_limits("zh") == default_limits("ja") != default_limits("en") == default_limits("de")


@pytest.mark.parametrize("sample_rate", [0, -16_000])
def test_a_rate_must_be_positive(sample_rate: int) -> None:
    with pytest.raises(ValueError, match="sample rate must be positive"):
        duration_reason("a", "en", 1, sample_rate)
