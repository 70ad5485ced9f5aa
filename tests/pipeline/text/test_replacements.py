"""Tables of replacements."""

import re

from pipeline.text.replacements import MarkedRules, apply_rules, compile_rules


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
