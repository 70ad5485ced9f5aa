"""YAML that people write: what is taken, and what is refused with a few words."""

from typing import Any

import pytest

from pipeline.yaml_text import load_yaml
from tests.tables import each_row

_LAUGHS = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9)
)


@each_row(
    ("text", "value"),
    [
        ("", None),
        ("a: 1\nb: [x, 2.5, true, null]", {"a": 1, "b": ["x", 2.5, True, None]}),
        ("no: 1\n2024: 2\ntrue: 3", {"no": 1, "2024": 2, "true": 3}),
        ("when: 2026-01-31", {"when": "2026-01-31"}),
        ("when: 2026-13-45", {"when": "2026-13-45"}),
        ("a: =", {"a": "="}),
        ("base: &b {x: 1}\nmore: {<<: *b, y: 2}", {"base": {"x": 1}, "more": {"x": 1, "y": 2}}),
        ("&a x", "x"),
        ("9223372036854775807", 2**63 - 1),
        ("'\\ud800'", "\\ud800"),
    ],
)
def test_what_is_taken(text: str, value: Any) -> None:
    assert load_yaml(text) == value


@each_row(
    ("text", "words"),
    [
        ("a: [", "expected the node content"),
        ("a: 1\nb: 2\na: 3", "line 3: the key 'a' is there twice"),
        ("{[a]: 1}", "line 1: a key must be a name"),
        ("[" * 10_000, "nested too deep"),
        ("[" * 45 + "]" * 45, "nested too deep"),
        ("9" * 5000, "digits"),
        ("a: 9223372036854775808", "too large"),
        ("a: .nan", "not a number that a setting can have"),
        ("a: [-.inf]", "not a number that a setting can have"),
        ("a: &a [*a]", "an anchor that holds itself"),
        (_LAUGHS, "more than 100000 values"),
        ('"\\ud800"', "half of a surrogate pair"),
        ("!!python/object:os.system x", "are not taken"),
        ("!!binary aGVsbG8=", "!!binary values are not taken"),
        ("!!timestamp x", "!!timestamp values are not taken"),
        ("!mine x", "!mine values are not taken"),
        ("!!float x", "could not convert"),
        ("!!int ''", ""),
        ("!!bool x", ""),
        ("a: \x00", "special characters"),
        ("a\n--- b\n--- c", "expected a single document"),
    ],
)
def test_what_is_refused_in_one_line(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=r"^[^\n]+$") as error:
        load_yaml(text)
    assert words in str(error.value)
