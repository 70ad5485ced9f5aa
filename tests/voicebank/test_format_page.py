"""docs/voicebank-format.md says what the code does: its tables are made afresh, its code is run.

`python tests/voicebank/test_format_page.py` puts fresh tables into the page.
"""

import re
from pathlib import Path

import pyarrow as pa
import pytest

from manifests.table import arrow_schema_of
from voicebank.exchange.entry import ImportReason
from voicebank.tables import voices_schema
from voicebank.voice import Speaker

PAGE = Path(__file__).parents[2] / "docs" / "voicebank-format.md"
WIDTHS = {"embedding": 192, "xvector": 512}


def _columns(schema: pa.Schema) -> str:
    rows = [f"| `{f.name}` | {_type(f.type)} | {'yes' if f.nullable else 'no'} |" for f in schema]
    return "\n".join(["| column | type | may be null |", "|---|---|---|", *rows]) + "\n"


def _type(arrow_type: object) -> str:
    return re.sub(r"fixed_size_list<.*>\[\d+\]", "vector", re.sub(r"element: (\w+) not null", r"\1", str(arrow_type)))


def _fresh() -> dict[str, str]:
    reasons = [f"| `{reason}` | {reason.meaning} |" for reason in ImportReason]
    return {
        "voices": _columns(voices_schema(WIDTHS)),
        "speakers": _columns(arrow_schema_of(Speaker, WIDTHS)),
        "reasons": "\n".join(["| an import's reason | meaning |", "|---|---|", *reasons]) + "\n",
    }


def _marked(text: str, part: str) -> re.Match[str]:
    found = re.search(rf"(<!-- generated: {part} -->\n)(.*?)(<!-- end -->)", text, re.DOTALL)
    assert found is not None, part
    return found


@pytest.mark.parametrize("part", ["voices", "speakers", "reasons"])
def test_tables_are_fresh(part: str) -> None:
    assert _marked(PAGE.read_text("utf-8"), part)[2] == _fresh()[part]


def test_the_code_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    exec(code, {"where": str(tmp_path)})
    assert capsys.readouterr().out == "2 None\nmine ['anna', 'ben']\n"


def _update() -> None:
    text = PAGE.read_text("utf-8")
    for part, fresh in _fresh().items():
        found = _marked(text, part)
        text = text[: found.start(2)] + fresh + text[found.end(2) :]
    PAGE.write_text(text, "utf-8")


if __name__ == "__main__":
    _update()
