"""Keeps a second job out of a directory.

On a local file system the owner holds a lock of the kernel (flock) on an empty file, which ends with its process,
however it ends. On an object store, or where the file system knows no locks, an owner is an object of its own, which
it writes again and again. Object stores list whatever was written before, so of two owners at least one sees the other
and gives way; one that has been silent for EXPIRY_S is dead, by the clock of the process that waits.

::

    WORK/lock         empty
    WORK/owners/ID    on an object store: the owner, and how often it has written
"""

import fcntl
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Protocol

from manifests.errors import ResumeRefused
from manifests.storage import Place

LOCK = "lock"
OWNERS = "owners"

BEAT_S = 5.0
"""An owner writes its object this often: a request costs next to nothing, and a newcomer soon sees that it lives."""
EXPIRY_S = 60.0
"""Silence after which an owner is dead: many beats, since a store may fail for some time."""

_REFUSAL = "another job is at work in this --out: wait until it has ended, or take another --out"


class Owner(Protocol):
    def check(self) -> None:
        """Raise ResumeRefused if another job has taken the directory over."""


@contextmanager
def hold(work: Place) -> Iterator[Owner]:
    """Own the directory `work` during the block; raises ResumeRefused at once if a living process owns it."""
    work.make_directory()
    if work.is_local and (lock := _FileLock.of(work)):
        with closing(lock):
            yield lock
        return
    with _owner_object(work / OWNERS) as owner:
        yield owner


def is_of_lock(place: Place) -> bool:
    """Tell whether the file or directory is one that a lock leaves behind."""
    if place.name == LOCK:
        return place.is_file() and place.size() == 0
    return place.name == OWNERS and not place.is_file() and all(map(_is_owner, place.list()))


class _FileLock:
    """Holds the kernel's lock on a file. The file stays: a process that removed it could remove another one's."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab")

    @classmethod
    def of(cls, work: Place) -> "_FileLock | None":
        """Lock the file; None if this file system knows no locks. Raises ResumeRefused if another process has it."""
        lock = cls(Path(work.path, LOCK))
        try:
            fcntl.flock(lock._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock._file.close()
            raise ResumeRefused(_REFUSAL) from error
        except OSError:
            lock._file.close()
            return None
        return lock

    def close(self) -> None:
        self._file.close()

    def check(self) -> None:
        """Do nothing: the kernel never gives the lock to another process."""


@contextmanager
def _owner_object(directory: Place) -> Iterator["_Owner"]:
    owner = _Owner(directory)
    try:
        owner.begin()
        owner.outlive_others()
        yield owner
    finally:
        owner.end()


class _Owner:
    """Owns a directory by an object in it, which a thread writes again and again."""

    def __init__(self, directory: Place) -> None:
        self._directory = directory
        self._place = directory / uuid.uuid4().hex
        self._beats = 0
        self._ended = threading.Event()
        self._is_lost = False
        self._thread = threading.Thread(target=self._live, name="owner", daemon=True)

    def begin(self) -> None:
        self._beat()
        self._thread.start()

    def outlive_others(self) -> None:
        """Return once no other owner that was here before is alive; raises ResumeRefused if one shows that it is.

        Owners that come later see this one, and give way.
        """
        before = self._others()
        deadline = time.monotonic() + EXPIRY_S
        while before and time.monotonic() < deadline:
            time.sleep(BEAT_S / 5)
            now = self._others()
            if any(name in before and before[name] != beats for name, beats in now.items()):
                raise ResumeRefused(_REFUSAL)
            before = {name: beats for name, beats in before.items() if name in now}
        for name in before:
            (self._directory / name).delete()

    def end(self) -> None:
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()
        self._place.delete()

    def check(self) -> None:
        if self._is_lost:
            raise ResumeRefused(
                f"another job has taken this --out over, since this one was silent for {EXPIRY_S:g} s: "
                "wait until that one has ended"
            )

    def _others(self) -> dict[str, bytes]:
        """Return what each other owner wrote last, by its name."""
        found = {}
        for place in self._directory.list():
            if place.name != self._place.name:
                try:
                    found[place.name] = place.read_bytes()
                except FileNotFoundError:  # it has just ended
                    continue
        return found

    def _live(self) -> None:
        while not self._ended.wait(BEAT_S):
            try:
                self._is_lost = not self._place.exists()
                if self._is_lost:
                    return
                self._beat()
            except OSError:  # the store fails for the moment; the job's own writes say so if it goes on
                continue

    def _beat(self) -> None:
        self._beats += 1
        self._place.write_text(f"{self._beats}\n")


def _is_owner(place: Place) -> bool:
    return place.is_file() and len(place.name) == len(uuid.UUID(int=0).hex)
