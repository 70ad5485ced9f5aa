"""Reports on a running job to observers. The results of a job never depend on them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pipeline.job.profile import PoolTime

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Part:
    """Identifies part `index` of the `of` nearly equal parts of a block; a worker takes one part at a time."""

    block: int
    index: int = 0
    of: int = 1

    def bounds(self, length: int) -> tuple[int, int]:
        """Return where the part starts and stops in a block of that length."""
        return length * self.index // self.of, length * (self.index + 1) // self.of

    def cut(self, items: Sequence[Item]) -> list[Item]:
        """Return the part's share of the block's rows, or of its groups, which stay whole."""
        start, stop = self.bounds(len(items))
        return list(items[start:stop])


@dataclass(frozen=True)
class Measure:
    """Measures the progress of a part's rows. `kept` counts the products of settled rows: kept rows, or speakers.

    `audio_s`: of kept rows; `new_s`: of the newest takes of all rows, kept or not. Both in seconds.
    """

    rows: int
    settled: int = 0
    kept: int = 0
    audio_s: float = 0.0
    new_s: float = 0.0


@dataclass(frozen=True)
class Moved:
    """Reports that a part enters `pool` (None: it has left the last one), with its `measure` at that moment."""

    part: Part
    pool: str | None
    measure: Measure


class Listener:
    """Receives the events of a running job; the base class ignores all of them."""

    def ingested(self, rows: int) -> None:
        """Note that `rows` more rows are read and cut into blocks."""

    def started(self, total: int, settled: int, kept: int = 0) -> None:
        """Note that the work begins: of `total` rows, earlier runs have settled `settled` and kept `kept`."""

    def moved(self, event: Moved) -> None:
        """Note that a part of a block enters a pool or leaves the last one; it enters again if its worker died."""

    def finished(self, report: Any) -> None:
        """Note that a block is committed; `report.block` is its number."""

    def noted(self, sentence: str) -> None:
        """Note something that the user should know, though the job goes on."""

    def profiled(self, times: Mapping[str, PoolTime]) -> None:
        """Note where the time of the pools' workers went in a pass that is over."""

    def waiting(self) -> None:
        """Note that nothing has moved for about a second."""


class Profiled(Listener):
    """Passes all events on, and tells the profile of a pass to a function too."""

    def __init__(self, inner: Listener, tell: Callable[[Mapping[str, PoolTime]], None]) -> None:
        self._inner, self._tell = inner, tell
        self.ingested = inner.ingested  # type: ignore[method-assign]
        self.started = inner.started  # type: ignore[method-assign]
        self.moved = inner.moved  # type: ignore[method-assign]
        self.finished = inner.finished  # type: ignore[method-assign]
        self.noted = inner.noted  # type: ignore[method-assign]
        self.waiting = inner.waiting  # type: ignore[method-assign]

    def profiled(self, times: Mapping[str, PoolTime]) -> None:
        self._tell(times)
        self._inner.profiled(times)
