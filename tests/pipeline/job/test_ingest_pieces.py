"""A large input that workers cut, piece by piece, gives the blocks that one process cuts."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from manifests.errors import InputError
from manifests.storage import open_place
from parley.testing import tone_recipe
from pipeline.job.directory import Cut
from pipeline.job.ingest import IngestOptions, ingest
from pipeline.job.inputs import open_inputs
from pipeline.readers import pieces
from pipeline.readers.pieces import Before, PieceReader, cut_file
from pipeline.readers.read import read_rows
from tests.spreading import Backwards


def row(question: str, answer: str = "Yes.") -> dict[str, str]:
    return {"instruction": question, "output": answer}


ROWS = [
    *(row(f"What is the capital of country number {i % 7}?", f"It is city {i % 7}.") for i in range(20)),
    row("天空为什么是蓝色的？", "因为空气把蓝光散射到各个方向。"),
    row("Pourquoi le ciel est-il bleu pendant la journée?", "La diffusion."),
    row("天空为什么是蓝色的？", "因为空气把蓝光散射到各个方向。"),
    row("Name a fruit that is red.", ""),
]


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.job.ingest_pieces.SPREAD_BYTES", 0)
    monkeypatch.setattr("pipeline.job.ingest_pieces.SHARE_ROWS", 30)


class Workers(Backwards):
    has_workers_here = True


@pytest.fixture
def inputs(tmp_path: Path) -> list[str]:
    """JSON lines with blank, broken and repeated lines, an array, and Parquet in row groups."""
    lines = [json.dumps(one, ensure_ascii=False) for one in ROWS]
    text = "\n".join([*lines[:9], "", "{broken", lines[3], " ", '{"instruction": "\xff"}', *lines[9:]])
    (tmp_path / "lines.jsonl").write_bytes(b"\xef\xbb\xbf" + text.encode().replace(b"\xc3\xbf", b"\xff"))
    (tmp_path / "array.json").write_text(json.dumps(ROWS[:5]))
    pq.write_table(pa.Table.from_pylist(ROWS), tmp_path / "groups.parquet", row_group_size=4)
    return [str(tmp_path / name) for name in ("lines.jsonl", "array.json", "groups.parquet")]


def cut(words: list[str], out: Path, mapper: Workers | None, **options: int) -> tuple[Cut, dict[str, bytes]]:
    files = open_inputs(words, format="alpaca")
    recipe = tone_recipe("block_rows=3")
    blocks = open_place(out / "blocks")
    heard: list[int] = []
    made = ingest(
        files, IngestOptions(**options), recipe, "digest", blocks, open_place(out / "ids"), heard.append, mapper
    )
    assert sum(heard) == made.counts["rows"] and not (out / "ids").exists()
    return made, {path.name: path.read_bytes() for path in sorted((out / "blocks").iterdir())}


@pytest.mark.parametrize("size", [61, 500, 3000])
def test_pieces_of_any_size_give_the_same_blocks(
    inputs: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(pieces, "PIECE_BYTES", size)
    workers = Workers()
    assert cut(inputs, tmp_path / "pieces", workers) == cut(inputs, tmp_path / "whole", None)
    assert workers.items > 2 * 3


def test_rows_of_pieces_are_those_of_the_file(inputs: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever the pieces end: within a line, at its end, or at the first character of the next."""
    place = open_place(inputs[0])
    whole = list(read_rows(place, "alpaca"))
    assert ["line 11: not JSON" in (one.detail or "") for one in whole].count(True) == 1
    for size in range(70, 170):
        monkeypatch.setattr(pieces, "PIECE_BYTES", size)
        found, before = [], Before()
        for piece in cut_file(place):
            reader = PieceReader(place, "alpaca", piece, before)
            rows = list(reader.rows())
            found += rows
            before = Before(before.rows + len(rows), before.lines + reader.lines)
        assert found == whole, size


def test_a_line_without_a_near_end_and_a_damaged_file_are_read_whole(
    inputs: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pieces, "PIECE_BYTES", 200)
    monkeypatch.setattr(pieces, "MAX_ROW_CHARS", 150)
    groups = Path(inputs[2])
    data = bytearray(groups.read_bytes())
    data[300:340] = bytes(40)
    groups.write_bytes(data)
    assert cut(inputs, tmp_path / "pieces", Workers()) == cut(inputs, tmp_path / "whole", None)


def test_a_limited_input_is_cut_here(inputs: list[str], tmp_path: Path) -> None:
    workers = Workers()
    assert cut(inputs, tmp_path, workers, limit=4)[0].counts["rows"] == 4
    assert workers.items == 0


def test_a_file_that_is_gone_meanwhile_is_an_error_of_the_input(inputs: list[str], tmp_path: Path) -> None:
    files = open_inputs(inputs, format="alpaca")
    Path(inputs[1]).unlink()
    with pytest.raises(InputError, match="there is no file"):
        ingest(
            files, IngestOptions(), tone_recipe(), "digest", open_place(tmp_path / "b"), open_place(tmp_path / "i"),
            lambda rows: None, Workers(),
        )  # fmt: skip
