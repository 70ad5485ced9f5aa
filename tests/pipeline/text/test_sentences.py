"""Where a sentence ends, for each of the callers that ask."""

import pytest
from hypothesis import strategies as st

from pipeline.text.sentences import (
    ends_instruction,
    next_sentence_starts,
    sentence_ends,
    split_sentences,
    with_end_mark,
)

TEXTS = st.text(alphabet="aA1 .!?。！？，；、…:：\"'”’」)）\n好", max_size=30)


@pytest.mark.parametrize(
    ("text", "language", "sentences"),
    [
        ("", "en", []),
        ("Ask Dr. Smith. He knows", "en", ["Ask Dr. Smith.", "He knows"]),
        ("It works, e.g. 5 times. 6 do not.", "en", ["It works, e.g. 5 times.", "6 do not."]),
        ('He said "Go." Then he left.', "en", ['He said "Go."', "Then he left."]),
        ("no capital. here", "en", ["no capital. here"]),
        ("See Fig. 3 in Ft. Worth. Sen. Lee came.", "en", ["See Fig. 3 in Ft. Worth.", "Sen. Lee came."]),
        ("He paid Rs. 50 on p. 5. Good.", "en", ["He paid Rs. 50 on p. 5.", "Good."]),
        ("", "zh", []),
        ("你好。真的？！好", "zh", ["你好。", "真的？！", "好"]),
        ("他说：“走吧。”她（笑了。）走", "zh", ["他说：“走吧。”", "她（笑了。）", "走"]),
        ('他走了。"好"', "zh", ["他走了。", '"好"']),
    ],
)
def test_sentences(text: str, language: str, sentences: list[str]) -> None:
    assert split_sentences(text, language) == sentences


@pytest.mark.parametrize(
    ("text", "mark", "language", "closed"),
    [
        ("Yes", ".", "en", "Yes."),
        ("Yes ,， ", ",", "en", "Yes,"),
        ("Yes?", ".", "en", "Yes?"),
        ("好", ".", "zh", "好。"),
        ("好、", ",", "zh", "好，"),
        ("好！", ".", "zh", "好！"),
        (", ", ".", "en", ""),
    ],
)
def test_a_text_is_closed_once(text: str, mark: str, language: str, closed: str) -> None:
    assert with_end_mark(text, mark, language) == closed


@pytest.mark.parametrize(
    ("text", "starts"),
    [
        ("One. Two! (No.) Three", [5, 10, 16]),
        ("好。”你呢？", [3]),
        ("3.5 of v1.2", []),
        ("Last.", []),
        ("好！）我", [3]),
    ],
)
def test_further_sentences_in_either_language(text: str, starts: list[int]) -> None:
    assert next_sentence_starts(text) == starts


@pytest.mark.parametrize(
    ("text", "ends"), [("One… two; 3.5", [4, 9]), ("好；好。」", [2, 5]), ("None", []), ("e.g.x", [])]
)
def test_ends_of_any_kind(text: str, ends: list[int]) -> None:
    assert list(sentence_ends(text)) == ends


@pytest.mark.parametrize("mark", "。？！：；….?!:;")
def test_an_instruction_ends_at_a_sentence_a_colon_or_a_semicolon(mark: str) -> None:
    assert ends_instruction(f"a{mark}")
    assert not ends_instruction(f"{mark}a")


@pytest.mark.parametrize("mark", ["", ",", "，", "、", ")"])
def test_an_instruction_goes_on_after_other_marks(mark: str) -> None:
    assert not ends_instruction(f"a{mark}")
