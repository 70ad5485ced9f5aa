"""Measures where the workers' time goes while a job runs: at work, without input, or held back by a full queue.

A worker may have several slots; seconds are those of slots. The results of a job never depend on any of this.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

_BUSY, _IDLE = 0.85, 0.5
"""A pool that works for a larger share of its time is a bottleneck; one that works for less than the other is not."""


@dataclass(frozen=True, slots=True)
class PoolTime:
    """Holds the seconds of one pool's slots.

    `busy_s` at work, `starved_s` without input, `held_s` held back because the next pool has enough waiting, and
    `opening_s` until the engines were loaded.
    """

    workers: int = 0
    busy_s: float = 0.0
    starved_s: float = 0.0
    held_s: float = 0.0
    opening_s: float = 0.0

    @property
    def whole_s(self) -> float:
        return self.busy_s + self.starved_s + self.held_s + self.opening_s

    def share(self, seconds: float) -> float:
        return seconds / self.whole_s if self.whole_s else 0.0

    def __add__(self, other: "PoolTime") -> "PoolTime":
        return PoolTime(
            max(self.workers, other.workers),
            self.busy_s + other.busy_s,
            self.starved_s + other.starved_s,
            self.held_s + other.held_s,
            self.opening_s + other.opening_s,
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


def _spent(state: PoolState, seconds: float) -> PoolTime:
    free_s = state.free * seconds
    return PoolTime(
        state.workers,
        busy_s=state.busy * seconds,
        starved_s=0.0 if state.is_held else free_s,
        held_s=free_s if state.is_held else 0.0,
        opening_s=state.opening * seconds,
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
        f"loading {spent.share(spent.opening_s):.0%}"
        for name, spent in times.items()
        if spent.whole_s
    ]


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
    return f"{others} {verb} for {slowest}: give pools.{slowest} more workers, or its engines larger batches"
