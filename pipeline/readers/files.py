"""Find the files of one input: a file, a stream, a pattern, or the directory of a data set."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import takewhile

from pyarrow import fs as pafs

from manifests.errors import InputError, UserError
from manifests.storage import Place, open_place
from pipeline.readers.splits import choose_split
from pipeline.readers.stream import copy_of_stream
from pipeline.readers.text_stream import find_file

_DATA = re.compile(r"\.(jsonl?|ndjson|parquet)(\.(gz|zst|bz2|xz))?$", re.IGNORECASE)
_ENDING = re.compile(r"(\.(jsonl?|ndjson|parquet|gz|zst|bz2|xz))+$", re.IGNORECASE)
# What lies beside the data in a folder of the Hugging Face hub, or of a git repository.
_BESIDE = re.compile(
    r"(\.|_SUCCESS$|(readme|licen[cs]e)(\.|$)|dataset_infos?\.json$|dataset_dict\.json$|state\.json$|.*\.(md|py|ya?ml)$)",
    re.IGNORECASE,
)
_WILD = re.compile(r"[*?\[]")
_PLAIN_FOLDERS = {"data", "default", "main", "parquet", "json", "jsonl", "train", "plain_text"}
"""Folders that say nothing of the data set in them: it is named after the one above."""


@dataclass(frozen=True)
class FoundFiles:
    """Holds the files of one input, with their names in the data set, and the name that the input gives this."""

    dataset: str
    files: tuple[tuple[str, Place], ...]


def find_files(word: str, tell: Callable[[str], None]) -> FoundFiles:
    """Find what a word on the command line names; files stand in the order of their names.

    `tell` gets a sentence about files that are left out, and about streams. Raises InputError.
    """
    if not word.strip():
        raise InputError("an --input is empty: name a file, a folder or a pattern")
    if copy := copy_of_stream(word, tell):
        return FoundFiles("stdin" if copy.shown == "standard input" else "pipe", (("", copy),))
    if _is_pattern(word):
        folder, pattern = _cut_pattern(word)
        place = open_place(folder)
        return FoundFiles(folder_name(place), _matching(word, place, pattern))
    place = open_place(word)
    if _kind(place, word) == pafs.FileType.Directory:
        return FoundFiles(folder_name(place), _of_folder(word, place, tell))
    return FoundFiles(file_name(place), ((place.name, find_file(word)),))


def file_name(place: Place) -> str:
    """Return the file's name, without its endings, as the name of a data set."""
    return _word(_ENDING.sub("", place.name))


def folder_name(place: Place) -> str:
    """Return the name of the data set in a folder; that of the hub's cache (datasets--OWNER--NAME) becomes NAME.

    It is never that of a home, since the corpus would tell whose it is.
    """
    parts = [part for part in place.path.split("/") if part]
    if "snapshots" in parts and (owner := parts[parts.index("snapshots") - 1]).startswith("datasets--"):
        return _word(owner.rsplit("--", 1)[-1])
    telling = [at for at, part in enumerate(parts) if part.lower() not in _PLAIN_FOLDERS]
    if telling and parts[: telling[-1]] not in (["home"], ["Users"]):
        return _word(parts[telling[-1]])
    return _word(parts[-1]) if parts and telling[-1:] != [len(parts) - 1] else "input"


def common_folder(words: Sequence[str]) -> str:
    """Return the name of the data set in the files that a shell made of a pattern."""
    paths = [open_place(word).path.split("/")[:-1] for word in words]
    common = takewhile(lambda parts: len(set(parts)) == 1, zip(*paths, strict=False))
    return folder_name(Place(None, "/".join(parts[0] for parts in common)))


def _word(name: str) -> str:
    """Return `name` as a word that is safe anywhere: letters, digits, - and _."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-_")[:40] or "input"


def _is_pattern(word: str) -> bool:
    """Whether `word` has wildcards and is not the name of a file that has them in its name."""
    if not _WILD.search(_cut_query(word)[0]):
        return False
    try:
        return not open_place(word).exists()
    except (UserError, OSError, ValueError):
        return True


def _cut_query(word: str) -> tuple[str, str]:
    """Cut the options of a URI ("?region=...") from `word`."""
    head, mark, options = word.partition("?") if "://" in word else (word, "", "")
    return head, mark + options


def _cut_pattern(word: str) -> tuple[str, list[str]]:
    """Return the folder above the first wildcard, and the parts of the pattern below it."""
    path, options = _cut_query(word)
    parts = path.split("/")
    wild = next(index for index, part in enumerate(parts) if _WILD.search(part))
    folder = "/".join(parts[:wild]) or ("/" if wild else ".")
    return folder + options, [part for part in parts[wild:] if part]


def _matching(word: str, base: Place, pattern: Sequence[str]) -> tuple[tuple[str, Place], ...]:
    try:
        found = dict(_glob(base, "", pattern))
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read {word}: {error}") from error
    files = tuple((name, found[name]) for name in sorted(found) if not _BESIDE.match(found[name].name))
    if not files:
        raise InputError(f"no file matches {word}" + (f" but {min(found)}, which holds no rows" if found else ""))
    return files


def _glob(folder: Place, above: str, pattern: Sequence[str]) -> Iterator[tuple[str, Place]]:
    """Yield the files below `folder` that match, with their names; `**` stands for any number of folders."""
    first, *rest = pattern
    if first == "**" and rest:
        yield from _glob(folder, above, rest)
    for info in folder.filesystem.get_file_info(pafs.FileSelector(folder.path, allow_not_found=True)):
        place, name = Place(folder.filesystem, info.path), f"{above}{info.base_name}"
        if info.base_name.startswith(".") and not first.startswith("."):
            continue
        if info.type == pafs.FileType.Directory and first == "**":
            yield from _glob(place, f"{name}/", pattern)
        elif info.type == pafs.FileType.Directory and rest and fnmatchcase(info.base_name, first):
            yield from _glob(place, f"{name}/", rest)
        elif info.type == pafs.FileType.File and not rest and (first == "**" or fnmatchcase(info.base_name, first)):
            yield name, place


def _of_folder(word: str, base: Place, tell: Callable[[str], None]) -> tuple[tuple[str, Place], ...]:
    found = [(name, place) for name, place in _walk(base, word) if not _is_hidden(name)]
    files = {name: place for name, place in found if _DATA.search(name) and not _BESIDE.match(place.name)}
    if not files:
        arrow = any(name.endswith(".arrow") for name, _ in found)
        hint = "Arrow files only: write them as Parquet (`to_parquet`)" if arrow else "no JSON or Parquet files"
        raise InputError(f"{word} holds {hint}")
    if len({".parquet" in place.name.lower() for place in files.values()}) > 1:
        pattern = f"{word.rstrip('/')}/**/*.parquet"
        raise InputError(f"{word} holds JSON and Parquet files: name those to read by a pattern, such as '{pattern}'")
    if others := [name for name, place in found if name not in files and not _BESIDE.match(place.name)]:
        shown = ", ".join([*others[:5], "..."] if len(others) > 5 else others)
        tell(f"{word}: left out, since by their names they are no JSON or Parquet: {shown}")
    chosen, left_out = choose_split(word, list(files))
    if left_out:
        tell(f"{word}: {len(chosen)} files are read; left out: {left_out}")
    return tuple((name, files[name]) for name in chosen)


def _is_hidden(name: str) -> bool:
    return any(part.startswith(".") for part in name.split("/"))


def _walk(base: Place, word: str) -> Iterator[tuple[str, Place]]:
    """Yield the files below `base`, with their names relative to it, in the order of these."""
    try:
        infos = base.filesystem.get_file_info(pafs.FileSelector(base.path, recursive=True, allow_not_found=True))
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read {word}: {error}") from error
    root = len(base.path.rstrip("/")) + 1
    names = {info.path[root:]: info.path for info in infos if info.type == pafs.FileType.File}
    for name in sorted(names):
        yield name, Place(base.filesystem, names[name])


def _kind(place: Place, word: str) -> pafs.FileType:
    try:
        return place.filesystem.get_file_info(place.path).type
    except (OSError, ValueError, RuntimeError) as error:
        raise InputError(f"cannot read {word}: {error}") from error
