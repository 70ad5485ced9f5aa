"""The cache of models: `models/NAME-DIGEST/` in `--cache`, PARLEY_CACHE, or the user's cache directory.

A directory appears only when it is whole, and its name holds the digest of its files' hashes, so an entry that
changed is another directory. Whoever loads a model hashes its files first, in every process: a cache may be shared,
copied or unpacked from an archive, and reading a file costs more than hashing it.
"""

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from manifests.errors import EngineUnavailable
from pipeline.settings import public_name
from pipeline.weights.table import ModelEntry, ModelFile, load_table

CACHE = "PARLEY_CACHE"
"""Environment variable that names the cache: a directory that the nodes of a cluster share, for example."""

_DIGITS = 12
_CHUNK = 1 << 20


def cache_directory(chosen: str | None = None) -> Path:
    """Return the directory that holds the models; it need not exist."""
    if named := chosen or os.environ.get(CACHE):
        return Path(named).expanduser() / "models"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "parley" / "models"


def model_directory(cache: Path, name: str, entry: ModelEntry) -> Path:
    return cache / f"{name}-{entry.digest[:_DIGITS]}"


@dataclass(frozen=True, slots=True)
class FileProblem:
    """Says what is wrong with a file of a model: "missing", "size", "sha256" or "unreadable"."""

    path: str
    what: str


def file_problems(
    directory: Path, entry: ModelEntry, seen: Callable[[int], None] = lambda size: None
) -> list[FileProblem]:
    """Hash all files of a model; `seen` is told the bytes as they are read."""
    found = [(path, _problem(directory / path, file, seen)) for path, file in entry.files.items()]
    return [FileProblem(path, what) for path, what in found if what]


def sha256_of(path: Path, seen: Callable[[int], None] = lambda size: None) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
            seen(len(chunk))
    return digest.hexdigest()


def label(model: str, revision: str | None, engine: str) -> str:
    """Return a model's name and revision, as in every row's provenance: of the table's models, the digest of the files
    in place of a revision.

    Raises EngineUnavailable where a model of the table is not in the cache, so that a job ends before it begins.
    """
    entry = load_table().get(model)
    if entry is None:
        return f"{public_name(model)}@{revision or 'unpinned'}"
    _present(model, entry, cache_directory(), engine)
    return f"{model}@{entry.digest[:_DIGITS]}"


def locate(model: str, engine: str) -> str:
    """Return the directory of a model of the table, with all files checked; any other name as it is.

    Raises EngineUnavailable, with what to do, where the model is not in the cache or a file is not what it should be.
    """
    entry = load_table().get(model)
    return model if entry is None else str(_checked(model, entry.digest, cache_directory(), engine))


@cache
def _checked(name: str, digest: str, cache: Path, engine: str) -> Path:
    """Find and check a model once in a process. `digest` keeps a changed table from using an earlier answer."""
    entry = load_table()[name]
    directory = _present(name, entry, cache, engine)
    if problems := file_problems(directory, entry):
        first = problems[0]
        raise EngineUnavailable(
            f"{engine}: {first.path} of the model {name} is not what the table says ({first.what}), so it was not "
            f"loaded: bring it again with `parley models fetch {name}`"
        )
    return directory


def _present(name: str, entry: ModelEntry, cache: Path, engine: str) -> Path:
    directory = model_directory(cache, name, entry)
    if not directory.is_dir():
        raise EngineUnavailable(
            f"{engine} needs the model {name}, which is not in the cache: bring it with `parley models fetch {name}`, "
            f"or, without a network, unpack what `parley models pack {name}` made elsewhere and name it in {CACHE}"
        )
    return directory


def _problem(path: Path, file: ModelFile, seen: Callable[[int], None]) -> str | None:
    try:
        if not path.is_file():
            return "missing"
        if path.stat().st_size != file.size:
            return "size"
        return None if sha256_of(path, seen) == file.sha256 else "sha256"
    except OSError:
        return "unreadable"
