from hypothesis import given
from hypothesis import strategies as st

from pipeline.readers.text import clean_text
from tests.tables import each_row

ANY_CHARACTER = st.text(st.characters(exclude_categories=[]))


@each_row(
    ("text", "clean"),
    [
        ("plain 中文 \t\n", "plain 中文 \t\n"),
        ("a\r\nb\rc\x0bd\x0ce\x85f\u2028g\u2029h", "a\nb\nc\nd\ne\nf\ng\nh"),
        ("a\x00b\x1b[1mc\x7fd\x9fe", "ab[1mcde"),
        ("\ufeffa\ufeffb", "ab"),
        ("a\ud83d\ude00b", "a\U0001f600b"),
        ("a\ud83db\ude00", "a\ufffdb\ufffd"),
        ("\udcff", "\ufffd"),
        ("👩\u200d👧", "👩\u200d👧"),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
    ],
)
def test_clean(text, clean):
    assert clean_text(text) == clean


@given(ANY_CHARACTER)
def test_clean_text_can_be_stored_and_is_cleaned_once(text):
    clean = clean_text(text)
    assert clean.encode().decode() == clean
    assert clean_text(clean) == clean
