"""Marks go, words stay."""

from pipeline.text.verbalize import strip_markup
from tests.tables import each_row


@each_row(
    ("text", "plain"),
    [
        ("**bold** and *thin* and __both__ and _low_", "bold and thin and both and low"),
        ("# Title\ntext", "Title\ntext"),
        ("### Title ###", "Title"),
        ("> quoted", "quoted"),
        ("see [the page](https://example.org/a_b)", "see the page"),
        ("![a cat](cat.png) sits", "a cat sits"),
        ("use `print` now", "use print now"),
        ("<b>bold</b> <br/>text", " bold   text"),
        ("a &amp; b &lt; c", "a & b < c"),
        ("2 * 3 * 4", "2 * 3 * 4"),
        ("snake_case_name", "snake_case_name"),
        ("a\n---\nb", "a\n\nb"),
        ("- one\n- two", "- one\n- two"),
        ("2 < 3 and 4 > 1", "2 < 3 and 4 > 1"),
        ("plain text.", "plain text."),
        ("[1, 2, 3] (see above)", "[1, 2, 3] (see above)"),
    ],
)
def test_markup_is_stripped(text: str, plain: str) -> None:
    assert strip_markup(text) == plain


def test_a_fence_loses_its_marks_only() -> None:
    assert strip_markup("```python\nx\n```").strip() == "x"
