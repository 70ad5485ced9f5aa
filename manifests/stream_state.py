"""Where a stream is in its epoch: how many rows each worker has given out, and whose turn is next."""

from dataclasses import dataclass, field
from typing import Any, Self

from manifests.errors import UserError


@dataclass
class StreamState:
    """Counts the rows that each of the workers gave out; empty at the beginning of an epoch.

    A `DataLoader` takes from its workers in turn, beginning with its first one. So that a continued epoch goes on with
    the worker whose turn it was, the roles move on by `turn`: process number 0 takes the role of worker `turn`.
    """

    rows: list[int] = field(default_factory=list)
    turn: int = 0

    @property
    def total(self) -> int:
        return sum(self.rows)

    def begin(self, process: int, workers: int) -> tuple[int, int]:
        """Return the worker whose role the process has, and how many rows that one has given out.

        Raises UserError if the epoch began with another number of workers.
        """
        if self.rows and len(self.rows) != workers:
            raise UserError(
                f"this epoch began with {_workers(len(self.rows))} and cannot go on with {_workers(workers)}: "
                f"give the DataLoader as many as before, or begin another epoch with set_epoch"
            )
        worker = (process + self.turn) % workers
        return worker, self.rows[worker] if self.rows else 0

    def advance(self, worker: int, workers: int, rows: int) -> None:
        """Record that the worker has given out `rows` rows since the beginning of the epoch."""
        if len(self.rows) != workers:
            self.rows = [0] * workers
        self.rows[worker] = rows

    def to_dict(self) -> dict[str, Any]:
        return {"rows": list(self.rows), "turn": self.turn}

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> Self:
        return cls([int(count) for count in state["rows"]], int(state["turn"]))


def _workers(count: int) -> str:
    return "no worker or one" if count == 1 else f"{count} workers"
