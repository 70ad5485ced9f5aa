"""Text tables: plain, aligned, the same on every kind of stdout, and safe to print."""

import subprocess
import sys

import pytest

from pipeline.show.text import Fact, fact_lines, text_table


@pytest.mark.parametrize(
    ("names", "rows", "right", "lines"),
    [
        (("a", "bcd"), [("xyz", "1")], (), ["a    bcd", "xyz  1"]),
        (("a", "bcd"), [("xyz", "1"), ("", "22,222")], {1}, ["a       bcd", "xyz       1", "     22,222"]),
        (("", ""), [("a", "b")], (), ["a  b"]),
        (("a",), [], (), ["a"]),
        (("", ""), [], (), []),
        (("名", "x"), [("中文", "1"), ("abc", "2")], (), ["名    x", "中文  1", "abc   2"]),
        (("", ""), [("[bold]x[/bold]", ":smile:")], (), ["[bold]x[/bold]  :smile:"]),
        (("", ""), [("a\nb\x1b[31m\tc", "d")], (), ["a b\\u001b[31m c  d"]),
        (("", ""), [("w" * 3000, "x y " * 100)], (), ["w" * 3000 + "  " + ("x y " * 100).rstrip()]),
    ],
    ids=["left", "right", "no head", "no rows", "nothing", "wide characters", "no markup", "controls", "long"],
)
def test_tables(names, rows, right, lines):
    assert text_table(names, rows, right) == lines


def test_facts_and_what_lies_beneath():
    facts = [
        Fact("rows in", "1,234"),
        Fact("rejected", "34", [(4, "few: so"), (30, "many: so")]),
        Fact("failed", "0"),
    ]
    assert fact_lines(facts) == [
        "rows in   1,234",
        "rejected  34",
        "  30  many: so",
        "   4  few: so",
        "failed    0",
    ]
    assert fact_lines([]) == []


def test_no_variable_of_a_terminal_changes_a_table():
    code = "from pipeline.show.text import text_table; print(*text_table(['a' * 50] * 3, [['b'] * 3]), sep='\\n')"
    plain, odd = (
        subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True).stdout
        for env in ({}, {"FORCE_COLOR": "1", "COLUMNS": "20", "TTY_COMPATIBLE": "1", "TERM": "xterm-256color"})
    )
    assert plain == odd == "  ".join(["a" * 50] * 3) + "\n" + "  ".join(["b".ljust(50)] * 3).rstrip() + "\n"
