"""A table as one test: it walks every row, lists every row that fails, and shares its fixtures."""

import inspect

import pytest

from tests.tables import each_row

SQUARES = [(1, 1), (2, 5), (3, 9), (4, "no number")]


def test_every_row_that_fails_is_listed_with_its_line_and_why() -> None:
    @each_row("number, square", SQUARES)
    def square(number: int, square: int) -> None:
        assert number**2 - square == 0

    with pytest.raises(AssertionError) as failure:
        square()
    head, *rows = str(failure.value).splitlines()
    assert head == "2 of 4 rows fail"
    listed = [row for row in rows if row.startswith("number=")]
    line = square.__wrapped__.__code__.co_firstlineno + 2
    assert listed[0].startswith(f"number=2, square=5: line {line}: assert")
    assert listed[1] == f"number=4, square='no number': line {line}: " + repr(
        TypeError("unsupported operand type(s) for -: 'int' and 'str'")
    )
    assert len(listed) == 2


def test_a_table_whose_rows_hold_passes_and_walks_all_of_them() -> None:
    seen = []

    @each_row(("letter", "number"), [("a", 1), pytest.param("b", 2)])
    def look(letter: str, number: int, shared: list[object]) -> None:
        shared.append((letter, number))

    look(shared=seen)
    assert seen == [("a", 1), ("b", 2)]


def test_tables_stack_and_leave_only_fixtures_to_pytest() -> None:
    @each_row("outer", [1, 2])
    @each_row("inner", "ab")
    def pair(outer: int, inner: str, seen: list[str]) -> None:
        seen.append(f"{outer}{inner}")
        assert (outer, inner) != (2, "a")

    assert list(inspect.signature(pair).parameters) == ["seen"]
    seen: list[str] = []
    with pytest.raises(AssertionError, match=r"(?s)^1 of 2 rows fail\nouter=2: .*1 of 2 rows fail\ninner='a': "):
        pair(seen=seen)
    assert seen == ["1a", "1b", "2a", "2b"]


def test_a_row_where_the_expected_error_is_not_raised_fails() -> None:
    @each_row("text", ["1", "x"], ids=["a digit", "a letter"])
    def refused(text: str) -> None:
        with pytest.raises(ValueError):
            int(text)

    with pytest.raises(AssertionError, match=r"1 of 2 rows fail\na digit: .* DID NOT RAISE"):
        refused()


def test_a_row_that_hangs_ends_the_walk() -> None:
    seen = []

    @each_row("number", [1, 2, 3])
    def hang(number: int) -> None:
        seen.append(number)
        if number == 2:
            pytest.fail("Timeout (>1.0s) from pytest-timeout.")

    with pytest.raises(AssertionError, match=r"1 of 3 rows fail\nnumber=2: .*Timeout"):
        hang()
    assert seen == [1, 2]


def test_a_skipped_row_skips_the_test() -> None:
    @each_row("number", [1])
    def skip(number: int) -> None:
        pytest.skip("not here")

    with pytest.raises(pytest.skip.Exception):
        skip()


def test_an_empty_table_and_a_marked_row_are_refused() -> None:
    with pytest.raises(ValueError, match="no rows for text: a test over an empty table cannot fail"):
        each_row("text", [])
    with pytest.raises(ValueError, match="cannot be marked"):
        each_row("text", [pytest.param("a", marks=pytest.mark.slow)])
