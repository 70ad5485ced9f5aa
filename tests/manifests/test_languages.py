"""What a language tag says about its text."""

import pytest

from manifests.languages import is_unspaced, primary_subtag


@pytest.mark.parametrize(
    ("tag", "subtag", "unspaced"),
    [
        ("zh", "zh", True),
        ("zh-Hant-TW", "zh", True),
        ("CMN_CN", "cmn", True),
        ("yue", "yue", True),
        ("ja-JP", "ja", True),
        ("th", "th", True),
        ("en-GB", "en", False),
        ("ko", "ko", False),
        ("vi", "vi", False),
        ("", "", False),
    ],
)
def test_primary_subtag_and_spacing(tag: str, subtag: str, unspaced: bool) -> None:
    assert primary_subtag(tag) == subtag
    assert is_unspaced(tag) is unspaced
