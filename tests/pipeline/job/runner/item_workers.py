"""A worker for the `work` of runners; other processes must be able to import it."""

import os
from pathlib import Path
from typing import ClassVar

from manifests.errors import CorpusError, EngineDied, EngineUnavailable


class Squarer:
    """Squares its items. At 3 it has the fault, the first `faults` times, counted in a file."""

    closed: ClassVar[int] = 0

    def __init__(self, tally: str, fault: str, faults: int) -> None:
        self._tally, self._fault, self._faults = Path(tally), fault, faults
        if fault == "unavailable":
            raise EngineUnavailable("install squares")

    def run(self, item: int) -> int:
        if item == 3 and self._fault and self._strike():
            self._fail()
        return item * item

    def close(self) -> None:
        Squarer.closed += 1

    def _strike(self) -> bool:
        done = self._tally.read_text().split() if self._tally.exists() else []
        if len(done) >= self._faults:
            return False
        self._tally.write_text(" ".join([*done, "3"]))
        return True

    def _fail(self) -> None:
        if self._fault == "exit":
            os._exit(139)
        if self._fault == "die":
            raise EngineDied("the engine is gone")
        if self._fault == "corpus":
            raise CorpusError("three is broken")
        raise ZeroDivisionError


def open_squarer(tally: str, fault: str, faults: int) -> Squarer:
    return Squarer(tally, fault, faults)
