"""Cut text into rows: JSON lines, an array, or values that follow each other. A bad row costs only that row.

This uses the standard library's `raw_decode` on a moving window instead of a streaming parser: at the first NaN, raw
tab or stray byte, none of which is rare in real data sets, those give up the whole rest of the file.
"""

import json
import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Literal, Protocol

from pipeline.readers.formats import formats
from pipeline.readers.messages import is_message
from pipeline.readers.text_stream import TextSource
from pipeline.readers.window import DECODER, TextWindow, decode, value_end

MAX_ROW_CHARS = 1 << 24
"""The search for the end of a row (or of an open bracket) stops here, so that memory stays bounded."""
MAX_RAW_CHARS = 1_000_000
"""The characters of a broken row that are kept."""
HEAD_CHARS = 1 << 16
"""The characters that are examined to tell JSON lines from an array."""

ROW_LISTS = frozenset("data examples instances rows test train validation".split())
"""Keys under which one object holds all rows of a file."""

# An object whose first list under one of these keys is a list of objects; only plain values stand before it.
_PLAIN_VALUE = r'"[^"\\]*"\s*:\s*(?:"[^"\\]*"|[^\s"\[\]{},]+)\s*,\s*'
_WRAPPED = re.compile(rf'\s*\{{\s*(?:{_PLAIN_VALUE})*"(?:{"|".join(sorted(ROW_LISTS))})"\s*:\s*\[\s*(?=\{{)')
_KEY = re.compile(r'"([^"\\]*)"\s*:')
_OPENED = re.compile(r"\s*\[\s*")
# An object spread over several lines: its first line ends inside it, and the next is not the next row of JSON lines.
_SPREAD = re.compile(r"\s*\{(?:[^\n]*[{\[,])?[ \t\r]*\n\s*[^\s{]")


class Text(Protocol):
    """Text that is read piece by piece; `broken` says why it broke off, if it did."""

    @property
    def broken(self) -> str | None: ...

    def read(self) -> str: ...


@dataclass(frozen=True, slots=True)
class RawRow:
    """One row of a file: its `raw` text, and the `value` in it or the `problem` why there is none."""

    raw: str
    value: object = None
    problem: str | None = None


def split_rows(source: TextSource) -> Iterator[RawRow]:
    """Yield the rows of a JSON or JSON-lines text; its content decides which it is, not the file's name."""
    head = _head(source)
    window = TextWindow(source, head)
    kind = _kind(window, head)
    if kind == "lines":
        return split_lines(source, head)
    return _split_wrapped(window) if kind == "wrapped" else _split_values(window, flat=kind == "values")


def holds_lines(source: TextSource) -> bool:
    """Tell whether the text is JSON lines, each a row, by its first `HEAD_CHARS` characters."""
    head = _head(source)
    return _kind(TextWindow(source, head), head) == "lines"


def _head(source: TextSource) -> str:
    head = ""
    while len(head) < HEAD_CHARS and (piece := source.read()):
        head += piece
    return head


def _kind(window: TextWindow, head: str) -> Literal["wrapped", "lists", "values", "lines"]:
    if _is_wrapper(window):
        return "wrapped"
    if (opened := _OPENED.match(head)) and _is_message_at(head, opened.end()):
        return "lists"  # each list of messages is a row, not a list of rows
    if head.lstrip()[:1] == "[" or _SPREAD.match(head) or ("\r" in head and "\n" not in head):
        return "values"
    return "lines"


def _split_wrapped(window: TextWindow) -> Iterator[RawRow]:
    """Yield the rows of objects that hold all rows in lists ({"data": [...]}), and what stands between these."""
    row: int | None = 0
    while row is not None and (mark := window.next_mark()):
        if mark == "{" and _is_wrapper(window):
            row = yield from _take_lists(window, row)
        else:
            row = yield from _take_row(window, row)
    if row is not None and window.source.broken:
        yield _rest(window, row)


def _take_lists(window: TextWindow, row: int) -> Generator[RawRow, None, int | None]:
    """Yield the elements of an object's lists of rows; its other values are no rows.

    The first element is number `row`. Returns the number of the next row; None, after an unreadable row, if the text
    ends inside the object.
    """
    window.at += 1
    key: str | None = None
    following: int | None = row
    while following is not None and ((mark := window.next_mark()) != "}" or key is not None):
        if mark == ":":
            window.at += 1
        elif mark == "[" and key in ROW_LISTS:
            window.at += 1
            while following is not None and window.next_mark() != "]":
                following = yield from _take_row(window, following)
            window.at += 1
            key = None
        else:
            name = _take_value(window) if mark else None
            if name is None or name.problem:
                following = yield from _unreadable(window, name, following)
            key = str(name.value) if name and key is None else None
    window.at += 1
    return following


def _take_row(window: TextWindow, row: int) -> Generator[RawRow, None, int | None]:
    """Yield the value at the window as number `row`; return the next number, or None if the text ends inside it."""
    record = _take_value(window) if window.next_mark() else None
    if record is None or record.problem:
        return (yield from _unreadable(window, record, row))
    yield record
    return row + 1


def _unreadable(window: TextWindow, record: RawRow | None, row: int) -> Generator[RawRow, None, int | None]:
    """Yield an unreadable row for a `record` with a problem, or for the rest of the text where there is none."""
    yield _broken(record.raw, f"row {row}: {record.problem}") if record else _rest(window, row)
    return row + 1 if record else None


def _is_wrapper(window: TextWindow) -> bool:
    """Whether the object at the window holds all rows of a file, and is not a row with a list of objects in it."""
    while len(window.text) - window.at < HEAD_CHARS and window.grow():
        pass
    found = _WRAPPED.match(window.text, window.at)
    return bool(found and not _is_message_at(window.text, found.end()) and not _is_row(window.text, found))


def _is_row(text: str, begins: re.Match[str]) -> bool:
    """Whether the object in `text` is a row of a known format; where `text` ends inside it, its first keys decide."""
    try:
        value = decode(text, text.index("{", begins.start()))[0]
    except (ValueError, RecursionError):
        value = dict.fromkeys(_KEY.findall(begins[0]), "")
    return isinstance(value, dict) and any(form.fits(value) for form in formats().values())


def _is_message_at(head: str, start: int) -> bool:
    """Whether the value at `start` is a message of a conversation, and not a row."""
    try:
        return is_message(decode(head, start)[0])
    except (ValueError, RecursionError):
        return False


def split_lines(source: Text, rest: str, number: int = 0) -> Iterator[RawRow]:
    """Yield the rows of JSON lines, of which `rest` is read already; `number` lines come before."""
    while True:
        *lines, rest = rest.split("\n")
        for line in lines:
            number += 1
            if line.strip():
                yield _parse(line, f"line {number}")
        if len(rest) > MAX_ROW_CHARS:
            yield _broken(rest, f"line {number + 1} is longer than {MAX_ROW_CHARS} characters")
            rest = _after_line_end(source)
            continue
        piece = source.read()
        if not piece:
            break
        rest += piece
    if source.broken:
        yield _broken(rest, f"line {number + 1}: {source.broken}")
    elif rest.strip():
        yield _parse(rest, f"line {number + 1}")


def _after_line_end(source: Text) -> str:
    """Skip to the next line end; return what has been read from there on, the line end included."""
    while piece := source.read():
        _, found, rest = piece.partition("\n")
        if found:
            return "\n" + rest
    return ""


def _split_values(window: TextWindow, flat: bool = True) -> Iterator[RawRow]:
    """Yield the elements of an array, or of arrays and objects that follow each other; extra commas are forgiven.

    Where `flat` is false, an array is a row itself.
    """
    row, inside = 0, False
    while mark := window.next_mark():
        if flat and mark == ("]" if inside else "["):
            window.at += 1
            inside = not inside
            continue
        following = yield from _take_row(window, row)
        if following is None:
            return
        row = following
    if inside or window.source.broken:
        yield _rest(window, row)


def _take_value(window: TextWindow) -> RawRow | None:
    """Read one value and step over it; return None if the text, or the longest row, ends inside it."""
    while True:
        problem, value = None, None
        end: int | None
        try:
            value, end = decode(window.text, window.at)
        except (ValueError, RecursionError) as error:
            problem, end = _words(error), value_end(window.text, window.at)
        # A value that reaches the end of the window may continue behind it: "12" of "123".
        if end is not None and (end < len(window.text) or not window.grow()):
            break
        if end is None and (len(window.text) - window.at > MAX_ROW_CHARS or not window.grow()):
            return None
    raw = window.text[window.at : end]
    window.at = end
    return RawRow(raw, value, problem or _encoding_problem(raw))


def _rest(window: TextWindow, row: int) -> RawRow:
    if len(window.text) - window.at > MAX_ROW_CHARS:
        why = f"it is longer than {MAX_ROW_CHARS} characters or never ends; what follows is not read"
    else:
        why = window.source.broken or "the file breaks off here"
    return _broken(window.text[window.at :], f"row {row}: {why}")


def _parse(raw: str, where: str) -> RawRow:
    """Read a line. A byte order mark before it, where files were joined, and a comma behind it are forgiven."""
    raw = raw.strip("\ufeff \t\r")
    try:
        value = DECODER.decode(raw.removesuffix(","))
    except (ValueError, RecursionError) as error:
        return _broken(raw, f"{where}: {_encoding_problem(raw) or _words(error)}")
    problem = _encoding_problem(raw)
    return _broken(raw, f"{where}: {problem}") if problem else RawRow(raw, value)


def _broken(raw: str, problem: str) -> RawRow:
    if len(raw) > MAX_RAW_CHARS:
        problem = f"{problem} (the first {MAX_RAW_CHARS} of {len(raw)} characters are kept)"
    return RawRow(raw[:MAX_RAW_CHARS], problem=problem)


def _words(error: ValueError | RecursionError) -> str:
    if isinstance(error, RecursionError):
        return "brackets are nested too deeply"
    if isinstance(error, json.JSONDecodeError):
        return f"not JSON ({error.msg})"
    # The decoder's only other ValueError: Python refuses to convert integers of more than 4,300 digits.
    return "a number has too many digits"


def _encoding_problem(raw: str) -> str | None:
    try:
        raw.encode()
    except UnicodeEncodeError:
        return "it holds bytes that are not UTF-8"
    return None
