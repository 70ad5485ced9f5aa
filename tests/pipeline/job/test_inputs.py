"""Inputs of a job: several files of one data set, their formats, names and identities."""

import json
from pathlib import Path
from typing import Any

import pytest

from manifests.errors import InputError
from manifests.storage import open_place
from parley.testing import tone_recipe
from pipeline.job.blocks import read_block
from pipeline.job.commits import write_hashes
from pipeline.job.ingest import IngestOptions, ingest
from pipeline.job.inputs import open_inputs

ALPACA = {"instruction": "How are you?", "output": "I am well."}
HISTORY = {**ALPACA, "history": [["Who are you?", "A friend."]]}
OPENAI = {"messages": [{"role": "user", "content": "How are you?"}, {"role": "assistant", "content": "Well."}]}


def files_of(path: Path, **rows: list[Any]) -> list[str]:
    for name, content in rows.items():
        (path / f"{name}.json").write_text(json.dumps(content))
    return [str(path / f"{name}.json") for name in rows]


def test_each_input_is_a_data_set_unless_they_are_made_one(tmp_path: Path) -> None:
    words = files_of(tmp_path, a=[ALPACA], b=[OPENAI])
    assert [(f.dataset, f.name, f.format) for f in open_inputs(words)] == [("a", "", "alpaca"), ("b", "", "openai")]
    with pytest.raises(InputError, match=r"mine have several formats: .*a.json is alpaca, .*b.json is openai"):
        open_inputs(words, dataset="mine")


def test_one_format_reads_all_files_of_a_data_set(tmp_path: Path) -> None:
    words = files_of(tmp_path, a=[ALPACA], b=[HISTORY])
    files = open_inputs(words, dataset="mine")
    assert [(f.dataset, f.name, f.format) for f in files] == [
        ("mine", "a.json", "llama-factory"),
        ("mine", "b.json", "llama-factory"),
    ]


def test_an_empty_file_among_others_is_left_out(tmp_path: Path) -> None:
    words, told = files_of(tmp_path, a=[], b=[ALPACA], c=[]), list[str]()
    assert [f.name for f in open_inputs(words, dataset="mine", tell=told.append)] == ["b.json"]
    assert [sentence.rsplit("/", 1)[1] for sentence in told] == [
        "a.json holds no rows and is left out",
        "c.json holds no rows and is left out",
    ]
    with pytest.raises(InputError, match="no file of data set mine holds a row"):
        open_inputs([words[0], words[2]], dataset="mine")
    with pytest.raises(InputError, match=r"a\.json holds no rows"):
        open_inputs([words[0]])


def test_an_empty_file_of_a_named_format_has_no_rows(tmp_path: Path) -> None:
    files = open_inputs(files_of(tmp_path, a=[], b=[ALPACA]), format="alpaca", dataset="mine")
    blocks = open_place(tmp_path / "blocks")
    scratch = open_place(tmp_path / "ids")
    cut = ingest(files, IngestOptions(language="en"), tone_recipe(), "digest", blocks, scratch, lambda rows: None)
    assert cut.counts["rows_of"] == {"mine/a.json": 0, "mine/b.json": 1}


def test_files_of_one_name_are_told_apart(tmp_path: Path) -> None:
    for folder in ("x", "y"):
        (tmp_path / folder).mkdir()
    words = [*files_of(tmp_path / "x", a=[ALPACA]), *files_of(tmp_path / "y", a=[ALPACA])]
    assert [f.name for f in open_inputs(words, dataset="mine")] == ["a.json", "a.json(2)"]
    assert [f.name for f in open_inputs([f"{tmp_path}/*/*.json"])] == ["x/a.json", "y/a.json"]


def test_a_file_that_is_named_twice_is_refused(tmp_path: Path) -> None:
    (word,) = files_of(tmp_path, a=[ALPACA])
    with pytest.raises(InputError, match=r"a\.json is named twice in data set mine"):
        open_inputs([word, f"{tmp_path}/*.json"], dataset="mine")


def test_every_row_names_its_file_and_has_an_id_of_its_own(tmp_path: Path) -> None:
    words = files_of(tmp_path, a=[ALPACA, {"id": "x", **HISTORY}], b=[ALPACA, 7])
    blocks = open_place(tmp_path / "blocks")
    files = open_inputs(words, dataset="mine")
    scratch = open_place(tmp_path / "ids")
    cut = ingest(files, IngestOptions(language="en"), tone_recipe(), "digest", blocks, scratch, lambda rows: None)
    assert cut.counts["rows_of"] == {"mine/a.json": 2, "mine/b.json": 2}
    write_hashes(blocks, cut.hashes)
    rows = read_block(blocks, 0)
    assert [(d.source.dataset, d.source.row, d.reason) for d in rows] == [
        ("mine", "a.json:0", None),
        ("mine", "a.json:x", None),
        ("mine", "b.json:0", "duplicate"),
        ("mine", "b.json:1", "unknown_schema"),
    ]
    assert len({d.dialogue_id for d in rows}) == 4


def test_the_identity_of_a_file_alone_holds_no_file_name(tmp_path: Path) -> None:
    words = files_of(tmp_path, a=[ALPACA], b=[ALPACA])
    assert "file" not in open_inputs(words[:1])[0].identity()
    assert [f.identity()["file"] for f in open_inputs(words, dataset="mine")] == ["a.json", "b.json"]
