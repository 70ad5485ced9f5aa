"""When a request is sent again, after how long, and when the server counts as dead.

A try that the server spoiled counts; one that never reached it does not, as long as nobody else reaches it either:
then the server is away, and how long that may last is a matter of patience, not of attempts. Otherwise a restart of
the server would cost every row that is in work.
"""

import math
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from tenacity import RetryCallState

from manifests.errors import EngineDied


@dataclass(frozen=True, slots=True)
class Pace:
    """Waiting between tries: drawn from 0 to min(cap_s, base_s * 2 ** tries), "full jitter" (Brooker, AWS
    Architecture Blog, 2015), or as long as the server asks for, up to `asked_cap_s` (OpenAI's limits are per minute).
    """

    base_s: float = 0.5
    cap_s: float = 20.0
    asked_cap_s: float = 60.0


class Fault(Exception):
    """A try that may go better next time. The message says what happened, without any text of the server.

    `away`: the server could not be reached; `answered`: it sent something, if only an error.
    """

    def __init__(
        self,
        what: str,
        *,
        away: bool = False,
        answered: bool = True,
        slow_down: bool = False,
        asked_s: float | None = None,
    ) -> None:
        super().__init__(what)
        self.away = away
        self.answered = answered
        self.slow_down = slow_down
        self.asked_s = asked_s


class Life:
    """When the server last answered any request."""

    def __init__(self, patience_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.patience_s = patience_s
        self.clock = clock
        self.last_answer = -math.inf

    def answered(self) -> None:
        self.last_answer = self.clock()


class Course:
    """The tries of one request."""

    def __init__(self, attempts: int, pace: Pace, life: Life) -> None:
        self.counted = 0
        self._attempts = attempts
        self._pace = pace
        self._life = life
        self._tries = 0
        self._first_sent = math.nan
        self._last_failed = math.nan

    def sending(self) -> None:
        self._tries += 1
        if self._tries == 1:
            self._first_sent = self._last_failed = self._life.clock()

    def failed(self, fault: Fault, server: str) -> None:
        """Count the try. EngineDied if nobody has had an answer for the whole patience."""
        now = self._life.clock()
        others_reach_it = self._life.last_answer > self._last_failed
        self._last_failed = now
        if not fault.away or others_reach_it:
            self.counted += 1
        silent_s = now - max(self._life.last_answer, self._first_sent)
        if (fault.away or not fault.answered) and silent_s >= self._life.patience_s:
            raise EngineDied(f"{server} has not answered for {silent_s:.0f} s: {fault}")

    def is_over(self, state: RetryCallState) -> bool:
        return self.counted >= self._attempts

    def pause_s(self, state: RetryCallState) -> float:
        fault = state.outcome.exception() if state.outcome else None
        if isinstance(fault, Fault) and fault.asked_s is not None:
            # Spread, or all that were told the same time would come back at the same moment.
            return min(fault.asked_s, self._pace.asked_cap_s) + random.uniform(0, self._pace.base_s)
        doubled = self._pace.base_s * 2.0 ** min(self._tries - 1, 30)
        return random.uniform(0, min(self._pace.cap_s, doubled))


def asked_wait_s(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Seconds that `Retry-After` asks for: a number, or an HTTP date. None where it is absent or makes no sense."""
    value = headers.get("retry-after", "").strip()
    try:
        seconds = float(value)
    except ValueError:
        seconds = _until(value, now or datetime.now(UTC))
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _until(date: str, now: datetime) -> float:
    try:
        moment = parsedate_to_datetime(date)
    except ValueError:
        return math.nan
    if moment.tzinfo is None:  # an HTTP date is in GMT whether or not it says so
        moment = moment.replace(tzinfo=UTC)
    return (moment - now).total_seconds()
