"""Keeps the commits of blocks: the files that say that a block is finished, and with which hashes.

::

    000017.live-3.json                  the commit of block 17, written after all its files: 3 of its rows are live
    000017.clips-256.speakers-9.json    that of a bank
    sha256.txt                          in a directory of blocks cut from an input, in place of commits: a hash a line,
                                        written after all blocks

    from-010000/                        the same of blocks 10,000 to 19,999, and so on: no directory gets more entries

A commit contains the report, and `sha256`: the hash of each file of the block. The commit's name alone says what a
later run has to do, so that a job continues after one listing, however much is done.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, fields
from typing import Any

from manifests.errors import BlockDamaged, CorpusError
from manifests.storage import Place

HASHES = "sha256.txt"
FOLDER_BLOCKS = 10_000
"""Blocks whose files lie in one directory: at most three files each, and the folders of the others."""

_COMMIT = re.compile(r"(\d{6,})((?:\.[a-z]+-\d+)+)\.json")
_FOLDER = re.compile(r"from-\d{6,}")
_HASH_LENGTH = 64
_READERS = 16

# Names of commits by directory and block, so that a worker lists a directory once and not for each block.
_known: dict[tuple[str, str], dict[int, str]] = {}


def block_name(block: int) -> str:
    return f"{block:06d}"


def block_folder(directory: Place, block: int) -> Place:
    """Return where the files of a block lie: in `directory` itself, or in one of its folders."""
    first = block // FOLDER_BLOCKS * FOLDER_BLOCKS
    return directory / f"from-{first:06d}" if first else directory


def delete_block_leftovers(directory: Place) -> None:
    """Remove the temporary files that a killed writer left among the blocks."""
    for folder in _folders(directory, directory.names()):
        folder.delete_leftovers()
    directory.delete_leftovers()


def _folders(directory: Place, names: Iterable[str]) -> list[Place]:
    return [directory / name for name in names if _FOLDER.fullmatch(name)]


def commit(directory: Place, block: int, counts: Mapping[str, int], report: Any) -> None:
    """Write the report, after all other files of the block; `counts` become part of the file's name."""
    says = "".join(f".{name}-{count}" for name, count in counts.items())
    place = block_folder(directory, block) / f"{block_name(block)}{says}.json"
    values = {part.name: getattr(report, part.name) for part in fields(report)}
    place.write_text(json.dumps(values, sort_keys=True, default=asdict) + "\n")


def finished_blocks(directory: Place) -> dict[int, dict[str, int]]:
    """Return the counts in the commit's name of every finished block: one listing, without opening a file."""
    return {block: _counts(name) for block, name in commit_names(directory).items()}


def read_reports(directory: Place) -> list[dict[str, Any]]:
    """Read the reports in all commits; a commit that is broken is left out."""
    places = [block_folder(directory, block) / name for block, name in commit_names(directory).items()]
    with ThreadPoolExecutor(_READERS) as pool:
        return [report for report in pool.map(_report, places) if report is not None]


def read_report(directory: Place, block: int, commit_name: str) -> dict[str, Any]:
    """Read the report in a commit; raises BlockDamaged unless it is the block's, with hashes of its files."""
    report = _report(block_folder(directory, block) / commit_name) or {}
    says = {"block": block, **_counts(commit_name)}
    if not isinstance(report.get("sha256"), Mapping) or any(report.get(key) != says[key] for key in says):
        raise BlockDamaged(directory.name, block)
    return report


def remember(directory: Place, names: Mapping[int, str]) -> None:
    """Note the names of commits, so that this process needs no listing to read their blocks."""
    _known.setdefault((directory.filesystem.type_name, directory.path), {}).update(names)


def write_hashes(directory: Place, hashes: Sequence[str]) -> None:
    """Record the hashes of blocks 0, 1, ... of an input, which have no commits. Do it last."""
    (directory / HASHES).write_text("".join(f"{digest}\n" for digest in hashes))


def total_hash(hashes: Sequence[str]) -> str:
    """Return one hash for those of all blocks of an input."""
    return hashlib.sha256("".join(hashes).encode("ascii")).hexdigest()


def has_hashes(directory: Place) -> bool:
    return (directory / HASHES).exists()


def read_checked(directory: Place, block: int, name: str) -> bytes:
    """Read the file `name` of a finished block; raises BlockDamaged unless it is what its commit says.

    Raises CorpusError if the block was never finished.
    """
    written = _hash_of(directory, block, name)
    try:
        data = (block_folder(directory, block) / name).read_bytes()
    except FileNotFoundError as error:
        raise BlockDamaged(directory.name, block) from error
    if hashlib.sha256(data).hexdigest() != written:
        raise BlockDamaged(directory.name, block)
    return data


def delete_block(directory: Place, block: int) -> None:
    """Delete a block, its commit first, so that it is made again whenever the process dies."""
    own = [
        place for place in block_folder(directory, block).list() if place.name.partition(".")[0] == block_name(block)
    ]
    for place in sorted(own, key=lambda place: _COMMIT.fullmatch(place.name) is None):
        place.delete()


def _hash_of(directory: Place, block: int, name: str) -> str:
    key = (directory.filesystem.type_name, directory.path)
    if (commit_name := _known.get(key, {}).get(block)) and (block_folder(directory, block) / commit_name).exists():
        return _committed_hash(directory, block, commit_name, name)
    if has_hashes(directory):
        return _listed_hash(directory, block)
    _known[key] = commit_names(directory)
    if commit_name := _known[key].get(block):
        return _committed_hash(directory, block, commit_name, name)
    raise CorpusError(f"block {block} in {directory.name} is not finished: run the step before it to the end")


def _committed_hash(directory: Place, block: int, commit_name: str, name: str) -> str:
    return str(read_report(directory, block, commit_name)["sha256"].get(name))


def _listed_hash(directory: Place, block: int) -> str:
    """Read one line of the list; all lines have the same length."""
    place = directory / HASHES
    with place.filesystem.open_input_file(place.path) as file:
        file.seek(block * (_HASH_LENGTH + 1))
        return bytes(file.read(_HASH_LENGTH)).decode("ascii", "replace")


def commit_names(directory: Place) -> dict[int, str]:
    """Return the names of all commits, by block: one listing of each folder."""
    names = directory.names()
    found = [name for folder in _folders(directory, names) for name in folder.names()]
    matches = (_COMMIT.fullmatch(name) for name in (*names, *found) if name.endswith(".json"))
    return {int(match[1]): match[0] for match in matches if match}


def _counts(name: str) -> dict[str, int]:
    """Parse the name of a commit, such as "000017.live-3.json", into {"live": 3}."""
    pairs = (pair.split("-") for pair in name.split(".")[1:-1])
    return {name: int(count) for name, count in pairs}


def _report(place: Place) -> dict[str, Any] | None:
    try:
        report = json.loads(place.read_text())
    except (OSError, ValueError, RecursionError):
        return None
    return report if isinstance(report, dict) else None
