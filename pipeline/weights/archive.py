"""Packs models into one tar file, for machines without a network: unpacked into a cache, it is the cache."""

import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path

from manifests.errors import UserError
from pipeline.weights.cache import file_problems, model_directory
from pipeline.weights.table import ModelEntry

_PARTIAL = ".part"


def pack(
    models: Mapping[str, ModelEntry],
    cache: Path,
    out: Path,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> int:
    """Write `models/NAME-DIGEST/...` of each model to a tar file, and return its bytes. The file appears whole.

    The same models give the same bytes. Raises UserError for a model that is missing or spoilt.
    """
    if out.exists():
        raise UserError(f"{out.name} exists already: remove it, or give --out another name")
    total, done = 2 * sum(entry.size for entry in models.values()), 0

    def seen(size: int) -> None:
        nonlocal done
        done += size
        progress(done, total)

    for name, entry in models.items():
        if problems := file_problems(model_directory(cache, name, entry), entry, seen):
            raise UserError(f"{name}: {problems[0].path} is {_words(problems[0].what)}: `parley models fetch {name}`")
    part = out.with_name(f"{out.name}{_PARTIAL}")
    try:
        with tarfile.open(part, "w", format=tarfile.PAX_FORMAT) as archive:
            for name, entry in sorted(models.items()):
                directory = model_directory(cache, name, entry)
                for path in sorted(entry.files):
                    archive.add(directory / path, f"models/{directory.name}/{path}", filter=_nobody)
                    seen(entry.files[path].size)
        part.replace(out)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise UserError(f"{out.name} cannot be written: {error.strerror or error}") from error
    return out.stat().st_size


def _nobody(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Take out what differs from machine to machine."""
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mtime, member.mode = 0, 0o644
    return member


def _words(what: str) -> str:
    return "missing" if what == "missing" else f"not what the table says ({what})"
