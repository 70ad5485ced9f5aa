"""Cuts input files into pieces that are read side by side: JSON lines at line ends, Parquet at row groups.

The rows of the pieces in turn are those of the file, the words about unreadable rows included. What cannot be cut so
(an array, a compressed file) is one piece. A piece in which something is found that only a reader of the whole file
can judge, such as damage or an endless line, raises CannotCut: then the file must be read whole.
"""

import codecs
from collections.abc import Iterator
from dataclasses import dataclass

from manifests.storage import Place
from pipeline.readers.packed import is_packed
from pipeline.readers.parquet import CannotCut, parquet_rows, row_group_bytes
from pipeline.readers.read import find_format, guarded, read_rows, source_row
from pipeline.readers.rows import SourceRow
from pipeline.readers.split import MAX_ROW_CHARS, holds_lines, split_lines
from pipeline.readers.text_stream import CHUNK_BYTES, PARQUET, TextSource, find_file, first_bytes

PIECE_BYTES = 32 * 2**20
"""About the size of a piece: some tens of thousands of rows, read and cut into blocks in some seconds."""


@dataclass(frozen=True)
class InputPiece:
    """Names bytes, or row groups of Parquet, `start`..`stop` - 1 of a file; `stop` None: the whole file."""

    start: int = 0
    stop: int | None = None
    is_parquet: bool = False


@dataclass(frozen=True)
class Before:
    """Counts the rows and lines of a file before a piece."""

    rows: int = 0
    lines: int = 0


def cut_file(place: Place) -> list[InputPiece]:
    """Cut a file into pieces of about PIECE_BYTES. Raises InputError if it cannot be read."""
    place = find_file(place)
    first = first_bytes(place)
    if first.startswith(PARQUET):
        return _cut_groups(row_group_bytes(place)) or [InputPiece()]
    size = place.size()
    if size <= PIECE_BYTES or is_packed(first) or place.name.lower().endswith(".parquet"):
        return [InputPiece()]
    if not holds_lines(TextSource(place)):
        return [InputPiece()]
    starts = range(0, size, PIECE_BYTES)
    return [InputPiece(start, min(start + PIECE_BYTES, size)) for start in starts]


def _cut_groups(sizes: list[int]) -> list[InputPiece]:
    pieces, start, total = list[InputPiece](), 0, 0
    for group, size in enumerate(sizes):
        total += size
        if total >= PIECE_BYTES or group + 1 == len(sizes):
            pieces.append(InputPiece(start, group + 1, is_parquet=True))
            start, total = group + 1, 0
    return pieces if len(pieces) > 1 else []


class PieceReader:
    """Reads a piece. `lines` counts the line ends that have been read of JSON lines."""

    def __init__(self, place: Place, format: str, piece: InputPiece, before: Before) -> None:
        """`before`: what stands in the file before the piece, since rows are named and told by their place in it."""
        self._place, self._format, self._piece, self._before = place, format, piece, before
        self._source: _Range | None = None

    def rows(self) -> Iterator[SourceRow]:
        """Yield the rows. Raises InputError, and CannotCut."""
        piece = self._piece
        if piece.stop is None:
            yield from read_rows(self._place, self._format)
            return
        form = find_format(self._format)
        if piece.is_parquet:
            records = parquet_rows(self._place, range(piece.start, piece.stop))
        else:
            self._source = _Range(self._place, piece.start, piece.stop)
            records = split_lines(self._source, "", self._before.lines)
        for position, record in enumerate(guarded(records, self._place), self._before.rows):
            yield source_row(position, record, form)

    @property
    def lines(self) -> int:
        return self._source.lines if self._source else 0


class _Range:
    """The text of the lines that begin in bytes `start`..`stop` - 1 of a plain file."""

    def __init__(self, place: Place, start: int, stop: int) -> None:
        self.broken: str | None = None
        self.lines = 0
        self._run = 0
        self._decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        self._bytes = _lines_between(place, start, stop)

    def read(self) -> str:
        """Return the next piece of text, or "" at the end only. Raises CannotCut at a line that has no near end."""
        for data in self._bytes:
            self._count(data)
            if text := self._decoder.decode(data):
                return text
        return self._decoder.decode(b"", final=True)

    def _count(self, data: bytes) -> None:
        """Count line ends; characters are no more than bytes, so a shorter line is none that is too long."""
        self.lines += data.count(b"\n")
        last = data.rfind(b"\n")
        longest = max(map(len, data.split(b"\n")))
        self._run = self._run + len(data) if last < 0 else len(data) - last
        if self._run + longest > MAX_ROW_CHARS:
            raise CannotCut


def _lines_between(place: Place, start: int, stop: int) -> Iterator[bytes]:
    """Yield the bytes from the first line that begins at `start` or later, to the end of the last before `stop`."""
    with place.filesystem.open_input_file(place.path) as file:
        file.seek(max(0, start - 1))
        at, is_inside = max(0, start - 1), start == 0
        while data := file.read(CHUNK_BYTES):
            begin = 0
            if not is_inside:
                begin = data.find(b"\n") + 1
                is_inside = begin > 0
                if not is_inside:
                    begin = len(data)
            if is_inside and at + begin >= stop and begin:
                return
            end = data.find(b"\n", max(begin, stop - 1 - at)) if at + len(data) >= stop else -1
            piece = data[begin : end + 1] if end >= 0 else data[begin:]
            if at == 0 and start == 0:
                piece = piece.removeprefix(codecs.BOM_UTF8)
            if piece:
                yield piece
            if end >= 0:
                return
            at += len(data)
