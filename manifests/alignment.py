"""Shows an alignment as plain text for people: the intended words above the words that were heard."""

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from manifests.schema import AlignmentChunk, EditKind, Score
from manifests.terminal import printable

LEGEND = "S: another word or character was heard, D: it was not heard, I: it was heard and never meant"
"""Explains the marks in the third line of `aligned_lines`; sclite and jiwer use the same letters."""

LINE_WIDTH = 100
_MARKS: dict[EditKind, str] = {"equal": "", "substitute": "S", "delete": "D", "insert": "I"}
_LABELS = ("meant  ", "heard  ", "       ")


@dataclass(frozen=True, slots=True)
class _Cell:
    """Holds one word (or character) of each text, one above the other; asterisks stand for a missing one."""

    meant: str
    heard: str
    mark: str

    @property
    def width(self) -> int:
        return max(map(text_width, (self.meant, self.heard, self.mark)))


def aligned_lines(score: Score, width: int = LINE_WIDTH) -> list[str]:
    """Return the texts of the score: two or three lines for each stretch that fits into `width` terminal columns.

    The third line marks the differences (see `LEGEND`) and is left out where there are none.
    """
    gap = "" if score.metric == "cer" else " "
    cells = [cell for chunk in score.alignment for cell in _cells(chunk, by_word=score.metric == "wer")]
    return [line for row in _wrapped(cells, width - len(_LABELS[0]), gap) for line in _lines(row, gap)]


def text_width(text: str) -> int:
    """Return how many terminal columns the text takes: two per wide character, none per combining character."""
    return sum(_character_width(character) for character in text)


def _character_width(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1


def _cells(chunk: AlignmentChunk, by_word: bool) -> Iterator[_Cell]:
    meant: Sequence[str] = chunk.meant.split() if by_word else chunk.meant
    heard: Sequence[str] = chunk.heard.split() if by_word else chunk.heard
    for expected, found in zip_longest(map(printable, meant), map(printable, heard), fillvalue=""):
        missing = "*" * max(1, text_width(expected or found))
        yield _Cell(expected or missing, found or missing, _MARKS[chunk.kind])


def _wrapped(cells: Iterable[_Cell], width: int, gap: str) -> Iterator[list[_Cell]]:
    """Yield rows of cells that fit into `width`; a cell wider than that has a row of its own."""
    row: list[_Cell] = []
    taken = 0
    for cell in cells:
        if row and taken + cell.width > width:
            yield row
            row, taken = [], 0
        row.append(cell)
        taken += cell.width + len(gap)
    if row:
        yield row


def _lines(row: Sequence[_Cell], gap: str) -> Iterator[str]:
    texts = zip(*((cell.meant, cell.heard, cell.mark) for cell in row), strict=True)
    for label, parts in zip(_LABELS, texts, strict=True):
        line = gap.join(_padded(part, cell.width) for part, cell in zip(parts, row, strict=True))
        if line.strip():
            yield (label + line).rstrip()


def _padded(text: str, width: int) -> str:
    return text + " " * (width - text_width(text))
