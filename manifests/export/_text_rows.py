"""A writer for forms that are text or ids alone: a file of rows for each split, and no clips."""

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from manifests.export._rows import Row, write_splits
from manifests.export.contract import Piece, PieceWriter
from manifests.schema import Dialogue
from manifests.storage import Place


@dataclass(frozen=True)
class TextRowsWriter(PieceWriter):
    """Writes `file` for each split, as `RowsWriter` does."""

    file: ClassVar[str] = "{split}.jsonl"

    @abstractmethod
    def rows(self, dialogue: Dialogue) -> Iterable[Row]:
        """Return the rows of a dialogue without a problem."""

    def notes(self, splits: Sequence[str]) -> Sequence[str]:
        """Return sentences for the user; `splits` are those that hold something."""
        return ()

    def write(self, dialogues: Iterator[Dialogue], out: Place, piece: Piece) -> list[Row]:
        return [row for dialogue in dialogues for row in self.rows(dialogue)]

    def finish(self, out: Place, pieces: Iterable[tuple[Piece, Any]]) -> Sequence[str]:
        return self.notes(write_splits(out, self.file, pieces))
