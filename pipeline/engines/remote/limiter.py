"""Limits how many requests are in flight at once: as many as the server bears, never more than the recipe allows.

Additive increase, multiplicative decrease, as TCP does it: the limit starts at its ceiling, shrinks when the server
says that it is too much, and grows by one for every window without a complaint. A window is as many signals as the
limit is high: one round trip of a busy client, so that the limit shrinks at most once per round trip.

How far it shrinks depends on the share of a window that was told to slow down, as DCTCP does it (Alizadeh and others,
SIGCOMM 2010): if all of it was, the limit is halved; if a fifth was, it loses a tenth. A window with only a few
complaints counts as one without: servers and gateways misbehave for other reasons than load, and a limit that always
shrank for it would sink until whole windows pass without a complaint.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from enum import Enum

STRAY = 0.1
"""Share of a window that may be complaints before the limit shrinks. If load is their cause after all, they cost one
cheap retry in ten, and the growing limit soon brings more of them than this."""
FAR_ABOVE = 3.0
"""Mean latency of a window, as a multiple of the best one, above which requests may only be queueing in the server.
The means of one task's answers, which differ in length, are closer together than that."""
RISEN = 1.05
"""Throughput has risen if it is this multiple of the previous window's; a mean over tens of answers varies by less."""
FORGETTING = 1.05
"""The best latency grows by this factor with every window, so that after some twenty windows (1.05 ** 23 = 3) a task
with longer answers counts as normal and the limit may grow again."""


class LoadSignal(Enum):
    """What a finished request says about the server's load. NONE: nothing, as when the server cannot be reached."""

    ANSWERED = "answered"
    OVERLOADED = "overloaded"
    NONE = "none"


class Limiter:
    """A semaphore whose size adapts; first come, first served. For one event loop.

    Every `acquire` that returned needs one `release`. An `acquire` that is canceled holds nothing.
    """

    def __init__(self, ceiling: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._ceiling = ceiling
        self._clock = clock
        self._limit = float(ceiling)
        self._in_flight = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._best_latency_s = float("inf")
        self._last_rate = 0.0
        self._start_window()

    @property
    def limit(self) -> int:
        return int(self._limit)

    @property
    def in_flight(self) -> int:
        return self._in_flight

    async def acquire(self) -> None:
        if self._in_flight < self.limit:  # then nobody waits: each `release` admits the next request
            self._in_flight += 1
            return
        ticket = asyncio.get_running_loop().create_future()
        self._waiting.append(ticket)
        try:
            await ticket
        except asyncio.CancelledError:
            if not ticket.cancelled():  # the place was granted at the same moment: pass it on
                self._in_flight -= 1
                self._admit()
            raise

    def release(self, signal: LoadSignal, latency_s: float = 0.0) -> None:
        """Give the place back. `latency_s` is the latency of an answered request."""
        self._in_flight -= 1
        if signal is LoadSignal.ANSWERED:
            self._answers += 1
            self._latency_sum_s += latency_s
        elif signal is LoadSignal.OVERLOADED:
            self._complaints += 1
        if self._answers + self._complaints >= self.limit:
            self._adapt()
            self._start_window()
        self._admit()

    def _admit(self) -> None:
        while self._waiting and self._in_flight < self.limit:
            ticket = self._waiting.popleft()
            if not ticket.done():  # a canceled ticket is dropped here
                self._in_flight += 1
                ticket.set_result(None)

    def _start_window(self) -> None:
        self._answers = 0
        self._complaints = 0
        self._latency_sum_s = 0.0
        self._window_start = self._clock()

    def _adapt(self) -> None:
        complaints = self._complaints / (self._answers + self._complaints)
        only_queues = self._only_queues()
        if complaints > STRAY:
            self._limit = max(1.0, self._limit * (1 - complaints / 2))
        elif not only_queues:
            self._limit = min(float(self._ceiling), self._limit + 1)

    def _only_queues(self) -> bool:
        """Tell whether latency is far above its best while throughput has not risen; keep both for the next window."""
        if not self._answers:
            return False
        latency_s = self._latency_sum_s / self._answers
        elapsed_s = self._clock() - self._window_start
        rate = self._answers / elapsed_s if elapsed_s > 0 else float("inf")
        queues = latency_s > FAR_ABOVE * self._best_latency_s and rate <= RISEN * self._last_rate
        self._best_latency_s = min(FORGETTING * self._best_latency_s, latency_s)
        self._last_rate = rate
        return queues
