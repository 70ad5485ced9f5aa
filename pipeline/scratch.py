"""Makes temporary directories that a killed process does not leave behind for ever."""

import fcntl
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from manifests.storage import Place

_LOCK = "parley.lock"
_YOUNG_S = 60.0
"""A younger directory may not have its lock yet."""

_swept: set[str] = set()


@contextmanager
def scratch_at(place: Place, prefix: str) -> Iterator[Path]:
    """Make an empty directory at `place`, removed at the end; on an object store, one in the temporary directory.

    Whatever an earlier process left at `place` is removed first: it must belong to one job.
    """
    if not place.is_local:
        with scratch_directory(prefix) as path:
            yield path
        return
    path = Path(place.path)
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@contextmanager
def scratch_directory(prefix: str) -> Iterator[Path]:
    """Make a directory in the system's temporary directory, removed at the end.

    The first one of a process removes those of the same prefix whose processes were killed: a living process holds a
    lock on a file in its own.
    """
    if prefix not in _swept:
        _swept.add(prefix)
        remove_dead(Path(tempfile.gettempdir()), f"{prefix}*")
    with tempfile.TemporaryDirectory(prefix=prefix) as name, claim_directory(Path(name)):
        yield Path(name)


def claim_directory(directory: Path) -> IO[bytes]:
    """Mark the directory as that of this process; the claim ends when the file is closed, or with the process."""
    lock = (directory / _LOCK).open("wb")
    fcntl.flock(lock, fcntl.LOCK_EX)
    return lock


def remove_dead(parent: Path, pattern: str) -> None:
    """Remove the directories that processes have claimed which are gone."""
    for path in parent.glob(pattern):
        try:
            if time.time() - path.stat().st_mtime > _YOUNG_S and _is_free(path / _LOCK):
                shutil.rmtree(path, ignore_errors=True)
        except OSError:  # another user's, or gone
            continue


def _is_free(lock: Path) -> bool:
    """Tell whether no process holds the lock. A directory without one is not ours to remove."""
    with lock.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True
