"""Brings models into the cache, file by file, each checked before it takes its place.

Work goes on in `.part-NAME-DIGEST/` beside the models, which a broken-off fetch leaves behind for the next one::

    downloads/     wheels, tarballs and files as they come
    files/         the model's files that are done: their hashes were right

The last step renames `files/` to the model's directory, so a model is there whole or not at all.
"""

import errno
import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO

from manifests.errors import CorpusError, UserError
from pipeline.weights.cache import file_problems, model_directory
from pipeline.weights.origins import Origins, PlaceFailed
from pipeline.weights.table import ModelEntry

Progress = Callable[[int, int], None]
"""Told bytes done and bytes in all."""


class WrongBytes(CorpusError):
    """A place gave other bytes than the table says."""


def fetch(name: str, entry: ModelEntry, cache: Path, progress: Progress = lambda done, total: None) -> Path:
    """Bring a model into the cache and return its directory; nothing is downloaded where it is there and sound.

    Raises UserError where no place gives a file, the disk is full or the cache is not ours, and WrongBytes where
    all places that answer give other bytes.
    """
    directory = model_directory(cache, name, entry)
    if _is_sound(directory, entry):
        return directory
    with _explained(cache), _alone(cache, directory.name):
        if _is_sound(directory, entry):  # another process was quicker
            return directory
        work = cache / f".part-{directory.name}"
        _keep_sound(directory, work / "files", entry)
        _need_room(work, name, entry)
        _fill(name, entry, work, progress)
        if directory.is_dir():
            shutil.rmtree(directory)
        (work / "files").replace(directory)
        shutil.rmtree(work)
    return directory


def _is_sound(directory: Path, entry: ModelEntry) -> bool:
    return directory.is_dir() and not file_problems(directory, entry)


def _fill(name: str, entry: ModelEntry, work: Path, progress: Progress) -> None:
    """Complete `work/files` from the places."""
    downloads, files = work / "downloads", work / "files"
    downloads.mkdir(parents=True, exist_ok=True)
    wanting = {problem.path for problem in file_problems(files, entry)}
    done = sum(file.size for path, file in entry.files.items() if path not in wanting)
    for path in entry.files:
        if path in wanting:
            _bring(name, path, entry, Origins(downloads), files / path, partial(_tell, progress, done, entry.size))
            done += entry.files[path].size
    progress(done, entry.size)


def _tell(progress: Progress, before: int, total: int, size: int) -> None:
    progress(before + size, total)


def _bring(
    name: str, path: str, entry: ModelEntry, origins: Origins, target: Path, progress: Callable[[int], None]
) -> None:
    """Bring one file from the first place that has it as the table says."""
    failures: list[Exception] = []
    target.parent.mkdir(parents=True, exist_ok=True)
    for parts in entry.places_of(path):
        try:
            _join(parts, entry, path, origins, target, progress)
        except (PlaceFailed, WrongBytes) as error:
            failures.append(error)
            continue
        return
    why = "; ".join(str(error) for error in failures)
    if any(isinstance(error, WrongBytes) for error in failures):
        raise WrongBytes(f"{name}: {path} was not stored: {why}")
    raise UserError(
        f"{path} of the model {name} could not be had ({why}): give this machine a network that reaches one of these "
        f"places, or unpack into the cache what `parley models pack {name}` makes on a machine that has one"
    )


def _join(
    parts: Sequence[str],
    entry: ModelEntry,
    path: str,
    origins: Origins,
    target: Path,
    progress: Callable[[int], None],
) -> None:
    """Write a file from its parts, hash it, and only then give it its name."""
    expected = entry.files[path]
    joined = origins.work / "joined"
    with joined.open("wb") as file:
        out = _Hashed(file, progress)
        for part in parts:
            origins.write(part, out, expected.size - out.size)
        file.flush()
        os.fsync(file.fileno())
    if out.sha256.hexdigest() != expected.sha256:
        _forget_downloads(origins.work)
        got = "other bytes" if out.size == expected.size else f"{out.size:,} bytes instead of {expected.size:,}"
        raise WrongBytes(f"{parts[0]} holds {got}, not the file with the table's SHA-256")
    joined.replace(target)


class _Hashed:
    """A stream that hashes and counts what it passes on."""

    def __init__(self, out: IO[bytes], progress: Callable[[int], None]) -> None:
        self._out, self._progress = out, progress
        self.sha256, self.size = hashlib.sha256(), 0

    def write(self, data: bytes) -> int:
        self.sha256.update(data)
        self.size += len(data)
        self._progress(self.size)
        return self._out.write(data)


def _forget_downloads(downloads: Path) -> None:
    """Remove what came from a place that was wrong, so that the next fetch does not read it again."""
    shutil.rmtree(downloads)
    downloads.mkdir()


def _keep_sound(directory: Path, files: Path, entry: ModelEntry) -> None:
    """Take over the sound files of a model that is spoilt, so that only the others are fetched again."""
    if not directory.is_dir():
        return
    spoilt = {problem.path for problem in file_problems(directory, entry)}
    for path in entry.files:
        if path not in spoilt and not (files / path).exists():
            (files / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(directory / path, files / path)


def _need_room(work: Path, name: str, entry: ModelEntry) -> None:
    """Refuse to begin what cannot fit: the downloads and the files, less what is there."""
    work.mkdir(parents=True, exist_ok=True)
    there = sum(path.stat().st_size for path in work.rglob("*") if path.is_file())
    needed, free = 2 * entry.size - there, shutil.disk_usage(work).free
    if free < needed:
        raise UserError(
            f"the disk of the cache has {free >> 20:,} MB free, and fetching {name} needs {needed >> 20:,} MB: make "
            "room, or name another directory with --cache"
        )


@contextmanager
def _explained(cache: Path) -> Iterator[None]:
    """Say what to do where the cache cannot be written."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise UserError(
                "the disk of the cache is full: make room, and the same command goes on with what it has, or name "
                "another directory with --cache"
            ) from error
        if isinstance(error, PermissionError) or error.errno == errno.EROFS:
            raise UserError(
                f"the cache {cache.parent.name} cannot be written by this user: name a directory of your own with "
                "--cache or PARLEY_CACHE; what is in it already can be used as it is"
            ) from error
        raise


@contextmanager
def _alone(cache: Path, name: str) -> Iterator[None]:
    """Let one process at a time fetch a model; others wait. File systems without locks do without."""
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / f".lock-{name}").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
        except OSError as error:
            if error.errno not in (errno.ENOLCK, errno.ENOTSUP, errno.EINVAL):
                raise
        yield
