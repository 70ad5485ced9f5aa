"""Accesses files on any filesystem that pyarrow or fsspec opens: a local path, s3://, gs://, hdfs://, az://.

A `Place` is a filesystem and a path in it. Everything that Parley writes goes through `Place.writing`, so that a file
is either complete or absent, at whatever moment the process dies.
"""

import errno
import os
import re
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from pyarrow import fs as pafs

from manifests.credentials import without_secrets
from manifests.errors import UserError
from manifests.filesystems import filesystem_of

_TEMPORARY = ".tmp-"


@dataclass(frozen=True)
class Place:
    """Points to a file or directory: `filesystem` (a `pyarrow.fs.FileSystem`) and the `path` in it."""

    filesystem: Any
    path: str

    def __truediv__(self, name: str) -> "Place":
        return Place(self.filesystem, f"{self.path.rstrip('/')}/{name}")

    def __str__(self) -> str:
        return self.path

    @property
    def name(self) -> str:
        return self.path.rstrip("/").rsplit("/", 1)[-1]

    @property
    def is_local(self) -> bool:
        return isinstance(self.filesystem, pafs.LocalFileSystem)

    def exists(self) -> bool:
        return bool(self.filesystem.get_file_info(self.path).type != pafs.FileType.NotFound)

    def is_file(self) -> bool:
        """Tell whether there is a file; no file has a name that is too long for the file system."""
        try:
            return bool(self.filesystem.get_file_info(self.path).type == pafs.FileType.File)
        except OSError as error:
            if error.errno == errno.ENAMETOOLONG:
                return False
            raise

    def is_inside(self, directory: "Place") -> bool:
        """Tell whether this is that directory, or lies in it by its path."""
        same = self.filesystem == directory.filesystem
        return bool(same) and f"{self.path.rstrip('/')}/".startswith(f"{directory.path.rstrip('/')}/")

    def size(self) -> int:
        """Return the size in bytes."""
        return int(self.filesystem.get_file_info(self.path).size)

    def list(self, leftovers: bool = False) -> list["Place"]:
        """List the finished files and directories directly inside, sorted by name; empty if there is no directory.

        `leftovers`: with the temporary files that a killed writer left.
        """
        return [self / name for name in self.names(leftovers)]

    def names(self, leftovers: bool = False) -> tuple[str, ...]:
        """Return the names of what `list` lists. Locally no file is looked at: a job has hundreds of thousands."""
        found: Iterable[str]
        if self.is_local:
            try:
                with os.scandir(self.path) as entries:
                    found = [entry.name for entry in entries]
            except FileNotFoundError:
                found = ()
        else:
            selector = pafs.FileSelector(self.path, allow_not_found=True)
            found = [info.base_name for info in self.filesystem.get_file_info(selector)]
        return tuple(sorted(name for name in found if leftovers or not name.startswith(_TEMPORARY)))

    def links(self, deep: bool = False) -> tuple[str, ...]:
        """Return the names of the symbolic links directly inside, or of all below; none on an object store."""
        found, folders = set[str](), [self.path] if self.is_local else []
        while folders:
            with suppress(OSError), os.scandir(folders.pop()) as entries:
                for entry in entries:
                    if entry.is_symlink():
                        found.add(entry.name)
                    elif deep and entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
        return tuple(sorted(found))

    def read_bytes(self) -> bytes:
        with self.filesystem.open_input_stream(self.path) as stream:
            return bytes(stream.read())

    def read_text(self) -> str:
        return self.read_bytes().decode("utf-8")

    def write_bytes(self, data: bytes) -> None:
        with self.writing() as file:
            file.write(data)

    def write_text(self, text: str) -> None:
        self.write_bytes(text.encode("utf-8"))

    def make_directory(self) -> None:
        self.filesystem.create_dir(self.path, recursive=True)

    def delete(self) -> None:
        """Remove the file, or the directory with everything in it, if it exists."""
        kind = self.filesystem.get_file_info(self.path).type
        if kind == pafs.FileType.Directory:
            self.filesystem.delete_dir(self.path)
        elif kind == pafs.FileType.File:
            self.filesystem.delete_file(self.path)

    def delete_leftovers(self, name: str | None = None) -> None:
        """Remove the temporary files that a killed writer left directly inside; `name`: only those of that file."""
        for found in self.names(leftovers=True):
            if not found.startswith(_TEMPORARY):
                continue
            if name is None or found[len(_TEMPORARY) :].partition("-")[2] == name:
                self.filesystem.delete_file((self / found).path)

    @contextmanager
    def writing(self, lasting: bool = True) -> Iterator[IO[bytes]]:
        """Open a file to write; it gets its name only when the block ends without an error.

        Locally: temporary file in the same directory, fsync, rename, fsync of the directory. On an object store the
        temporary object is moved. A file that is not `lasting` is not synced: it outlives this process, however that
        dies, but not a power cut of the next half minute.
        """
        parent, _, name = self.path.rpartition("/")
        temporary = f"{parent}/{_TEMPORARY}{uuid.uuid4().hex}-{name}"
        self.filesystem.create_dir(parent or "/", recursive=True)
        try:
            if self.is_local:
                with Path(temporary).open("wb") as file:
                    yield file
                    file.flush()
                    if lasting:
                        os.fsync(file.fileno())
                Path(temporary).replace(self.path)
                if lasting:
                    _sync_directory(parent or "/")
            else:
                with self.filesystem.open_output_stream(temporary) as stream:
                    yield stream
                self.filesystem.move(temporary, self.path)
        except BaseException as error:  # an interrupt too leaves no temporary file
            if isinstance(error, OSError):
                self._name_in(error, temporary)
            if self.filesystem.get_file_info(temporary).type == pafs.FileType.File:
                self.filesystem.delete_file(temporary)
            raise

    def _name_in(self, error: OSError, temporary: str) -> None:
        """Put the file's name into an error of the system that has none: a full disk does not say what it is about."""
        is_plain = error.errno is not None and error.strerror == os.strerror(error.errno)
        if is_plain and error.filename in (None, temporary):
            error.filename = self.path


def open_place(uri: str | os.PathLike[str]) -> Place:
    """Return the place that a command-line argument names: a local path, or a URI."""
    text = os.fspath(uri)
    if not text.strip():
        raise UserError("an empty name is no place: name a file or a directory (is a variable of the shell not set?)")
    if re.match(r"[a-z][a-z0-9+.-]+://", text):
        try:
            filesystem, path = filesystem_of(text)
        except (OSError, ValueError, ImportError) as error:
            # Not chained: the library quotes the whole address, which may hold a key.
            why = without_secrets(str(error).replace(text, without_secrets(text)))
            raise UserError(f"cannot open {text.split('://')[0]}:// locations here: {why}") from None
        return Place(filesystem, path)
    try:
        return Place(pafs.LocalFileSystem(), str(Path(text).expanduser().absolute()))
    except RuntimeError as error:  # ~ of an unknown user
        raise UserError(f"cannot open {text}: {error}") from error


def _sync_directory(path: str) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
