"""What a running job tells whoever watches it. Nothing that a job makes depends on it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

Item = TypeVar("Item")


@dataclass(frozen=True)
class Part:
    """Number `index` of the `of` nearly equal parts of a block: what one worker takes at a time."""

    block: int
    index: int = 0
    of: int = 1

    def bounds(self, length: int) -> tuple[int, int]:
        """Where the part starts and stops in a block of that length."""
        return length * self.index // self.of, length * (self.index + 1) // self.of

    def cut(self, items: Sequence[Item]) -> list[Item]:
        """The part's share of the block's rows, or of its groups, which stay whole."""
        start, stop = self.bounds(len(items))
        return list(items[start:stop])


@dataclass(frozen=True)
class Measure:
    """How far the rows of a part are. `kept` counts what the job makes of settled rows: kept rows, or speakers."""

    rows: int
    settled: int = 0
    kept: int = 0
    audio_s: float = 0.0


@dataclass(frozen=True)
class Moved:
    """A part enters `pool`; None: it has left the last one. `measure` is what is known of it at that moment."""

    part: Part
    pool: str | None
    measure: Measure


class Listener:
    """Hears of a running job; the base class ignores all of it."""

    def ingested(self, rows: int) -> None:
        """Further rows are read and cut into blocks."""

    def started(self, total: int, settled: int, kept: int = 0) -> None:
        """The work begins: of `total` rows, earlier runs have settled some and kept `kept`."""

    def moved(self, event: Moved) -> None:
        """A part of a block enters a pool or leaves the last one; one whose worker died enters again."""

    def finished(self, report: Any) -> None:
        """A block is committed; `report.block` is its number."""

    def waiting(self) -> None:
        """Nothing has moved for a second or so."""
