"""Cutting: pieces are short enough, hold all phonemes in order, and end where sentences do."""

from hypothesis import given
from hypothesis import strategies as st

from pipeline.engines.tts.kokoro.pieces import LONGEST, cut

SENTENCE = "ðə kˈæt sˈæt, ænd ðə dˈɔɡ ɹˈæn."


def test_short_texts_stay_whole() -> None:
    assert cut(SENTENCE) == [SENTENCE]
    assert cut("a" * LONGEST) == ["a" * LONGEST]


def test_sentences_are_not_cut() -> None:
    pieces = cut(" ".join([SENTENCE] * 30))
    assert len(pieces) == 3
    assert all(piece.endswith(".") for piece in pieces)
    assert max(map(len, pieces)) - min(map(len, pieces)) <= 2 * len(SENTENCE), "filled evenly"


def test_a_sentence_too_long_is_cut_at_a_clause_then_at_a_word() -> None:
    clauses = ", ".join(["ˈɛvɹi wˈʌn əv ðəm"] * 40)
    assert all(piece.endswith(("m", ",")) for piece in cut(clauses))
    words = " ".join(["wˈʌn"] * 300)
    assert all(set(piece.split()) == {"wˈʌn"} for piece in cut(words))


@given(st.text(alphabet="ab ,.", max_size=3000))
def test_nothing_is_lost(phonemes: str) -> None:
    pieces = cut(phonemes)
    assert all(len(piece) <= LONGEST for piece in pieces)
    assert "".join(pieces).replace(" ", "") == phonemes.replace(" ", "")
