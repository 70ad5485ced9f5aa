"""Rows in other shapes: lists of messages, objects of rows, joined files, columns of every Arrow type."""

import bz2
import datetime
import decimal
import json
import lzma
import random

import pyarrow as pa
import pytest
from pyarrow import parquet

from manifests.reasons import Reason
from pipeline.readers import detect_format, read_rows, split
from pipeline.readers import text_stream as source
from pipeline.readers.parquet import parquet_rows
from pipeline.readers.text_stream import find_file
from tests.tables import each_row

BAD = Reason.UNREADABLE_ROW
ONE = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
TWO = [{"role": "user", "content": "c"}, {"role": "assistant", "content": "d"}]
SHAREGPT = [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}]
PAIR, NEXT = {"instruction": "a", "output": "b"}, {"instruction": "c", "output": "d"}
BOTH = [[("u", "a"), ("a", "b")], [("u", "c"), ("a", "d")]]


def lines(*rows):
    return "".join(json.dumps(row) + "\n" for row in rows)


SHAPES = [
    # what, the file, its format, the turns of its rows
    ("a list of messages on each line", lines(ONE, TWO), "openai", BOTH),
    ("a list of lists of messages", json.dumps([ONE, TWO]), "openai", BOTH),
    ("lists of messages, indented", "\n".join(json.dumps(row, indent=1) for row in (ONE, TWO)), "openai", BOTH),
    ("one list of messages", json.dumps(ONE), "openai", BOTH[:1]),
    ("one list of messages, indented", json.dumps(ONE, indent=2), "openai", BOTH[:1]),
    ("a list of ShareGPT messages on each line", lines(SHAREGPT, SHAREGPT), "sharegpt", [BOTH[0]] * 2),
    ("data", json.dumps({"data": [PAIR, NEXT]}), "alpaca", BOTH),
    ("data behind other values", json.dumps({"version": "1.0", "size": 2, "data": [PAIR, NEXT]}), "alpaca", BOTH),
    ("data before other values", json.dumps({"data": [PAIR, NEXT], "by": {"x": [1, {"y": "z"}]}}), "alpaca", BOTH),
    ("train and test", json.dumps({"train": [PAIR], "test": [NEXT]}, indent=1), "alpaca", BOTH),
    ("an object of rows on each line", lines({"rows": [PAIR]}, {"rows": [NEXT]}), "alpaca", BOTH),
    ("data of conversations", json.dumps({"data": [{"messages": ONE}, {"messages": TWO}]}), "openai", BOTH),
    ("empty lists", json.dumps({"train": [PAIR, NEXT], "test": []}), "alpaca", BOTH),
    ("commas at line ends", lines(PAIR, NEXT).replace("\n", ",\n"), "alpaca", BOTH),
    ("a comma and a blank at line ends", lines(PAIR, NEXT).replace("\n", ", \r\n"), "alpaca", BOTH),
    ("a byte order mark within", lines(PAIR) + "\ufeff" + lines(NEXT), "alpaca", BOTH),
    ("a byte order mark between arrays", json.dumps([PAIR]) + "\ufeff" + json.dumps([NEXT]), "alpaca", BOTH),
    ("line ends of old Macs", lines(PAIR, NEXT).replace("\n", "\r"), "alpaca", BOTH),
    ("rows that have a list of objects too", lines(PAIR | {"examples": [{"x": 1}]}, NEXT), "alpaca", BOTH),
    ("rows that begin with one", lines({"test": [{"x": 1}]} | PAIR, NEXT), "alpaca", BOTH),
    ("a row whose data is messages", lines({"data": ["a", "b"]}, {"data": ["c", "d"]}), "ultrachat", BOTH),
]  # fmt: skip


@each_row(("content", "name", "turns"), [row[1:] for row in SHAPES], ids=[row[0] for row in SHAPES])
@each_row("chunk", [3, 1 << 16])
def test_other_shapes_give_the_same_rows(write, turns_of, content, name, turns, chunk):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(source, "CHUNK_BYTES", chunk)
        uri = write(content)
        assert detect_format(uri) == name
        rows = list(read_rows(uri))
    assert [turns_of(row) for row in rows] == turns
    assert [row.row for row in rows] == [str(number) for number in range(len(turns))]


BROKEN = [
    # the file, the reasons of its rows, in the detail of the last
    ('{"data": [' + json.dumps(PAIR) + ', {"instruction": "c', [None, BAD], "row 1: the file"),
    ('{"data": [' + json.dumps(PAIR) + "], ", [None, BAD], "row 1: the file breaks off"),
    ('{"data": [' + json.dumps(PAIR) + ', {"a": oops}, ' + json.dumps(NEXT) + "]}",
     [None, BAD, None], "row 1: not JSON"),
    ('{"data": [' + json.dumps(PAIR) + '], "train": 7, "more": "x', [None, BAD], "breaks off"),
    ('{"data": [' + json.dumps(PAIR) + "]} and more", [None, BAD], "row 1: the file breaks off"),
    ('{"data": [' + json.dumps(PAIR) + "], [1]: [2], oops: }", [None, BAD, BAD, BAD], "row 1: not JSON"),
    (lines({"data": [PAIR]}, NEXT, {"version": 7}), [None, None, Reason.UNKNOWN_SCHEMA], "instruction: "),
    (lines(ONE) + '[{"role": "user", "content": "c"', [None, BAD], "row 1: the file breaks off"),
    (lines(PAIR) + json.dumps(NEXT) + ",,\n", [None, BAD], "line 2: not JSON"),
]  # fmt: skip


@each_row(("content", "reasons", "detail"), BROKEN)
def test_broken_files_of_other_shapes_lose_no_row(write, content, reasons, detail):
    rows = list(read_rows(write(content)))
    assert [row.reason for row in rows] == reasons
    assert detail in " ".join(row.detail or "" for row in rows)


PACKERS = {
    "zstd": lambda data: pa.compress(data, "zstd", asbytes=True),
    "zstd of two frames": lambda data: b"".join(pa.compress(part, "zstd", asbytes=True) for part in (data, data)),
    "bzip2": bz2.compress,
    "xz": lzma.compress,
}


@each_row("name", PACKERS)
def test_compressed_files_are_read_whole(write, name):
    data = lines(*[PAIR] * 3).encode()
    rows = list(read_rows(write(PACKERS[name](data), "rows.jsonl")))
    assert [row.reason for row in rows] == [None] * (6 if "two" in name else 3)


@each_row("name", PACKERS)
def test_compressed_files_that_break_off_say_so(write, name):
    noise = json.dumps({"instruction": "a", "output": random.Random(0).randbytes(200_000).hex()}).encode()
    content = PACKERS[name](lines(PAIR).encode() + noise)
    rows = list(read_rows(write(content[: len(content) // 3]), "alpaca"))
    assert [row.reason for row in rows][-1] is Reason.UNREADABLE_ROW
    assert "breaks off or is damaged" in rows[-1].detail


def test_the_wrapped_rows_of_a_large_file_are_streamed(write, monkeypatch):
    monkeypatch.setattr(split, "MAX_ROW_CHARS", 2_000)
    monkeypatch.setattr(split, "HEAD_CHARS", 100)
    monkeypatch.setattr(source, "CHUNK_BYTES", 64)
    rows = list(read_rows(write(json.dumps({"data": [PAIR] * 1_000})), "alpaca"))
    assert [row.reason for row in rows] == [None] * 1_000


def test_objects_of_rows_are_told_wherever_the_file_is_cut(write, monkeypatch):
    monkeypatch.setattr(split, "HEAD_CHARS", 100)
    monkeypatch.setattr(source, "CHUNK_BYTES", 3)
    rows = list(read_rows(write(lines(*[{"version": 1, "rows": [PAIR]}] * 20)), "alpaca"))
    assert [row.reason for row in rows] == [None] * 20


def stored(kind, value):
    sink = pa.BufferOutputStream()
    parquet.write_table(pa.table({"messages": pa.array([value], kind)}), sink)
    return sink.getvalue().to_pybytes()


SAID = {"role": pa.string(), "content": pa.string()}
TEXT = pa.struct(SAID)
VIEWS = pa.struct({"role": pa.string_view(), "content": pa.string_view()})
FOREIGN = {
    "timestamp": (pa.timestamp("ns"), datetime.datetime(2020, 1, 1)),
    "date": (pa.date32(), datetime.date(2020, 1, 1)),
    "decimal": (pa.decimal128(5, 2), decimal.Decimal("1.25")),
    "binary": (pa.binary(), b"\xff"),
    "binary view": (pa.binary_view(), b"\xff"),
    "map": (pa.map_(pa.string(), pa.string()), [("key", "value")]),
    "list of maps": (pa.list_(pa.map_(pa.string(), pa.int64())), [[("key", 1)]]),
    "struct of binary": (pa.struct({"bytes": pa.binary(), "path": pa.string()}), {"bytes": b"\xff", "path": "x"}),
}


@each_row("kind", [pa.list_(TEXT), pa.large_list(TEXT), pa.list_view(VIEWS), pa.large_list_view(VIEWS)])
def test_lists_of_every_arrow_type_are_read(write, turns_of, kind):
    (row,) = read_rows(write(stored(kind, ONE)))
    assert turns_of(row) == BOTH[0]


@each_row("name", FOREIGN)
@each_row("first", [True, False])
def test_a_foreign_field_is_left_out_and_its_neighbors_are_read(write, turns_of, name, first):
    kind, value = FOREIGN[name]
    fields = {"foreign": kind, **SAID} if first else {**SAID, "foreign": kind}
    uri = write(stored(pa.list_(pa.struct(fields)), [message | {"foreign": value} for message in ONE]))
    (row,) = read_rows(uri)
    assert (turns_of(row), row.reason) == (BOTH[0], None)
    (record,) = parquet_rows(find_file(uri))
    left = {"foreign": {"path": "x"}} if name == "struct of binary" else {}
    assert record.value == {"messages": [message | left for message in ONE]}


def test_text_in_views_and_dictionaries(write, turns_of):
    table = pa.table(
        {
            "instruction": pa.array(["a", "c"], pa.string_view()),
            "input": pa.array(["x", "x"]).dictionary_encode(),
            "output": pa.array(["b", "d"], pa.large_string()),
            "when": pa.array([0, 1], pa.timestamp("us")),
        }
    )
    sink = pa.BufferOutputStream()
    parquet.write_table(table, sink)
    rows = list(read_rows(write(sink.getvalue().to_pybytes())))
    assert [turns_of(row) for row in rows] == [[("u", "a", "x"), ("a", "b")], [("u", "c", "x"), ("a", "d")]]
