"""Measures where the workers' time goes while a job runs: at work, without input, or held back by a full queue.

A worker may have several slots; seconds are those of slots. The results of a job never depend on any of this.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from pipeline.job.gpu_use import GpuUse

_BUSY, _IDLE = 0.85, 0.5
"""A pool that works for a larger share of its time is a bottleneck; one that works for less than the other is not."""


@dataclass(frozen=True, slots=True)
class PoolTime:
    """Holds the seconds of one pool's slots.

    `busy_s` at work, `starved_s` without input, `held_s` held back because the next pool has enough waiting, and
    `opening_s` until the engines were loaded. `rows` left the pool, with `audio_s` of new takes in them; `wall_s` is
    the time on the clock. `gpu`: how hard the GPUs of its workers worked, where that can be seen.
    """

    workers: int = 0
    busy_s: float = 0.0
    starved_s: float = 0.0
    held_s: float = 0.0
    opening_s: float = 0.0
    wall_s: float = 0.0
    rows: int = 0
    audio_s: float = 0.0
    gpu: GpuUse | None = None

    @property
    def whole_s(self) -> float:
        return self.busy_s + self.starved_s + self.held_s + self.opening_s

    def share(self, seconds: float) -> float:
        return seconds / self.whole_s if self.whole_s else 0.0

    @property
    def slots(self) -> float:
        """Mean number of parts that the pool could work on at once."""
        return self.whole_s / self.wall_s if self.wall_s else 0.0

    @property
    def row_s(self) -> float:
        """Seconds of one slot for a row."""
        return self.busy_s / self.rows if self.rows else 0.0

    @property
    def speed(self) -> float:
        """Seconds of audio that one slot treats in a second of its work; 0 where the rows have no audio yet."""
        return self.audio_s / self.busy_s if self.busy_s else 0.0

    def __add__(self, other: "PoolTime") -> "PoolTime":
        return PoolTime(
            max(self.workers, other.workers),
            self.busy_s + other.busy_s,
            self.starved_s + other.starved_s,
            self.held_s + other.held_s,
            self.opening_s + other.opening_s,
            self.wall_s + other.wall_s,
            self.rows + other.rows,
            self.audio_s + other.audio_s,
            _both(self.gpu, other.gpu),
        )


@dataclass(frozen=True, slots=True)
class PoolState:
    """Describes a pool at one moment: its slots at work, free ones, those still loading; is the next queue full?"""

    name: str
    workers: int
    busy: int
    free: int
    opening: int
    is_held: bool


@dataclass
class Stopwatch:
    """Adds up the time of pools between the moments at which it looks at them."""

    clock: Callable[[], float] = time.monotonic
    times: dict[str, PoolTime] = field(default_factory=dict)
    _since: float | None = None
    _states: Sequence[PoolState] = ()

    def look(self, states: Iterable[PoolState]) -> None:
        """Count the time since the last look for the states seen then."""
        now = self.clock()
        if self._since is not None:
            for state in self._states:
                before = self.times.get(state.name, PoolTime())
                self.times[state.name] = before + _spent(state, now - self._since)
        self._since, self._states = now, list(states)

    def count(self, name: str, rows: int = 0, audio_s: float = 0.0, gpu: GpuUse | None = None) -> None:
        """Count rows that have left a pool, the audio of their new takes in seconds, and what its GPUs did."""
        self.times[name] = self.times.get(name, PoolTime()) + PoolTime(rows=rows, audio_s=audio_s, gpu=gpu)


def _both(one: GpuUse | None, other: GpuUse | None) -> GpuUse | None:
    return one + other if one and other else one or other


def _spent(state: PoolState, seconds: float) -> PoolTime:
    free_s = state.free * seconds
    return PoolTime(
        state.workers,
        busy_s=state.busy * seconds,
        starved_s=0.0 if state.is_held else free_s,
        held_s=free_s if state.is_held else 0.0,
        opening_s=state.opening * seconds,
        wall_s=seconds,
    )


def added(several: Iterable[Mapping[str, PoolTime]]) -> dict[str, PoolTime]:
    """Add up the times of several passes, in the order in which the pools first came."""
    total: dict[str, PoolTime] = {}
    for times in several:
        for name, spent in times.items():
            total[name] = total.get(name, PoolTime()) + spent
    return total


def lines(times: Mapping[str, PoolTime]) -> list[str]:
    """Return a line for each pool that did something, for people."""
    return [
        f"{name}: {spent.workers} worker{'' if spent.workers == 1 else 's'}, busy {spent.share(spent.busy_s):.0%}, "
        f"without input {spent.share(spent.starved_s):.0%}, held back {spent.share(spent.held_s):.0%}, "
        f"loading {spent.share(spent.opening_s):.0%}{_treated(spent)}" + (f"; {spent.gpu.told()}" if spent.gpu else "")
        for name, spent in times.items()
        if spent.whole_s
    ]


def _treated(spent: PoolTime) -> str:
    """Say how much the pool has done, for one that has done something."""
    if not spent.rows or not spent.busy_s:
        return ""
    if not spent.audio_s:
        return f"; {spent.rows} rows, {spent.rows / spent.busy_s:.3g} a second of work"
    return f"; {spent.audio_s:.0f} s of audio, {spent.speed:.3g} a second of work"


def advice(times: Mapping[str, PoolTime]) -> str | None:
    """Say which pool the others wait for, and what to change; None where there is nothing to say."""
    shares = {name: spent.share(spent.busy_s) for name, spent in times.items() if spent.whole_s}
    if len(shares) < 2:
        return None
    slowest = max(shares, key=lambda name: shares[name])
    waiting = [name for name, share in shares.items() if share < _IDLE and name != slowest]
    if shares[slowest] < _BUSY or not waiting:
        return None
    others = " and ".join([", ".join(waiting[:-1]), waiting[-1]] if len(waiting) > 1 else waiting)
    verb = "wait" if len(waiting) > 1 else "waits"
    return f"{others} {verb} for {slowest}: {_cure(slowest, times[slowest].gpu)}"


def _cure(name: str, gpu: GpuUse | None) -> str:
    if gpu is None:
        return f"give pools.{name} more workers, or its engines larger batches"
    if gpu.is_full:
        return "its GPUs are full, so that only more of them or a smaller model would help"
    return f"its GPUs have room ({gpu.told()}): give pools.{name} a larger per_gpu, or its engines larger batches"
