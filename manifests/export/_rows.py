"""A writer for consumers that read JSON: clips as files, and one file of rows for each split."""

import itertools
import json
from abc import abstractmethod
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import IO, Any, ClassVar

from manifests.export._clips import ClipFolder, ClipSettings
from manifests.export._turns import Demands
from manifests.export.contract import Piece, PieceWriter
from manifests.schema import Dialogue
from manifests.storage import Place

Row = dict[str, Any]
WriteClip = Callable[[int], str]
"""Writes the clip of a turn, by its place in the dialogue, and returns its path."""

# A clip waits for the disk or the network, so several dialogues are written at once; what is held is bounded.
_THREADS = 8
_AHEAD = 32


@dataclass(frozen=True)
class RowsWriter(PieceWriter):
    """Writes `file` for each split: one array if its name ends in .json, else a row on each line.

    The rows wait in the records of the pieces until all are written, so that the file is there whole or not at all.
    """

    settings: ClipSettings
    demands: Demands
    file: ClassVar[str] = "{split}.jsonl"
    is_ascii: ClassVar[bool] = False
    """For consumers that open the file without an encoding, so in that of the machine."""

    @abstractmethod
    def rows(self, dialogue: Dialogue, write_clip: WriteClip) -> list[Row]:
        """Return the rows of a dialogue without a problem; the clips they name are written."""

    def notes(self, splits: Sequence[str]) -> Sequence[str]:
        """Return sentences for the user; `splits` are those that hold something."""
        return ()

    def problem(self, dialogue: Dialogue) -> str | None:
        return self.demands.problem(dialogue)

    def write(self, dialogues: Iterator[Dialogue], out: Place, piece: Piece) -> list[Row]:
        folder = ClipFolder(out, piece, self.settings)
        with ThreadPoolExecutor(_THREADS) as pool:
            rows: list[Row] = []
            waiting: deque[Future[list[Row]]] = deque()
            for number, dialogue in enumerate(dialogues):
                waiting.append(pool.submit(self.rows, dialogue, partial(folder.write, dialogue, number)))
                if len(waiting) >= _AHEAD:
                    rows += waiting.popleft().result()
            return rows + [row for future in waiting for row in future.result()]

    def finish(self, out: Place, pieces: Iterable[tuple[Piece, Any]]) -> Sequence[str]:
        return self.notes(write_splits(out, self.file, pieces, self.is_ascii))


def write_splits(
    out: Place, file: str, pieces: Iterable[tuple[Piece, Iterable[Row]]], is_ascii: bool = False
) -> list[str]:
    """Write the rows of the pieces into `file` for each split, "{split}" in it being its name; return the splits.

    The file is one array if its name ends in .json, else it has a row on each line.
    """
    splits = []
    for split, group in itertools.groupby(pieces, key=lambda each: each[0].split):
        splits.append(split)
        with (out / file.format(split=split)).writing() as stream:
            _write_rows((row for _, rows in group for row in rows), stream, file.endswith(".json"), is_ascii)
    return splits


def _write_rows(rows: Iterable[Row], stream: IO[bytes], is_array: bool, is_ascii: bool) -> None:
    before, between, after = ("[\n", ",\n", "\n]\n") if is_array else ("", "\n", "\n")
    for number, row in enumerate(rows):
        text = json.dumps(row, ensure_ascii=is_ascii)
        stream.write(f"{between if number else before}{text}".encode())
    stream.write(after.encode())
