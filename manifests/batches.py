"""Cuts rows into batches of similar length, so that little is padded."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from manifests.errors import UserError
from manifests.spoken import SpokenDialogue


def spoken_samples(dialogue: SpokenDialogue) -> int:
    """Return the samples of all turns together."""
    return dialogue.num_samples


@dataclass(frozen=True)
class BatchBudget:
    """Limits a batch: its longest row times its rows is at most `size`, and it has at most `rows` rows.

    `length` says how long a row is, in whatever `size` counts: audio samples, unless it is given. It sees the
    dialogue before it is decoded, and must be a function that pickles. A row that is longer than `size` is a batch of
    its own: no row is lost.
    """

    size: int
    rows: int | None = None
    length: Callable[[SpokenDialogue], int] = spoken_samples

    def __post_init__(self) -> None:
        if self.size < 1 or (self.rows is not None and self.rows < 1):
            raise UserError(f"a batch has room for something: size {self.size}, rows {self.rows}")

    def cut(self, lengths: Sequence[int]) -> list[list[int]]:
        """Return the numbers of the rows in each batch, from short rows to long ones; every row is in one."""
        batches: list[list[int]] = []
        for row in sorted(range(len(lengths)), key=lengths.__getitem__):
            # Lengths ascend, so this row would be the longest of the batch.
            if batches and self._holds(len(batches[-1]) + 1, lengths[row]):
                batches[-1].append(row)
            else:
                batches.append([row])
        return batches

    def _holds(self, rows: int, longest: int) -> bool:
        return rows * longest <= self.size and (self.rows is None or rows <= self.rows)
