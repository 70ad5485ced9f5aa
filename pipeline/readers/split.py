"""Cut text into rows: JSON lines, an array, or values that follow each other. A bad row costs only that row.

This uses the standard library's `raw_decode` on a moving window instead of a streaming parser: at the first NaN, raw
tab or stray byte, none of which is rare in real data sets, those give up the whole rest of the file.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.readers.text_stream import TextSource

MAX_ROW_CHARS = 1 << 24
"""The search for the end of a row (or of an open bracket) stops here, so that memory stays bounded."""
MAX_RAW_CHARS = 1_000_000
"""The characters of a broken row that are kept."""
HEAD_CHARS = 1 << 16
"""The characters that are examined to tell JSON lines from an array."""

_DECODER = json.JSONDecoder(strict=False)
_BETWEEN = re.compile(r"[\s,]*")
_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|["{}\[\],]', re.DOTALL)
_WORD = re.compile(r'[^\s,\[\]{}"]+')
_PARTNER = {"}": "{", "]": "["}
# An object spread over several lines: its first line ends inside it, and the next is not the next row of JSON lines.
_SPREAD = re.compile(r"\s*\{(?:[^\n]*[{\[,])?[ \t\r]*\n\s*[^\s{]")


@dataclass(frozen=True, slots=True)
class RawRow:
    """One row of a file: its `raw` text, and the `value` in it or the `problem` why there is none."""

    raw: str
    value: object = None
    problem: str | None = None


def split_rows(source: TextSource) -> Iterator[RawRow]:
    """Yield the rows of a JSON or JSON-lines text; its content decides which it is, not the file's name."""
    head = ""
    while len(head) < HEAD_CHARS and (piece := source.read()):
        head += piece
    if head.lstrip()[:1] == "[" or _SPREAD.match(head):
        return _split_values(_TextWindow(source, head))
    return _split_lines(source, head)


def _split_lines(source: TextSource, rest: str) -> Iterator[RawRow]:
    number = 0
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


def _after_line_end(source: TextSource) -> str:
    """Skip to the next line end; return what has been read from there on, the line end included."""
    while piece := source.read():
        _, found, rest = piece.partition("\n")
        if found:
            return "\n" + rest
    return ""


class _TextWindow:
    """The part of the text that is being examined: `text` from `at` on."""

    def __init__(self, source: TextSource, text: str) -> None:
        self.source = source
        self.text = text
        self.at = 0

    def grow(self) -> bool:
        """At least double the rest, so that a long row is tried log(n) times; return False at the end of the text."""
        wanted = len(self.text) - self.at
        pieces = []
        while wanted >= 0 and (piece := self.source.read()):
            pieces.append(piece)
            wanted -= len(piece)
        if pieces:
            self.text, self.at = self.text[self.at :] + "".join(pieces), 0
        return bool(pieces)

    def next_mark(self) -> str:
        """Return the next character that is neither space nor comma, or "" at the end of the text."""
        while True:
            match = _BETWEEN.match(self.text, self.at)
            self.at = match.end() if match else self.at
            if self.at < len(self.text):
                return self.text[self.at]
            if not self.grow():
                return ""


def _split_values(window: _TextWindow) -> Iterator[RawRow]:
    """Yield the elements of an array, or of arrays and objects that follow each other; extra commas are forgiven."""
    row, inside = 0, False
    while mark := window.next_mark():
        if mark == ("]" if inside else "["):
            window.at += 1
            inside = not inside
            continue
        record = _take_value(window)
        if record is None:
            yield _rest(window, row)
            return
        yield record if record.problem is None else _broken(record.raw, f"row {row}: {record.problem}")
        row += 1
    if inside or window.source.broken:
        yield _rest(window, row)


def _take_value(window: _TextWindow) -> RawRow | None:
    """Read one value and step over it; return None if the text, or the longest row, ends inside it."""
    while True:
        problem, value = None, None
        end: int | None
        try:
            value, end = _decode(window.text, window.at)
        except (ValueError, RecursionError) as error:
            problem, end = _words(error), _value_end(window.text, window.at)
        # A value that reaches the end of the window may continue behind it: "12" of "123".
        if end is not None and (end < len(window.text) or not window.grow()):
            break
        if end is None and (len(window.text) - window.at > MAX_ROW_CHARS or not window.grow()):
            return None
    raw = window.text[window.at : end]
    window.at = end
    return RawRow(raw, value, problem or _encoding_problem(raw))


def _decode(text: str, start: int) -> tuple[object, int]:
    """Return the value at `start` and its end. Numbers are read whole: `raw_decode` finds a 1 in "1." and stops."""
    word = _WORD.match(text, start)
    return (_DECODER.decode(word[0]), word.end()) if word else _DECODER.raw_decode(text, start)


def _value_end(text: str, start: int) -> int | None:
    """Return where the unreadable value at `start` ends, by brackets and strings alone; None if not in `text`.

    A bracket closes all brackets opened after its partner, so a missing bracket costs only its own row.
    """
    opened: list[str] = []
    waiting = {"{": 0, "[": 0}  # counts of each in `opened`, since searching it would take quadratic time
    for match in _TOKEN.finditer(text, start):
        token = match[0]
        if token == '"':
            return None
        if token in waiting:
            opened.append(token)
            waiting[token] += 1
        elif token in _PARTNER and waiting[_PARTNER[token]]:
            _close(_PARTNER[token], opened, waiting)
            if not opened:
                return match.end()
        elif len(token) == 1 and not opened:
            return max(match.start(), start + 1)
    return None


def _close(partner: str, opened: list[str], waiting: dict[str, int]) -> None:
    while opened:
        token = opened.pop()
        waiting[token] -= 1
        if token == partner:
            return


def _rest(window: _TextWindow, row: int) -> RawRow:
    if len(window.text) - window.at > MAX_ROW_CHARS:
        why = f"it is longer than {MAX_ROW_CHARS} characters or never ends; what follows is not read"
    else:
        why = window.source.broken or "the file breaks off here"
    return _broken(window.text[window.at :], f"row {row}: {why}")


def _parse(raw: str, where: str) -> RawRow:
    try:
        value = _DECODER.decode(raw)
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
