"""A corpus of every kind of row, and its report."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from manifests.storage import Place, open_place
from pipeline.report.report import write_report
from tests.pipeline.report.reported import reported


def page_json(page: Path, name: str) -> Any:
    """What the element of that id holds, as the page's script reads it."""
    found = re.search(
        rf'<script type="application/json" id="{name}">(.*?)</script>', page.read_text("utf-8"), re.DOTALL
    )
    assert found, name
    return json.loads(found[1])


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return reported(tmp_path_factory.mktemp("corpora") / "rivers")


@pytest.fixture(scope="session")
def page(corpus: Place, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("reports")
    write_report(corpus, open_place(out))
    return out / "report.html"


@pytest.fixture(scope="session")
def data(page: Path) -> Any:
    return page_json(page, "data")
