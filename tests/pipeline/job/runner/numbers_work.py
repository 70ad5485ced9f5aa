"""Work for runners whose content are numbers; other processes must be able to import it."""

import logging
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from manifests.errors import CorpusError, EngineDied, EngineUnavailable
from pipeline.job.listener import Measure, Part
from pipeline.job.usage import Effort


@dataclass(frozen=True)
class Claims:
    workers: int = 2
    cpus: float = 0.5
    gpus: float = 0.0


@dataclass(frozen=True)
class Sum:
    block: int
    numbers: tuple[int, ...]


@dataclass(frozen=True)
class Numbers:
    """Block b holds b * 10, b * 10 + 1, ... As packed, a number takes `ballast` bytes more."""

    size: int = 1
    part_rows: int = 2
    ballast: int = 0

    def load(self, block: int) -> range:
        return range(block * 10, block * 10 + self.size)

    def cut(self, whole: range, part: Part) -> list[int]:
        return part.cut(whole)

    def measure(self, content: Sequence[int]) -> Measure:
        return Measure(len(content), kept=len(content))

    def pack(self, content: Sequence[int]) -> tuple[Sequence[int], bytes]:
        return content, bytes(self.ballast * len(content))

    def unpack(self, packed: tuple[Sequence[int], bytes]) -> Sequence[int]:
        return packed[0]

    def commit(self, block: int, contents: Sequence[Sequence[int]], effort: Effort) -> Sum:
        return Sum(block, tuple(number for part in contents for number in part))


@dataclass(frozen=True)
class Loading(Numbers):
    """Notes in a file, by lines, the blocks that were read."""

    notes: str = ""

    def load(self, block: int) -> range:
        with Path(self.notes).open("a") as file:
            file.write(f"{block}\n")
        return super().load(block)


@dataclass(frozen=True)
class Squares:
    """A pool whose workers square numbers. `at` a number they have the `fault`, `faults` times, counted in a file."""

    tally: str
    fault: str = ""
    faults: int = 0
    at: int = 30
    claims: Claims = Claims()
    name: str = "squares"
    blocks_in_flight: int = 1
    takes_batches: bool = False
    keeps_blocks_whole: bool = False

    def open(self) -> "Squarer":
        return Squarer(self)


class Squarer:
    closed: ClassVar[int] = 0

    def __init__(self, plan: Squares) -> None:
        self._plan = plan
        if plan.fault == "unavailable":
            raise EngineUnavailable("install squares")
        if plan.fault == "exits at once":
            os._exit(139)

    def run(self, numbers: Sequence[int]) -> tuple[list[int], Effort]:
        if self._plan.at in numbers and self._plan.fault and self._strike():
            self._fail()
        return [number * number for number in numbers], Effort({self._plan.name: 1.0})

    def close(self) -> None:
        Squarer.closed += 1

    def _strike(self) -> bool:
        tally = Path(self._plan.tally)
        done = tally.read_text().split() if tally.exists() else []
        if len(done) >= self._plan.faults:
            return False
        tally.write_text(" ".join([*done, "3"]))
        return True

    def _fail(self) -> None:
        if self._plan.fault == "exit":
            os._exit(139)
        if self._plan.fault == "die":
            raise EngineDied("the engine is gone")
        if self._plan.fault == "corpus":
            raise CorpusError("three is broken")
        if self._plan.fault == "warn":
            return logging.getLogger("pipeline.numbers").warning("three is odd")
        raise ZeroDivisionError


@dataclass(frozen=True)
class OneOpens(Squares):
    """Of this pool's workers only the first opens; the others load for ever. It works for a moment on each part."""

    def open(self) -> "Squarer":
        try:
            Path(f"{self.tally}.first").mkdir()
        except FileExistsError:
            time.sleep(600)
        return Unhurried(self)


class Unhurried(Squarer):
    def run(self, numbers: Sequence[int]) -> tuple[list[int], Effort]:
        time.sleep(0.1)
        return super().run(numbers)


@dataclass(frozen=True)
class Gated:
    """A pool whose workers add one, but not before the file `gate` is there."""

    gate: str
    claims: Claims = Claims(workers=1, cpus=1.0)
    name: str = "gated"
    blocks_in_flight: int = 1
    takes_batches: bool = False
    keeps_blocks_whole: bool = False

    def open(self) -> "GatedAdder":
        return GatedAdder(Path(self.gate))


class GatedAdder:
    def __init__(self, gate: Path) -> None:
        self._gate = gate

    def run(self, numbers: Sequence[int]) -> tuple[list[int], Effort]:
        while not self._gate.exists():
            time.sleep(0.05)
        return [number + 1 for number in numbers], Effort()

    def close(self) -> None:
        pass
