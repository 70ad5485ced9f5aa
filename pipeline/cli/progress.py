"""Shows a running job on stderr: a bar on a terminal, otherwise a plain line now and then."""

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from tqdm import tqdm

from pipeline.cli.output import message
from pipeline.job.listener import Listener, Measure, Moved
from pipeline.job.profile import PoolTime, added

LINE_EVERY_S = 10.0
STILL_EVERY_S = 300.0

_PartKey = tuple[int, int]


def corpus_outcome(done: Measure) -> str:
    """Say how many of the settled rows are kept, and their hours of audio."""
    share = f"{done.kept / done.settled:.0%}" if done.settled else "-"
    return f"kept {done.kept} ({share}), {done.audio_s / 3600:.3f} h"


def bank_outcome(done: Measure) -> str:
    return f"{done.kept} speakers"


class Flight:
    """Counts rows while parts of blocks move: rows that this run has settled, and rows in each pool."""

    def __init__(self) -> None:
        self._committed = Measure(0)
        self._parts: dict[_PartKey, tuple[str | None, Measure]] = {}

    def moved(self, event: Moved) -> None:
        self._parts[event.part.block, event.part.index] = event.pool, event.measure

    def finished(self, block: int) -> None:
        """Fix the counts of the block's parts: in a later pass the same parts come again."""
        keys = [key for key in self._parts if key[0] == block]
        self._committed = _total(self._committed, *(self._parts.pop(key)[1] for key in keys))

    @property
    def done(self) -> Measure:
        return _total(self._committed, *(measure for _, measure in self._parts.values()))

    @property
    def in_pools(self) -> dict[str, int]:
        """Live rows by the pool that they entered last."""
        rows = Counter[str]()
        for pool, measure in self._parts.values():
            if pool is not None:
                rows[pool] += measure.rows - measure.settled
        return dict(rows)


class Progress(Listener):
    """Shows rows read; then rows settled out of all, their outcome, rows in flight, and the time left."""

    def __init__(self, unit: str = "row", outcome: Callable[[Measure], str] = corpus_outcome) -> None:
        self._unit, self._outcome = unit, outcome
        self._noted: set[str] = set()
        self._flight = Flight()
        self._shown: _Bar | _Lines | None = None
        self._before = self._kept_before = 0
        self.times: dict[str, PoolTime] = {}

    def ingested(self, rows: int) -> None:
        if self._shown is None:
            self._shown = _display(f"{self._unit}s read", self._unit)
        self._shown.show(self._shown.at + rows, "")

    def noted(self, sentence: str) -> None:
        if sentence in self._noted:  # the workers of every pass may find the same
            return
        self._noted.add(sentence)
        tqdm.write(f"parley: {message(sentence)}", file=sys.stderr)  # above the bar, if there is one

    def started(self, total: int, settled: int, kept: int = 0) -> None:
        self._close()
        self._flight = Flight()  # an earlier try may have left rows in flight
        self._before, self._kept_before = settled, kept
        self._shown = _display(f"{self._unit}s settled", self._unit, total, settled)

    def moved(self, event: Moved) -> None:
        self._flight.moved(event)
        self._show()

    def finished(self, report: Any) -> None:
        self._flight.finished(report.block)
        self._show()

    def profiled(self, times: Mapping[str, PoolTime]) -> None:
        self.times = added((self.times, times))

    def waiting(self) -> None:
        self._show()

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def _show(self) -> None:
        if self._shown is None:
            return
        done = self._flight.done
        words = [self._outcome(_total(done, Measure(0, kept=self._kept_before)))]
        if pools := ", ".join(f"{name} {rows}" for name, rows in self._flight.in_pools.items() if rows):
            words.append(f"in flight: {pools}")
        self._shown.show(self._before + done.settled, "; ".join(words))

    def _close(self) -> None:
        if self._shown is not None:
            self._shown.close()
            self._shown = None


@contextmanager
def counted(what: str, unit: str) -> Iterator[Callable[[int, int], None]]:
    """Yield a function to call with (done, total) during work outside a job."""
    shown: list[_Bar | _Lines] = []

    def tell(done: int, total: int) -> None:
        if not shown:
            shown.append(_display(what, unit, total))
        shown[0].show(done, "")

    try:
        yield tell
    finally:
        for display in shown:
            display.close()


class _Bar:
    """Shows progress on a terminal."""

    def __init__(self, what: str, unit: str, total: int | None, at: int) -> None:
        self._bar = tqdm(total=total, initial=at, unit=unit, desc=what, dynamic_ncols=True, mininterval=0.2)

    @property
    def at(self) -> int:
        return int(self._bar.n)

    def show(self, at: int, words: str) -> None:
        self._bar.set_postfix_str(words, refresh=False)
        if at == self.at:
            self._bar.refresh()
        else:
            self._bar.update(at - self.at)

    def close(self) -> None:
        self._bar.close()


class _Lines:
    """Shows progress in a file or a pipe: a line every LINE_EVERY_S if something has changed, and at the end.

    Where nothing changes for STILL_EVERY_S, a line says that the work still goes on.
    """

    def __init__(self, what: str, total: int | None, at: int) -> None:
        self.at = at
        self._what, self._total = what, total
        self._words, self._began = "", time.monotonic()
        self._pace = Pace(at, self._began)
        self._printed, self._printed_at = (at, ""), self._began

    def show(self, at: int, words: str) -> None:
        now = time.monotonic()
        if at != self.at:
            self._pace.count(at, now)
        self.at, self._words = at, words
        is_new = (at, words) != self._printed
        if now - self._printed_at >= (LINE_EVERY_S if is_new else STILL_EVERY_S):
            self._printed, self._printed_at = (at, words), now
            self._print(self._left())

    def close(self) -> None:
        self._print(f"in {_clock(time.monotonic() - self._began)}")

    def _print(self, end: str) -> None:
        of_all = f"/{self._total} ({self.at / self._total:.0%})" if self._total else ""
        words = [f"{self._what}: {self.at}{of_all}", self._words, end]
        print("; ".join(word for word in words if word), file=sys.stderr, flush=True)

    def _left(self) -> str:
        left_s = self._pace.left_s(self._total) if self._total else None
        return "" if left_s is None else f"{_clock(left_s)} left"


class Pace:
    """Tells the time left from the rows that were done. Between two counts it stays as it is."""

    def __init__(self, at: int, began_s: float) -> None:
        self._began = self._first = self._last = (at, began_s)

    def count(self, at: int, now_s: float) -> None:
        """Note that `at` rows are done."""
        self._last = (at, now_s)
        if self._first is self._began:
            self._first = self._last

    def left_s(self, total: int) -> float | None:
        """Return the seconds left, None while nothing is done.

        The rate is that since the first rows, before which the workers load their engines. Until it is known for as
        long as these took, the rate since the beginning says what the end will not exceed.
        """
        (first, first_s), (last, last_s) = self._first, self._last
        start, start_s = self._began
        if last > first and last_s - first_s >= first_s - start_s:
            start, start_s = first, first_s
        return (last_s - start_s) * (total - last) / (last - start) if last > start else None


def _display(what: str, unit: str, total: int | None = None, at: int = 0) -> _Bar | _Lines:
    return _Bar(what, unit, total, at) if sys.stderr.isatty() else _Lines(what, total, at)


def _clock(seconds: float) -> str:
    """Format seconds as minutes and seconds, with hours if there are any."""
    return str(tqdm.format_interval(seconds))


def _total(*measures: Measure) -> Measure:
    return Measure(
        sum(one.rows for one in measures),
        sum(one.settled for one in measures),
        sum(one.kept for one in measures),
        sum(one.audio_s for one in measures),
    )
