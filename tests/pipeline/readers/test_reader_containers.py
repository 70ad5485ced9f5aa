"""Arrays, JSON lines, single objects, gzip, Parquet: the same rows from all, and no more memory for more rows."""

import gzip
import json
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from manifests.errors import InputError
from manifests.reasons import Reason
from pipeline.readers import detect_format, read_rows, split
from pipeline.readers import text_stream as source
from tests.tables import each_row

AWKWARD = '问\n{["\\'
ROWS = [{"id": f"r{n}", "instruction": AWKWARD + str(n), "input": "x", "output": "y" * n} for n in range(1, 5)]


def test_the_same_rows_from_every_container(write, container):
    uri = write(container(ROWS), "misleading.name")
    rows = list(read_rows(uri))
    assert [(row.row, row.turns[0].text, row.turns[1].text, row.reason) for row in rows] == [
        (row["id"], row["instruction"], row["output"], None) for row in ROWS
    ]


@each_row("chunk", [1, 2, 3, 7, 64])
def test_rows_do_not_depend_on_how_the_file_is_cut(write, json_container, monkeypatch, chunk):
    monkeypatch.setattr(source, "CHUNK_BYTES", chunk)
    monkeypatch.setattr(split, "HEAD_CHARS", 16)
    rows = [*ROWS, {"instruction": "a", "output": [12345]}]
    read = list(read_rows(write(json_container(rows)), "alpaca"))
    assert [row.reason for row in read] == [None] * 4 + [Reason.UNKNOWN_SCHEMA]
    assert json.loads(read[-1].turns[0].text)["output"] == [12345]


@pytest.mark.parametrize("chunk", [1, 2, 3])
def test_a_number_is_not_cut_where_the_window_ends(write, monkeypatch, chunk):
    monkeypatch.setattr(source, "CHUNK_BYTES", chunk)
    monkeypatch.setattr(split, "HEAD_CHARS", 1)
    rows = read_rows(write("[1234567, 89, 1.5e3]"), "alpaca")
    assert [row.turns[0].text for row in rows] == ["1234567", "89", "1.5e3"]


@pytest.mark.parametrize("indent", [None, 2])
def test_a_single_object_is_one_row(write, indent):
    (row,) = read_rows(write(json.dumps(ROWS[0], indent=indent)))
    assert row.row == "r1"


def test_positions_count_rows_not_lines(write):
    rows = list(read_rows(write('\n\n{"instruction": "a", "output": "b"}\n\n{"instruction": "c", "output": "d"}\n')))
    assert [row.row for row in rows] == ["0", "1"]


def test_file_urls_and_closed_iterators(write):
    uri = "file://" + write(json.dumps(ROWS))
    assert detect_format(uri) == "alpaca"
    assert next(read_rows(uri)).row == "r1"


def table(**columns):
    sink = pa.BufferOutputStream()
    parquet.write_table(pa.table(columns), sink)
    return sink.getvalue().to_pybytes()


def test_parquet_with_nested_and_foreign_columns(write, turns_of):
    content = table(
        prompt_id=["p0", "p1"],
        messages=[
            [{"role": "user", "content": "a", "calls": None}, {"role": "assistant", "content": "b", "calls": None}],
            [{"role": "user", "content": "c", "calls": None}],
        ],
        picture=pa.array([b"\x00", b"\xff"]),
        when=pa.array([0, 1], pa.timestamp("ns")),
        tags=pa.array(["x", "x"]).dictionary_encode(),
        nothing=pa.nulls(2),
    )
    uri = write(content, "data.parquet")
    assert detect_format(uri) == "ultrachat-200k"
    assert [(row.row, turns_of(row)) for row in read_rows(uri)] == [
        ("p0", [("u", "a"), ("a", "b")]),
        ("p1", [("u", "c")]),
    ]


def test_parquet_rows_with_nulls_and_wrong_encoding(write):
    bad = pa.array([b"fine", b"\xff\xfe", b"fine"]).view(pa.string())
    content = table(instruction=bad, output=pa.array(["x", "y", None]))
    rows = list(read_rows(write(content), "alpaca"))
    assert [row.reason for row in rows] == [None, Reason.UNREADABLE_ROW, None]
    assert [row.row for row in rows] == ["0", "1", "2"]


def test_parquet_damaged_within_keeps_the_rows_before(write):
    rows = [{"instruction": f"{n} " * 200, "output": "b"} for n in range(2000)]
    sink = pa.BufferOutputStream()
    parquet.write_table(pa.Table.from_pylist(rows), sink, row_group_size=500, compression="gzip", use_dictionary=False)
    content = bytearray(sink.getvalue().to_pybytes())
    middle = len(content) // 2
    content[middle : middle + 2000] = b"\xff" * 2000
    read = list(read_rows(write(bytes(content)), "alpaca"))
    assert 500 <= len(read) < 2000
    assert {row.reason for row in read[:-1]} == {None}
    assert read[-1].reason is Reason.UNREADABLE_ROW
    assert f"row {len(read) - 1}: the file is damaged here, {2001 - len(read)} rows cannot be read" in read[-1].detail


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"PAR1 and then nothing", "is not a readable Parquet file"),
        (b'{"instruction": "a"}', "is not a readable Parquet file"),
        (table(picture=pa.array([b"\x00"])), r"has no columns of text or numbers, only: picture \(binary\)"),
        (table(instruction=pa.array([], pa.string()), output=pa.array([], pa.string())), "holds no rows"),
    ],
)
def test_parquet_that_cannot_be_read_is_refused(write, content, message):
    with pytest.raises(InputError, match=message):
        read_rows(write(content, "data.parquet"), "alpaca")


# Not getrusage: its ru_maxrss begins at what the parent process had.
GROWTH = """
import re, sys
from pathlib import Path
from pipeline.readers import read_rows
peaks = []
for uri in sys.argv[1:]:
    count = sum(row.reason is None for row in read_rows(uri))
    peaks.append(int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) // 1024)
print(count, *peaks)
"""


def many(count):
    text = "a sentence to be read aloud, " * 30
    return [{"instruction": f"{n} {text}", "output": f"{text} {n}"} for n in range(count)]


def one_row_group(rows):
    sink = pa.BufferOutputStream()
    parquet.write_table(pa.Table.from_pylist(rows), sink, row_group_size=len(rows), compression="none")
    return sink.getvalue().to_pybytes()


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of memory is read from /proc")
@pytest.mark.parametrize(
    "pack",
    [
        lambda rows: json.dumps(rows).encode(),
        lambda rows: "\n".join(map(json.dumps, rows)).encode(),
        lambda rows: gzip.compress(json.dumps(rows).encode(), 1),
        one_row_group,
    ],
    ids=["array", "lines", "array in gzip", "parquet with one row group"],
)
def test_memory_does_not_grow_with_the_file(write, pack):
    small, large = write(pack(many(2_000)), "small"), write(pack(many(40_000)), "large")
    done = subprocess.run([sys.executable, "-c", GROWTH, small, large], capture_output=True, text=True, check=True)
    count, small_mib, large_mib = map(int, done.stdout.split())
    assert count == 40_000
    # The large file holds 66 MiB more text; allocators keep some of what has passed, so the bound is not tight.
    assert large_mib - small_mib < 44
