"""Questions as shingles, and the band keys of shingles."""

import sys
from importlib import metadata

import pytest

from manifests.errors import EngineUnavailable
from parley.testing import make_dialogue
from pipeline.dedup.bands import Bands, band_keys, choose_bands, version
from pipeline.dedup.settings import DedupSettings
from pipeline.dedup.shingles import shingle_hashes, shingles, text_hash
from tests.tables import each_row

SIZES = {"en": 2, "zh": 3}


@each_row(
    ("language", "text", "expected"),
    [
        ("en", "What is tea?", {"what is", "is tea"}),
        ("en", "  WHAT… is，tea！ ", {"what is", "is tea"}),
        ("en", "Ｗｈａｔ is tea", {"what is", "is tea"}),
        ("en", "tea tea tea", {"tea tea"}),
        ("en", "Hello!", {"hello"}),
        ("en", "well-known", {"well known"}),
        ("zh", "茶是什么？", {"茶是什", "是什么"}),
        ("zh", "茶 是，什么", {"茶是什", "是什么"}),
        ("zh", "你好。", {"你好"}),
        ("fr", "Où est la gare ?", {"où est", "est la", "la gare"}),
        ("ja", "お茶は何", {"お茶は", "茶は何"}),
        ("en", "", set()),
        ("en", "?! …", set()),
        ("zh", "，。", set()),
    ],
)
def test_shingles(language: str, text: str, expected: set[str]) -> None:
    assert shingles(text, language, SIZES) == expected


@pytest.mark.parametrize(("size", "expected"), [(1, {"a", "b", "c"}), (2, {"a b", "b c"}), (3, {"a b c"})])
def test_the_recipe_says_the_size(size: int, expected: set[str]) -> None:
    assert shingles("a b c", "en", {"en": size}) == expected


def test_a_dialogue_is_what_its_user_asks() -> None:
    dialogue = make_dialogue(("What is", "An answer."), ("tea?", "Another."), spoken=True)
    assert list(shingle_hashes(dialogue, SIZES)) == list(
        shingle_hashes(make_dialogue(("What is tea?", ""), spoken=True), SIZES)
    )
    assert len(shingle_hashes(make_dialogue(("What is tea?", "")), SIZES)) == 0, "the original text does not count"


def test_hashes_are_the_same_on_every_machine_and_differ_by_language() -> None:
    one, two = (make_dialogue(("Hello", ""), language=language, spoken=True) for language in ("en", "zh"))
    assert shingle_hashes(one, SIZES).tolist() == [18256285283403635892]
    assert shingle_hashes(two, SIZES).tolist() != shingle_hashes(one, SIZES).tolist()
    assert text_hash(shingle_hashes(one, SIZES)) == 11166976680946511266
    assert band_keys([shingle_hashes(one, SIZES)], Bands(16, 2, 8)).tolist() == [
        [2321395705481953064, 15038633860387408683]
    ]


@each_row("num_perm", [64, 128, 256])
@each_row("threshold", [0.5, 0.7, 0.8, 0.9, 0.95])
def test_few_pairs_at_the_threshold_are_never_compared(threshold: float, num_perm: int) -> None:
    bands = choose_bands(DedupSettings(threshold=threshold, num_perm=num_perm))
    assert bands.count * bands.rows <= num_perm
    assert bands.recall(threshold) > 0.93
    assert bands.recall((1 + threshold) / 2) > 0.99
    assert bands.recall(threshold / 10) < 0.06


@pytest.mark.parametrize(("threshold", "num_perm"), [(1.0, 128), (0.99, 16), (1.0, 16)])
def test_thresholds_near_one_have_bands_too(threshold: float, num_perm: int) -> None:
    assert choose_bands(DedupSettings(threshold=threshold, num_perm=num_perm)).recall(threshold) > 0.97


def test_a_missing_datasketch_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasketch", None)
    with pytest.raises(EngineUnavailable, match=r"dedup needs the package datasketch: pip install .parley\[llm\]"):
        choose_bands(DedupSettings())
    with pytest.raises(EngineUnavailable, match="needs the package datasketch"):
        version()


def test_the_version_names_library_and_normalizer() -> None:
    assert version() == f"datasketch {metadata.version('datasketch')}, unicode-1"
