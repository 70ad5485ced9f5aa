"""Alignments as people see them: pictures to compare, and laws of any picture."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifests.alignment import aligned_lines, text_width
from manifests.schema import AlignmentChunk
from parley.testing.corpora import make_score


def equal(text):
    return AlignmentChunk("equal", text, text)


def substitute(meant, heard):
    return AlignmentChunk("substitute", meant, heard)


def insert(heard):
    return AlignmentChunk("insert", "", heard)


def delete(meant):
    return AlignmentChunk("delete", meant, "")


WORDS = [equal("the cat"), substitute("sat on", "satin of"), delete("my"), equal("mat"), insert("thank you")]
PICTURES = {
    "words": (
        WORDS,
        "wer",
        100,
        """
meant  the cat sat   on my mat ***** ***
heard  the cat satin of ** mat thank you
               S     S  D      I     I
""",
    ),
    "wrapped": (
        WORDS,
        "wer",
        22,
        """
meant  the cat sat
heard  the cat satin
               S
meant  on my mat *****
heard  of ** mat thank
       S  D      I
meant  ***
heard  you
       I
""",
    ),
    "all heard": (
        [equal("the cat")],
        "wer",
        100,
        """
meant  the cat
heard  the cat
""",
    ),
    "a word wider than the line": (
        [equal("a antidisestablishment b")],
        "wer",
        12,
        """
meant  a
heard  a
meant  antidisestablishment
heard  antidisestablishment
meant  b
heard  b
""",
    ),
    "wide characters": (
        [equal("今天"), substitute("天气", "田地"), delete("很"), insert("a"), equal("好")],
        "cer",
        100,
        """
meant  今天天气很*好
heard  今天田地**a好
           S S D I
""",
    ),
    "nothing": ([], "wer", 100, ""),
}


@pytest.mark.parametrize("name", PICTURES)
def test_pictures(name):
    alignment, metric, width, picture = PICTURES[name]
    lines = aligned_lines(make_score(*alignment, metric=metric), width)
    assert lines == picture.strip("\n").splitlines()


@pytest.mark.parametrize(
    ("text", "columns"), [("", 0), ("cat", 3), ("今天", 4), ("ｃ", 2), ("e\u0301", 1), ("한국", 4), ("ﾊﾝ", 2)]
)
def test_widths_are_those_of_a_terminal(text, columns):
    assert text_width(text) == columns


def test_nothing_that_a_terminal_obeys_is_printed():
    lines = aligned_lines(make_score(substitute("\x1b[2J", "x")))
    assert lines[0] == "meant  \\u001b[2J"


_words = st.lists(st.sampled_from(["a", "cat", "今天", "naïve", "e\u0301t\u00e9"]), min_size=1, max_size=6)


@st.composite
def _alignments(draw):
    chunks = []
    for kind in draw(st.lists(st.sampled_from(["equal", "substitute", "insert", "delete"]), max_size=8)):
        one = draw(_words)
        other = draw(st.lists(st.sampled_from(["b", "dog", "明天"]), min_size=len(one), max_size=len(one)))
        meant = "" if kind == "insert" else " ".join(one)
        heard = "" if kind == "delete" else " ".join(one if kind == "equal" else other)
        chunks.append(AlignmentChunk(kind, meant, heard))
    return chunks


def _columns_of_words(line):
    """The column at which each word of the line begins, after the label."""
    begins, column, before = [], 0, " "
    for character in line[7:]:
        if character != " " and before == " ":
            begins.append(column)
        column, before = column + text_width(character), character
    return begins


@given(_alignments(), st.integers(8, 60))
def test_words_stand_under_each_other_and_every_edit_has_its_mark(alignment, width):
    score = make_score(*alignment)
    lines = aligned_lines(score, width)
    meant = [line for line in lines if line.startswith("meant")]
    heard = [line for line in lines if line.startswith("heard")]
    marks = [line for line in lines if line.startswith("       ")]
    assert [_columns_of_words(line) for line in meant] == [_columns_of_words(line) for line in heard]
    for shown, text in ((meant, score.reference), (heard, score.hypothesis)):
        words = [word for line in shown for word in line[7:].split() if set(word) != {"*"}]
        assert words == text.split()
    letters = "".join(marks).replace(" ", "")
    assert {mark: letters.count(mark) for mark in "SDI"} == {
        "S": score.substitutions,
        "D": score.deletions,
        "I": score.insertions,
    }
