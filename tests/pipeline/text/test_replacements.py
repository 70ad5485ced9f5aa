"""Tables of replacements."""

import re

from pipeline.text.needed_characters import needed_characters
from pipeline.text.replacements import MarkedRules, RuleTable, apply_rules, compile_rules
from pipeline.text.verbalize.english import RULES
from tests.pipeline.text.verbalize.english_rows import SAID, UNSURE
from tests.tables import each_row


def test_rules_apply_in_order_and_see_what_was_written() -> None:
    rules = compile_rules(("a", "b"), ("b+", lambda found: str(len(found[0]))), ("a", "never"))
    assert apply_rules(rules, "aab a") == "3 1"


def test_marked_rules_apply_where_the_text_has_one_of_their_marks() -> None:
    rules = MarkedRules(("%", re.compile("%"), "#"), ("+-", re.compile("[+-]"), "!"), ("#", re.compile("#"), "x"))
    assert rules.apply("1-2+3") == "1!2!3"
    assert rules.apply("plain") == "plain"
    # The marks are those of the text as it is given: what a rule writes calls no further rule.
    assert rules.apply("5%") == "5#"
    assert rules.apply("5%#") == "5xx"


@each_row(
    ("pattern", "flags", "needed"),
    [
        (r"\d+", 0, ["0123456789"]),
        (r"[A-Z]{2}\.", 0, [".", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"]),
        (r"(?<=\$)[a-z]|%{1,2}", 0, ["$%"]),
        ("x?y(?!z)[^a-z]*", 0, ["y"]),
        ("(?:v(?i:K))", 0, ["v", "Kk"]),
        ("a|b", 0, []),  # nearly every text has one
        ("≈", 0, ["≈"]),
        ("ſ", re.IGNORECASE, []),  # matches "s"
        (r"(\w)\1", 0, []),
    ],
)
def test_what_a_pattern_needs(pattern: str, flags: int, needed: list[str]) -> None:
    assert ["".join(sorted(each)) for each in needed_characters(re.compile(pattern, flags))] == needed


def test_a_table_does_what_its_rules_do() -> None:
    table = RuleTable(RULES)
    texts = [*UNSURE, *(text for rows in SAID.values() for row in rows for text in row)]
    texts += [change(text) for text in texts for change in (str.upper, str.title, lambda text: f"é {text}")]
    assert [text for text in texts if table.apply(text) != apply_rules(RULES, text)] == []
    beyond = compile_rules((r"[^\x00-\x7f]", "!"), (r"!\d", "?"))
    assert [RuleTable(beyond).apply(text) for text in ("é", "é5", "5")] == ["!", "?", "5"]
