"""docs/exporting-sequences.md: its examples run, and it names every exporter of sequences that there is."""

import doctest
import re
from pathlib import Path

from pipeline.exporters import EXPORTERS

PAGE = Path(__file__).parents[3] / "docs" / "exporting-sequences.md"
EXPORTS = Path(__file__).parents[3] / "manifests" / "export"


def test_the_examples_of_the_page_run() -> None:
    result = doctest.testfile(str(PAGE), module_relative=False)
    assert result.failed == 0 and result.attempted > 10


def test_the_page_names_every_exporter_that_uses_a_form() -> None:
    rows = set(re.findall(r"^\| `([\w-]+)` \|", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE))
    using = {
        file.stem.replace("_", "-") for file in EXPORTS.glob("[a-z]*.py") if "manifests.forms" in file.read_text()
    }
    assert rows - {"full-duplex-bench"} == using - {"voiceassistant", "llama-omni"}, "those two are on another page"
    assert all(EXPORTERS.named(name) for name in rows)
