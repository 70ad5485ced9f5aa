"""The tables of docs/virtual-voices.md are what the code says."""

import re
from pathlib import Path

import pytest

from tests.tables import each_row
from voicebank.check import BankProblem
from voicebank.leak import similarity_to_parent, widest_parents
from voicebank.prompts import PromptDrop
from voicebank.selection import Drop

TEXT = (Path(__file__).parents[2] / "docs" / "virtual-voices.md").read_text()
WEIGHTS = (0.5, 0.6, 0.7)


def table(head: str) -> list[list[str]]:
    """The cells of the table whose first head cell is that one."""
    found = re.search(rf"^\| {re.escape(head)} \|.*\n\|[-|]+\n((?:\|.*\n)+)", TEXT, re.MULTILINE)
    assert found, head
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in found[1].splitlines()]


@each_row("row", table("cosine of the parents"), ids=lambda row: row[0])
def test_similarities_to_a_parent(row: list[str]) -> None:
    assert row[1:] == [f"{similarity_to_parent(weight, float(row[0])):.3f}" for weight in WEIGHTS]


@pytest.mark.parametrize("row", table("limit"), ids=lambda row: row[0])
def test_how_alike_parents_may_be(row: list[str]) -> None:
    cosines = [widest_parents(weight, float(row[0])) for weight in WEIGHTS]
    assert row[1:] == ["none" if cosine is None else f"{cosine:.3f}" for cosine in cosines]


def test_reasons_and_problems() -> None:
    assert table("reason") == [[f"`{drop.value}`", drop.meaning] for drop in Drop]
    assert table("a clip's reason") == [[f"`{drop.value}`", drop.meaning] for drop in PromptDrop]
    assert table("problem") == [[f"`{problem.value}`", problem.meaning] for problem in BankProblem]
