"""Files that are broken in every way we know of: a clear error, or a row with a reason; never a traceback."""

import gzip
import io
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from manifests.errors import InputError, UserError
from manifests.reasons import Reason
from pipeline.readers import detect_format, formats, read_rows, split
from tests.pipeline.readers.conftest import as_parquet
from tests.tables import each_row

GOOD = b'{"instruction": "a", "output": "b"}'
ALSO = b'{"instruction": "c", "output": "d"}'
DEEP = b'{"instruction": ' + b"[" * 10_000 + b"]" * 10_000 + b"}"
OK, BAD, ALIEN, EMPTY = None, Reason.UNREADABLE_ROW, Reason.UNKNOWN_SCHEMA, Reason.EMPTY_ROW


@each_row(
    ("content", "message"),
    [
        (b"", "holds no rows"),
        (b"\xef\xbb\xbf", "holds no rows"),
        (b"\n \n\t", "holds no rows"),
        (b"[]", "holds no rows"),
        (gzip.compress(b"", mtime=0), "holds no rows"),
        ('[{"a": 1}]'.encode("utf-16"), "is UTF-16: convert it to UTF-8"),
        ('[{"a": 1}]'.encode("utf-16-le"), "is UTF-16-LE: convert it to UTF-8"),
        ('[{"a": 1}]'.encode("utf-32"), "is UTF-32: convert it to UTF-8"),
        (gzip.compress('{"a": 1}'.encode("utf-16"), mtime=0), "is UTF-16: convert it to UTF-8"),
        (gzip.compress(b"PAR1....", mtime=0), "is a Parquet file inside another compression: unpack it first"),
        (b"PK\x03\x04....", "is a zip archive: unpack it first"),
        (b"ARROW1\0\0....", "is an Arrow file: write it as Parquet"),
        (b"\xff\xff\xff\xff\x10....", "is a stream of Arrow"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n", "is a Git LFS pointer, not the data"),
        (b"\r\n<!DOCTYPE html><html>", "is a web page, not data"),
    ],
)
@each_row("name", [None, "alpaca"])
def test_files_that_cannot_be_read_are_refused_at_the_call(write, content, message, name):
    with pytest.raises(InputError, match=message):
        read_rows(write(content), name)


@pytest.mark.parametrize("attempt", [detect_format, read_rows, lambda uri: read_rows(uri, "alpaca")])
def test_missing_files_and_directories(tmp_path, attempt):
    with pytest.raises(InputError, match="there is no file "):
        attempt(str(tmp_path / "absent.json"))
    with pytest.raises(InputError, match="is a directory: name the files in it"):
        attempt(str(tmp_path))
    with pytest.raises(InputError, match="is a pipe or a device, not a file"):
        attempt("/dev/null")


@pytest.mark.parametrize("uri", ["~no-such-user/a.json", "a\0b", "nosuch://bucket/a.json"])
def test_names_that_mean_nothing(uri):
    with pytest.raises(UserError, match=r"cannot (read|open) "):
        read_rows(uri)


class FailingDisk(io.BytesIO):
    def read(self, size=-1):
        if self.tell() >= len(self.getvalue()):
            raise OSError("disk on fire")
        return super().read(size)


@pytest.mark.parametrize("content", [GOOD + b"\n", b"[" + GOOD + b",", b""])
def test_a_failing_disk_is_a_one_line_error(write, monkeypatch, content):
    uri = write(GOOD)
    monkeypatch.setattr("pipeline.readers.text_stream._open", lambda place: FailingDisk(content))
    for attempt in (detect_format, lambda uri: list(read_rows(uri, "alpaca"))):
        with pytest.raises(InputError, match=r"cannot read .*input.json: disk on fire"):
            attempt(uri)


ROWS = [
    # what, the file, the reasons of its rows, in the detail of the last bad row
    ("broken line", GOOD + b'\n{"instruction": "c\n' + ALSO, [OK, BAD, OK], "line 2: not JSON"),
    ("broken first line", b'{"instruction": "c,\n' + GOOD, [BAD, OK], "line 1: not JSON"),
    ("text line", GOOD + b"\nhello there\n", [OK, BAD], "line 2: not JSON"),
    ("two rows on a line", GOOD + b"\n" + GOOD + ALSO + b"\n", [OK, BAD], "line 2: not JSON (Extra data)"),
    ("line cut at the end", GOOD + b"\n" + ALSO[:20], [OK, BAD], "line 2: not JSON"),
    ("non-dict lines", GOOD + b"\n1\nnull\n[1]\n", [OK, ALIEN, ALIEN, ALIEN], "not an object"),
    ("bad UTF-8 in a line", GOOD + b'\n{"instruction": "\xff\xe9"}\n' + ALSO, [OK, BAD, OK], "not UTF-8"),
    ("bad UTF-8 in an array", b"[" + GOOD + b',{"instruction": "\xff", "output": ""},' + ALSO + b"]", [OK, BAD, OK],
     "row 1: it holds bytes that are not UTF-8"),
    ("another encoding", '{"instruction": "问题", "output": "答"}'.encode("gbk"), [BAD], "not UTF-8"),
    ("deep line", GOOD + b"\n" + DEEP + b"\n" + ALSO, [OK, BAD, OK], "nested too deeply"),
    ("deep element", b"[" + GOOD + b"," + DEEP + b"," + ALSO + b"]", [OK, BAD, OK], "row 1: brackets are nested"),
    ("deep and open", b"[" + GOOD + b"," + b"[" * 10_000, [OK, BAD], "row 1: the file breaks off"),
    ("only brackets", b"[" * 10_000, [BAD], "breaks off"),
    ("huge number", b"[" + GOOD + b',{"a": ' + b"9" * 5000 + b"}," + ALSO + b"]", [OK, BAD, OK], "too many digits"),
    ("other numbers", b'[{"instruction": "a", "output": "b", "n": [NaN, -Infinity, 1e999]}]', [OK], ""),
    ("NaN for text", b'[{"instruction": "a", "input": NaN, "output": NaN}, {"instruction": NaN, "output": ""}]',
     [OK, EMPTY], "no user text"),
    ("bad element", b"[" + GOOD + b', {"instruction": oops}, ' + ALSO + b"]", [OK, BAD, OK], "row 1: not JSON"),
    ("bare word", b"[" + GOOD + b", oops, " + ALSO + b"]", [OK, BAD, OK], "row 1: not JSON"),
    ("brackets in a string", b"[" + GOOD + b', {"x": oops, "y": "]}\\""}, ' + ALSO + b"]", [OK, BAD, OK], "row 1"),
    ("stray bracket", b"[" + GOOD + b", }, " + ALSO + b"]", [OK, BAD, OK], "row 1: not JSON"),
    ("comma missing", b"[" + GOOD + b" " + ALSO + b"]", [OK, OK], ""),
    ("array cut in a row", b"[" + GOOD + b"," + ALSO[:25], [OK, BAD], "row 1: the file breaks off here"),
    ("array cut in a string", b"[" + GOOD + b',{"instruction": "c', [OK, BAD], "row 1: the file breaks off here"),
    ("array cut between rows", b"[" + GOOD + b"," + ALSO + b",\n", [OK, OK, BAD], "row 2: the file breaks off here"),
    ("text behind the array", b"[" + GOOD + b"] and more", [OK, BAD], "row 1: the file breaks off here"),
    ("closed twice", b"[" + GOOD + b"]]", [OK, BAD], "row 1"),
    ("inner bracket open", b"[" + GOOD + b', {"a": [1}, ' + ALSO + b"]", [OK, BAD, OK], "row 1: not JSON"),
    ("brackets crossed", b"[" + GOOD + b', {"a": [1}], ' + ALSO + b"]", [OK, BAD, OK, BAD], "row 1: not JSON"),
    ("wrong bracket", b"[" + GOOD + b', {"a": 1], "b": 2}, ' + ALSO + b"]", [OK, BAD, OK], "row 1: not JSON"),
    ("outer bracket open", b"[" + GOOD + b', {"a": 1, ' + ALSO + b"]", [OK, BAD], "row 1: the file breaks off"),
    ("nested arrays", b"[[" + GOOD + b"]," + ALSO + b"]", [ALIEN, OK], "not an object"),
    ("raw control characters", b'[{"instruction": "a\tb\x01\x00", "output": "c\nd"}]', [OK], ""),
    ("keys twice", b'[{"instruction": "x", "instruction": "a", "output": "b"}]', [OK], ""),
    ("pictures beside the text", b"[" + GOOD[:-1] + b', "image": "a"},' + GOOD[:-1] + b', "images": ["a"]},'
     + GOOD[:-1] + b', "video": {"path": "a"}}]', [Reason.MEDIA] * 3,
     "video: the row comes with media"),
    ("no pictures beside the text", b"[" + GOOD[:-1] + b', "image": null, "images": [], "video": ""}]', [OK], ""),
    ("long row", b"[" + GOOD.replace(b"a", b"a" * 100_000) + b"]", [OK], ""),
    ("cut gzip", gzip.compress(b"\n".join([GOOD] * 3 + [b'{"x": "' + bytes(range(48, 123)) * 9]), 0)[:-300],
     [OK, OK, OK, BAD], "line 4: the compressed file breaks off"),
    ("cut gzip of an array", gzip.compress(b"[" + GOOD + b"," + b" " * 999, 0, mtime=0)[:-300], [OK, BAD],
     "row 1: the compressed file breaks off"),
    ("gzip with a wrong checksum", gzip.compress(GOOD + b"\n", mtime=0)[:-8] + b"\0" * 8, [OK, BAD],
     "line 2: the compre"),
    ("gzip of nothing known", b"\x1f\x8bnonsense", [BAD], "the compressed file breaks off or is damaged"),
]  # fmt: skip


@each_row(("content", "reasons", "detail"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_rows_with_reasons(write, content, reasons, detail):
    rows = list(read_rows(write(content), "alpaca"))
    assert [row.reason for row in rows] == reasons
    assert detail in "".join(row.detail or "" for row in rows)
    assert all((row.detail is None) == (row.reason is None) for row in rows)
    assert [row.row for row in rows] == [str(n) for n in range(len(rows))]


def test_a_cut_file_is_unpacked_as_far_as_it_goes_whatever_its_name(write):
    content = gzip.compress(b"\n".join([GOOD] * 3) + b" " * 999, 0, mtime=0)[:-300]
    rows = list(read_rows(write(content, "rows.jsonl.gz")))
    assert [row.reason for row in rows] == [OK, OK, BAD]


@pytest.mark.parametrize(
    ("content", "kept"),
    [
        (GOOD + b'\n{"instruction": "c\r\n' + ALSO, '{"instruction": "c'),
        (GOOD + b'\n{"instruction": "\xff"}\n', '{"instruction": "\ufffd"}'),
        (b"[" + GOOD + b', {"a": oops},' + ALSO + b"]", '{"a": oops}'),
        (b"[" + GOOD + b"," + ALSO[:25], ALSO[:25].decode()),
        (gzip.compress(GOOD + b"\n" + ALSO + b" " * 999, 0, mtime=0)[:-300], ALSO.decode()),
    ],
)
def test_the_text_of_an_unreadable_row_is_kept(write, content, kept):
    (row,) = [row for row in read_rows(write(content), "alpaca") if row.reason]
    assert (row.reason, [turn.text for turn in row.turns]) == (Reason.UNREADABLE_ROW, [kept])


def test_lines_are_counted_past_one_that_is_too_long(write, monkeypatch):
    monkeypatch.setattr(split, "MAX_ROW_CHARS", 100)
    monkeypatch.setattr("pipeline.readers.text_stream.CHUNK_BYTES", 8192)
    rows = list(read_rows(write(GOOD + b"\n" + b"x" * 70_000 + b"\noops\n" + ALSO), "alpaca"))
    assert [row.detail and row.detail[:6] for row in rows] == [None, "line 2", "line 3", None]


@pytest.mark.parametrize(
    ("content", "reasons", "detail"),
    [
        (GOOD + b"\n" + b"x" * 500 + b"\n" + ALSO, [OK, BAD, OK], "line 2 is longer than 100 characters"),
        (GOOD + b"\n" + b"x" * 500, [OK, BAD], "line 2 is longer than 100 characters"),
        (b"[" + GOOD + b', {"a": oops' + b"x" * 500 + b"}," + ALSO + b"]", [OK, BAD], "row 1: it is longer than 100"),
    ],
)
def test_rows_without_end_cost_no_memory(write, monkeypatch, content, reasons, detail):
    monkeypatch.setattr(split, "MAX_ROW_CHARS", 100)
    monkeypatch.setattr(split, "MAX_RAW_CHARS", 50)
    monkeypatch.setattr(split, "HEAD_CHARS", 1)
    monkeypatch.setattr("pipeline.readers.text_stream.CHUNK_BYTES", 32)
    rows = list(read_rows(write(content), "alpaca"))
    assert [row.reason for row in rows] == reasons
    assert detail in rows[1].detail
    assert "(the first 50 of " in rows[1].detail
    assert len(rows[1].turns[0].text) == 50


NASTY = ['"', "\\", "{", "}", "[", "]", ",", ":", "\n", "\x00", " ", "\xff", "\udcff", "\ud800", "a", "1", "-", "null"]
PIECES = st.lists(st.sampled_from([*NASTY, GOOD.decode(), ALSO.decode()[:20]]), max_size=30).map("".join)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=PIECES, name=st.sampled_from(list(formats())), packed=st.booleans(), cut=st.integers(0, 40))
def test_anything_ends_as_rows_that_can_be_stored(write, content, name, packed, cut):
    data = content.encode("utf-8", "surrogatepass")
    data = gzip.compress(data, mtime=0)[: -cut or None] if packed else data
    try:
        rows = list(read_rows(write(data), name))
    except InputError as error:
        assert str(error).encode()
        return
    assert rows
    for row in rows:
        text = " ".join([row.row, row.detail or "", *(f"{turn.text}{turn.material}" for turn in row.turns)])
        assert text.encode()
        assert "\x00" not in text


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.text(), st.booleans()), min_size=1, max_size=8))
def test_no_row_of_an_array_is_lost(write, rows):
    """Good rows and rows that are broken inside their brackets, in any order."""
    elements = [json.dumps({"instruction": "a" + text, "output": ""}) for text, _ in rows]
    broken = [element if good else "{oops " + element[1:] for element, (_, good) in zip(elements, rows, strict=True)]
    read = list(read_rows(write("[" + ",".join(broken) + "]"), "alpaca"))
    assert [row.reason for row in read] == [None if good else BAD for _, good in rows]


def test_a_parquet_file_whose_column_has_a_name_that_is_no_text(write):
    data = bytearray(as_parquet([{"instruction": "a", "output": "b"}]))
    data[data.index(b"instruction")] ^= 0x80
    with pytest.raises(InputError, match="is not a readable Parquet file"):
        detect_format(write(bytes(data), "a.parquet"))
