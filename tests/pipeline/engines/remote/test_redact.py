"""Texts of servers, without secrets and private paths."""

from pipeline.engines.remote.redact import make_redactor
from tests.tables import each_row

KEY = "a1B2c3D4e5F6g7H8i9"


@each_row(
    ("text", "scrubbed"),
    [
        ("all is well", "all is well"),
        (f"wrong key {KEY}!", "wrong key ***!"),
        (f"wrong key {KEY[:8]}****{KEY[-3:]}!", "wrong key ***!"),
        ("Incorrect API key provided: sk-proj-12**9", "Incorrect API key provided: ***"),
        ("sent Authorization: Bearer abc.def", "sent Authorization: ***"),
        ("see http://user:word@host/v1", "see http://***@host/v1"),
        ("no model /home/me/secret/tiny", "no model tiny"),
        ("two\nlines\tand a \x1b[31m bell\x07", "two lines and a [31m bell"),
        ("long " * 100, "long " * 39 + "long…"),
        ("", ""),
    ],
)
def test_secrets_are_redacted(text: str, scrubbed: str) -> None:
    scrub = make_redactor([KEY], {"/home/me/secret/tiny": "tiny"})
    assert scrub(text) == scrubbed


def test_a_short_secret_would_mask_ordinary_words() -> None:
    assert make_redactor(["key"], {})("the key is wrong") == "the key is wrong"
