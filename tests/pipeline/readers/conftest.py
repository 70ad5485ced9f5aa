"""`write` puts bytes, text or rows into a file of any container; `turns_of` shortens turns for tables."""

import gzip
import json

import pyarrow as pa
import pytest
from pyarrow import parquet


@pytest.fixture
def write(tmp_path):
    def write_file(content, name="input.json"):
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return str(path)

    return write_file


def as_array(rows):
    return json.dumps(rows, ensure_ascii=False, indent=1).encode()


def as_lines(rows):
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def as_parquet(rows):
    sink = pa.BufferOutputStream()
    parquet.write_table(pa.Table.from_pylist(rows), sink)
    return sink.getvalue().to_pybytes()


CONTAINERS = {
    "array": as_array,
    "lines": as_lines,
    "array in gzip": lambda rows: gzip.compress(as_array(rows)),
    "lines in gzip": lambda rows: gzip.compress(as_lines(rows)),
    "lines in two gzip members": lambda rows: gzip.compress(as_lines(rows[:1])) + gzip.compress(as_lines(rows[1:])),
    "parquet": as_parquet,
    "byte order mark": lambda rows: b"\xef\xbb\xbf" + as_lines(rows),
    "array behind a byte order mark": lambda rows: b"\xef\xbb\xbf" + as_array(rows),
    "blank lines": lambda rows: b"\n \n" + as_lines(rows).replace(b"\n", b"\n\n\t\n"),
    "windows line ends": lambda rows: as_lines(rows).replace(b"\n", b"\r\n"),
    "windows array": lambda rows: as_array(rows).replace(b"\n", b"\r\n"),
    "no last line end": lambda rows: as_lines(rows).rstrip(),
    "array on one line": lambda rows: json.dumps(rows).encode(),
    "indented objects": lambda rows: b"\n".join(json.dumps(row, indent=2).encode() for row in rows),
    "two arrays": lambda rows: as_array(rows[:1]) + b"\n" + as_array(rows[1:]),
    "comma after the last": lambda rows: as_array(rows).rstrip(b"\n]") + b",\n]",
}


@pytest.fixture(params=CONTAINERS.values(), ids=CONTAINERS)
def container(request):
    return request.param


@pytest.fixture(params=[name for name in CONTAINERS if name != "parquet"])
def json_container(request):
    return CONTAINERS[request.param]


@pytest.fixture
def turns_of():
    def shorten(row):
        """("u" or "a", text) or, with material, ("u", text, material)."""
        return [(turn.role[0], turn.text, turn.material)[: 3 if turn.material else 2] for turn in row.turns]

    return shorten
