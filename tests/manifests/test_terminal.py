"""Nothing that a terminal obeys passes `printable`; what it only shows does."""

import json

from manifests.terminal import printable
from tests.tables import each_row


@each_row(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("窗户\u3000再见 café 👩‍👩‍👧 नमस्ते", "窗户\u3000再见 café 👩‍👩‍👧 नमस्ते"),
        ("a\r\x1b[2Jb", "a \\u001b[2Jb"),
        ("\x1b]0;PWNED\x07", "\\u001b]0;PWNED\\u0007"),
        ("two\nlines\tand\u2028more", "two lines and more"),
        ("\x9b31m \x7f \x00", "\\u009b31m \\u007f \\u0000"),
        ("abc\u202edcba\u2066", "abc\\u202edcba\\u2066"),
        ("half \ud800", "half \\ud800"),
    ],
)
def test_what_steers_a_terminal_is_shown_as_its_escape(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_json_stays_the_same_json() -> None:
    value = {"a\x9b": "b\x1b]0;x\x07\u202e", "c": "d\te"}
    assert json.loads(printable(json.dumps(value, ensure_ascii=False, indent=2), keep="\n\t")) == value
