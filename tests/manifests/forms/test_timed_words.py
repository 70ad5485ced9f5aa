"""Words in frames: none is lost, times of another text are none, and sentences end at their marks."""

from fractions import Fraction

import pytest

from manifests.forms.words import timed_words, token_durations
from manifests.schema import Word, WordTimes

TEXT = 'He said: "Go!" Then  we left.'
WORDS = ("He", "said:", '"Go!"', "Then", "we", "left.")


def times(words: tuple[str, ...], step: int = 800, **changes: object) -> WordTimes:
    found = tuple(Word(word, 100 + number * step, 100 + (number + 1) * step) for number, word in enumerate(words))
    return WordTimes("made 1", "word", found, **changes)  # type: ignore[arg-type]


def test_words_are_the_text_and_begin_in_a_frame() -> None:
    words = timed_words(TEXT, times(WORDS), 16_000)
    assert words is not None
    assert "".join(words.words) == TEXT
    assert words.text(3, 5) == "Then  we"
    assert words.sentences() == ((0, 3), (3, 6))
    frames = words.frames(Fraction(1, 50), 14)  # a word begins every 2.5 frames, from the first third of a frame
    assert frames == (0, 3, 5, 8, 10, 13, 14)
    assert words.frames(Fraction(1, 50), 9) == (0, 3, 5, 8, 9, 9, 9)


def test_characters_and_words_of_unspaced_text() -> None:
    for parts in (("远", "不", "远？"), ("远不远？",), ("远", "不", "远")):
        words = timed_words("远不远？", times(parts), 16_000)
        assert words is not None and "".join(words.words) == "远不远？"


@pytest.mark.parametrize(
    "found",
    [
        None,
        times(()),
        times(("He", "says:")),
        times(WORDS, problem="too fast"),
        WordTimes("made 1", "word", (Word("He", None, None),)),
    ],
)
def test_times_that_may_not_be_used_are_none(found: WordTimes | None) -> None:
    assert timed_words(TEXT, found, 16_000) is None


def test_text_tokens_share_the_frames_of_their_words() -> None:
    words = timed_words("no, why", times(("no,", "why"), step=1600), 16_000)
    assert words is not None
    borders = words.frames(Fraction(1, 50), 12)
    assert borders == (0, 5, 12)
    ends = [Fraction(end) for end in (2, 3, 4, 7)]  # "no" "," " " "why"
    assert token_durations(ends, words, borders) == (3, 2, 1, 6)
    assert token_durations([Fraction(7)], words, borders) == (12,)
    assert token_durations([Fraction(1), Fraction(6), Fraction(7)], words, borders) == (1, 9, 2)
    assert token_durations([], words, borders) == ()
    halves = [Fraction(1, 2), Fraction(1), Fraction(7)]  # two tokens of one character
    assert token_durations(halves, words, borders) == (0, 1, 11)
