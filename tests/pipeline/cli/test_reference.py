"""The reference pages of docs/ are what the code says."""

from pathlib import Path

import pytest

from pipeline.cli.reference import PAGES

DOCS = Path(__file__).parents[3] / "docs"


@pytest.mark.parametrize("name", PAGES)
def test_the_page_is_true(name: str) -> None:
    assert (DOCS / name).read_text(encoding="utf-8") == PAGES[name](), "python -m pipeline.cli.reference docs"
