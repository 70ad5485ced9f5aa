"""Rates, pooling and edges."""

from itertools import pairwise

import jiwer
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.scoring.rates import Score, edge_error, pooled, score
from tests.tables import each_row


@each_row(
    ("language", "reference", "hypothesis", "rate", "edits", "length"),
    [
        ("en", "one small cat", "one small cat", 0.0, (0, 0, 0), 3),
        ("en", "a small cat", "a tall cat", 1 / 3, (1, 0, 0), 3),
        ("en", "a small cat", "a cat", 1 / 3, (0, 1, 0), 3),
        ("en", "a small cat", "a very small cat", 1 / 3, (0, 0, 1), 3),
        ("en", "Hello, world!", "hello WORLD", 0.0, (0, 0, 0), 2),
        ("en", "hello", "hello hello hello", 2.0, (0, 0, 2), 1),
        ("en", "a small cat", "", 1.0, (0, 3, 0), 3),
        ("en-GB", "the colour", "the color", 0.0, (0, 0, 0), 2),
        ("zh", "今天天气", "今天天汽", 0.25, (1, 0, 0), 4),
        ("zh", "今天天气", "", 1.0, (0, 4, 0), 4),
        ("zh-TW", "後來", "后来", 0.0, (0, 0, 0), 2),
        ("zh", "百分之五十", "50％", 0.0, (0, 0, 0), 5),
        ("ja", "今日は 晴れ。", "今日は雨れ", 0.2, (1, 0, 0), 5),
        ("de", "Guten Morgen!", "guten morgen", 0.0, (0, 0, 0), 2),
    ],
)
def test_score(
    language: str, reference: str, hypothesis: str, rate: float, edits: tuple[int, int, int], length: int
) -> None:
    result = score(reference, hypothesis, language)
    assert result.rate == pytest.approx(rate)
    assert (result.substitutions, result.deletions, result.insertions) == edits
    assert result.edits == sum(edits)
    assert result.reference_length == length
    assert not result.is_empty_reference


def test_a_score_carries_its_evidence() -> None:
    result = score("It's 50%!", "it is fifty per cent", "en")
    assert (result.reference, result.hypothesis) == ("it is 50 percent", "it is 50 percent")
    assert (result.metric, result.normalizer) == ("wer", "english-6")


@pytest.mark.parametrize(
    ("language", "reference", "hypothesis", "insertions"),
    [
        ("en", "", "", 0),
        ("en", "...", "one small cat", 3),
        ("en", "Um, uh.", "hello", 1),
        ("zh", "嗯……", "好", 1),
        ("th", "!", "", 0),
    ],
)
def test_an_empty_reference_has_no_rate(language: str, reference: str, hypothesis: str, insertions: int) -> None:
    result = score(reference, hypothesis, language)
    assert result.is_empty_reference
    assert result.rate is None
    assert result.edge_error is None
    assert result.insertions == insertions


@pytest.mark.parametrize(
    ("language", "reference", "hypothesis", "alignment"),
    [
        ("en", "", "", []),
        ("en", "The small cat!", "the small cat", [("equal", "the small cat", "the small cat")]),
        (
            "en",
            "a small grey cat sat",
            "a tall green cat",
            [
                ("equal", "a", "a"),
                ("substitute", "small gray", "tall green"),
                ("equal", "cat", "cat"),
                ("delete", "sat", ""),
            ],
        ),
        ("en", "cat", "oh my cat", [("insert", "", "oh my"), ("equal", "cat", "cat")]),
        ("en", "...", "hello there", [("insert", "", "hello there")]),
        ("zh", "今天 天气", "今天田地", [("equal", "今天", "今天"), ("substitute", "天气", "田地")]),
    ],
)
def test_the_alignment_shows_what_became_of_each_word(
    language: str, reference: str, hypothesis: str, alignment: list[tuple[str, str, str]]
) -> None:
    found = score(reference, hypothesis, language).alignment
    assert [(chunk.kind, chunk.meant, chunk.heard) for chunk in found] == alignment


# Few words and few characters: what is drawn has much in common, and much that is repeated.
PAIRS = {
    "en": st.lists(st.sampled_from("cat dog red tall sat ran".split()), max_size=12).map(" ".join),
    "zh": st.text("天气好今日", max_size=12),
}
LANGUAGE_AND_TEXTS = st.sampled_from(sorted(PAIRS)).flatmap(
    lambda tag: st.tuples(st.just(tag), PAIRS[tag], PAIRS[tag])
)


@given(LANGUAGE_AND_TEXTS)
def test_edits_and_texts_are_those_of_the_alignment(case: tuple[str, str, str]) -> None:
    language, reference, hypothesis = case
    result = score(reference, hypothesis, language)
    assert result.edits == result.substitutions + result.deletions + result.insertions
    assert (result.reference, result.hypothesis) == (reference, hypothesis)
    expected = (jiwer.process_characters if language == "zh" else jiwer.process_words)(reference, hypothesis)
    distance = expected.substitutions + expected.deletions + expected.insertions
    assert result.edits == distance if reference else result.edits == result.insertions
    assert result.reference_length == len(reference if language == "zh" else reference.split())
    assert result.rate == (result.edits / result.reference_length if reference else None)


@given(LANGUAGE_AND_TEXTS)
def test_neighboring_chunks_differ_in_kind_and_hold_what_their_kind_says(case: tuple[str, str, str]) -> None:
    language, reference, hypothesis = case
    chunks = score(reference, hypothesis, language).alignment
    assert all(one.kind != other.kind for one, other in pairwise(chunks))
    for chunk in chunks:
        assert (chunk.meant == chunk.heard) == (chunk.kind == "equal")
        assert bool(chunk.meant) == (chunk.kind != "insert")
        assert bool(chunk.heard) == (chunk.kind != "delete")


TEXT = "abcdefghijklmnopqrstuvwxyz0123456789"


@each_row(
    ("reference", "hypothesis", "characters", "expected"),
    [
        # same, nothing, empty
        (TEXT, TEXT, 12, 0.0),
        (TEXT, "", 12, 1.0),
        ("", "abc", 12, None),
        # one end lost
        (TEXT, TEXT[:-1], 12, 1 / 12),
        (TEXT, TEXT[:-4], 12, 4 / 12),
        (TEXT, TEXT[1:], 12, 1 / 12),
        (TEXT, TEXT[:-6], 3, 1.0),
        # both ends: the larger one, not the sum
        (TEXT, TEXT[1:-3], 12, 3 / 12),
        # a slip in the middle
        (TEXT, TEXT.replace("r", "!"), 12, 0.0),
        (TEXT, TEXT.replace("r", ""), 12, 0.0),
        (TEXT, TEXT.replace("r", "r!!!!!"), 12, 0.0),
        # the last and the first character of an edge, and their neighbors
        (TEXT, TEXT.replace("l", "!"), 12, 1 / 12),
        (TEXT, TEXT.replace("m", "!"), 12, 0.0),
        (TEXT, TEXT.replace("y", "!"), 12, 1 / 12),
        (TEXT, TEXT.replace("x", "!"), 12, 0.0),
        # insertions: inside an edge, on its border, outside the text
        (TEXT, TEXT.replace("l", "!l"), 12, 1 / 12),
        (TEXT, TEXT.replace("l", "l!"), 12, 0.0),
        (TEXT, TEXT.replace("y", "!y"), 12, 0.0),
        (TEXT, TEXT.replace("y", "y!"), 12, 1 / 12),
        (TEXT, TEXT + "!!", 12, 2 / 12),
        (TEXT, "!!!" + TEXT, 12, 3 / 12),
        # spaces are no characters
        ("every day", "everyday", 12, 0.0),
        # a reference shorter than the edge is its own head and tail
        ("abcd", "abc", 12, 1 / 4),
        ("abcd", "bcd", 12, 1 / 4),
        ("a", "b", 12, 1.0),
    ],
)
def test_edge_error(reference: str, hypothesis: str, characters: int, expected: float | None) -> None:
    assert edge_error(reference, hypothesis, characters) == pytest.approx(expected)


EN = "please tell me how to bake a good loaf of bread"
ZH = "请你告诉我怎么样才能在家里烤出一个又香又软的好面包"


@each_row(
    ("language", "reference", "hypothesis", "is_seen"),
    [
        ("en", EN, EN.removesuffix(" bread"), True),
        ("en", EN, EN.removeprefix("please "), True),
        ("en", EN, EN.replace("bake", "take"), False),
        ("zh", ZH, ZH.removesuffix("包"), True),
        ("zh", ZH, ZH.removeprefix("请"), True),
        ("zh", ZH, ZH.replace("里", "理"), False),
    ],
)
def test_edge_error_of_a_score(language: str, reference: str, hypothesis: str, is_seen: bool) -> None:
    result = score(reference, hypothesis, language)
    assert result.edits >= 1
    assert bool(result.edge_error) is is_seen


@pytest.mark.parametrize("characters", [0, -1])
def test_an_edge_has_a_width(characters: int) -> None:
    with pytest.raises(ValueError, match="at least one character"):
        edge_error("a", "a", characters)


def _scores(*pairs: tuple[str, str]) -> list[Score]:
    return [score(reference, hypothesis, "en") for reference, hypothesis in pairs]


@each_row(
    ("pairs", "expected"),
    [
        ([("a cat", "a cat")], 0.0),
        ([("cat", "dog"), ("the cat is on the big mat here now", "the cat is on the big mat here now")], 0.1),
        ([("the cat", "the dog"), ("the big cat", "")], 4 / 5),
        # words where none were meant are errors, but no length
        ([("the cat", "the cat"), ("...", "dog")], 1 / 2),
        ([("...", "dog")], None),
        ([], None),
    ],
)
def test_pooled(pairs: list[tuple[str, str]], expected: float | None) -> None:
    assert pooled(_scores(*pairs)) == pytest.approx(expected)


_FEW_WORDS = st.lists(st.sampled_from("the cat dog sat here".split()), min_size=1, max_size=12).map(" ".join)
_FEW_CHARACTERS = st.text(alphabet="的我你他们好", min_size=1, max_size=20)


@given(_FEW_WORDS, _FEW_WORDS)
def test_counts_are_those_of_jiwer_for_words(reference: str, hypothesis: str) -> None:
    result, expected = score(reference, hypothesis, "en"), jiwer.process_words(reference, hypothesis)
    assert (result.substitutions, result.deletions, result.insertions) == (
        expected.substitutions,
        expected.deletions,
        expected.insertions,
    )
    assert result.rate == pytest.approx(expected.wer)


@given(_FEW_CHARACTERS, _FEW_CHARACTERS)
def test_counts_are_those_of_jiwer_for_characters(reference: str, hypothesis: str) -> None:
    result, expected = score(reference, hypothesis, "zh"), jiwer.process_characters(reference, hypothesis)
    assert (result.substitutions, result.deletions, result.insertions) == (
        expected.substitutions,
        expected.deletions,
        expected.insertions,
    )
    assert result.rate == pytest.approx(expected.cer)
