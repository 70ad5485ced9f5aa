"""The README shows what is written: its examples are made afresh and compared, its code is run.

`python tests/manifests/test_readme.py` puts fresh examples into the README.
"""

import dataclasses
import json
import re
import tempfile
from pathlib import Path

import pytest

import manifests
from manifests.columns import column_table
from manifests.corpus import Corpus
from manifests.manifest import MANIFEST_NAME
from manifests.shards import ROW_GROUP_BYTES, ROW_GROUP_ROWS
from parley.testing.corpora import make_corpus, make_failed, make_kept, make_rejected

README = Path(manifests.__file__).parent / "README.md"
PARTS = ("manifest", "row", "columns")


def _write_corpus(where: Path):
    rows = [make_kept(0), make_kept(1), make_rejected(2), make_failed(3)]
    return make_corpus(where, rows, clips=True)


def _fresh(where: Path) -> dict[str, str]:
    place = _write_corpus(where)
    row = dataclasses.asdict(Corpus(place)[1])
    shown = json.dumps(
        row, ensure_ascii=False, indent=2, default=lambda data: f"{data[:4].decode()}... {len(data)} bytes"
    )
    return {
        "manifest": f"```json\n{(place / MANIFEST_NAME).read_text()}```\n",
        "row": f"```json\n{shown}\n```\n",
        "columns": column_table(),
    }


def _marked(text: str, part: str) -> re.Match[str]:
    found = re.search(rf"(<!-- generated: {part} -->\n)(.*?)(<!-- end -->)", text, re.DOTALL)
    assert found is not None, part
    return found


def _without_versions(text: str) -> str:
    """Size and hash of a shard depend on the version of pyarrow that wrote it."""
    text = re.sub(r'"sha256": "[0-9a-f]{64}"', '"sha256": "..."', text)
    return re.sub(r'"bytes": \d+', '"bytes": 0', text)


@pytest.mark.parametrize("part", PARTS)
def test_examples_are_fresh(tmp_path, part):
    shown = _marked(README.read_text("utf-8"), part)[2]
    assert _without_versions(shown) == _without_versions(_fresh(tmp_path)[part])


def test_code_runs(tmp_path, capsys):
    (code,) = re.findall(r"```python\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
    names = {"where": _write_corpus(tmp_path).path}
    exec(code, names)
    assert capsys.readouterr().out.startswith("2 dialogues, 0.2 s of speech\nuser what is number 0 (800,) 16000\n")
    assert names["last"].dialogue_id == "made-00000001"
    assert (len(names["half"]), len(names["dropped"]), len(names["texts"])) == (1, 1, 1)


def test_limits_are_those_of_the_code():
    text = README.read_text("utf-8")
    assert f"at most {ROW_GROUP_ROWS} rows or about {ROW_GROUP_BYTES // 2**20} MiB" in text


def _update() -> None:
    text = README.read_text("utf-8")
    with tempfile.TemporaryDirectory() as directory:
        for part, fresh in _fresh(Path(directory)).items():
            found = _marked(text, part)
            text = text[: found.start(2)] + fresh + text[found.end(2) :]
    README.write_text(text, "utf-8")


if __name__ == "__main__":
    _update()
