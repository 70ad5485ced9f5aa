"""Lets the workers of one machine load their engines in turns, so that 64 of them do not read weights all at once.

The first worker of a pool on a machine loads alone: it reads the weights from the disk or the network, and what it
compiles or downloads is then there for the others, who find the files in the machine's memory. The others follow, so
many at once as the machine can feed. Locks of the kernel hold the order, so that a worker that dies while it loads
holds nobody up. No result depends on any of this.
"""

import fcntl
import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

MOST_AT_ONCE = 8
"""Workers of one machine that load at once: about as many as one disk or network link feeds at its full speed."""
_LOOK_S = 0.05
_LOADED = b"loaded"


@contextmanager
def opening_turn(directory: Path, pool: str, at_once: int | None = None) -> Iterator[None]:
    """Wait until this worker of `pool` may load, then hold its turn during the block.

    `directory` is the same for all workers of one job on this machine, and is made if it is missing; where that cannot
    be done, nobody waits. `at_once`: default, the cores of this machine, at most MOST_AT_ONCE.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        first = (directory / hashlib.sha256(pool.encode()).hexdigest()[:16]).open("a+b")
    except OSError:
        yield
        return
    with first:
        fcntl.flock(first, fcntl.LOCK_EX)
        is_first = not _was_loaded(first)
        if not is_first:
            fcntl.flock(first, fcntl.LOCK_UN)
        with _place(directory, at_once or min(MOST_AT_ONCE, os.cpu_count() or 1)):
            yield
        if is_first:
            first.write(_LOADED)
            first.flush()


def _was_loaded(file: IO[bytes]) -> bool:
    file.seek(0)
    return bool(file.read(1))


@contextmanager
def _place(directory: Path, places: int) -> Iterator[None]:
    """Wait for one of the places, and hold it during the block."""
    files = [(directory / f"place-{number}").open("wb") for number in range(places)]
    try:
        while not any(_is_taken(file) for file in files):
            time.sleep(_LOOK_S)
        yield
    finally:
        for file in files:
            file.close()


def _is_taken(file: IO[bytes]) -> bool:
    """Take the lock if it is free; tell whether it was."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
