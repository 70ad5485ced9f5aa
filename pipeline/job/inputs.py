"""Opens the inputs of a job: which files they are, of which data set and format."""

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from manifests.errors import InputError
from manifests.storage import Place
from pipeline.job.names import check_names
from pipeline.readers.detect import NoRows, widest
from pipeline.readers.files import FoundFiles, find_files
from pipeline.readers.read import detect_format

_EDGE_BYTES = 1 << 20

Tell = Callable[[str], None]


@dataclass(frozen=True)
class InputFile:
    """Describes one input file. `dataset` names the data set in ids and sources; the corpus contains no path.

    `name` tells the files of one data set apart; it is empty if there is only one.
    """

    place: Place
    dataset: str
    format: str
    license: str | None = None
    name: str = ""

    def identity(self) -> dict[str, Any]:
        """Return what identifies the file: names, format, size and the hash of its first and last MiB."""
        return {
            "dataset": self.dataset,
            **({"file": self.name} if self.name else {}),
            "format": self.format,
            "license": self.license,
            "bytes": self.place.size(),
            "edges_sha256": _edge_hash(self.place),
        }

    def row(self, row: str) -> str:
        """Return the name of one of the file's rows in its data set."""
        return f"{self.name}:{row}" if self.name else row


def open_inputs(
    words: Sequence[str],
    format: str | None = None,
    dataset: str | None = None,
    license: str | None = None,
    tell: Tell = lambda sentence: None,
) -> list[InputFile]:
    """Open the files that `words` name: files, streams, patterns, folders; detect the formats if `format` is None.

    Each word is a data set, unless `dataset` makes one of them all. `tell` is called with sentences for the user.
    Raises InputError.
    """
    check_names(dataset, license)
    found = [find_files(word, tell) for word in words]
    if dataset:
        found = [FoundFiles(dataset, tuple(file for one in found for file in one.files))]
    names = Counter(one.dataset for one in found)
    if twice := [name for name, count in names.items() if count > 1]:
        raise InputError(
            f"two inputs would both be data set {min(twice)}: rename one, run them separately, or make them one with "
            "--dataset"
        )
    return [file for one in found for file in _open_dataset(one, format, license, tell)]


def _open_dataset(found: FoundFiles, format: str | None, license: str | None, tell: Tell) -> list[InputFile]:
    _refuse_repetitions(found)
    formats: dict[str, str] = {}  # of each file that holds rows, by its path
    for _, place in found.files:
        try:
            formats[place.path] = format or detect_format(place)
        except NoRows:
            if len(found.files) == 1:
                raise
            tell(f"{place} holds no rows and is left out")
    if not formats:
        raise InputError(f"no file of data set {found.dataset} holds a row")
    common = format or _common_format(found, formats)
    names = _names(found) if len(found.files) > 1 else [""]
    return [
        InputFile(place, found.dataset, common, license, name)
        for name, (_, place) in zip(names, found.files, strict=True)
        if place.path in formats
    ]


def _common_format(found: FoundFiles, formats: dict[str, str]) -> str:
    """Return the one format that reads the rows of all files."""
    needed = widest(formats.values())
    if len(needed) > 1:
        example = {format: path for path, format in reversed(formats.items())}
        named = ", ".join(f"{example[name]} is {name}" for name in sorted(needed))
        raise InputError(f"the files of data set {found.dataset} have several formats: {named}; run them separately")
    return needed.pop()


def _refuse_repetitions(found: FoundFiles) -> None:
    paths = Counter(place.path for _, place in found.files)
    if twice := [path for path, count in paths.items() if count > 1]:
        raise InputError(f"{twice[0]} is named twice in data set {found.dataset}")


def _names(found: FoundFiles) -> list[str]:
    """Return the names of the files in their data set: bare names, if these tell the files apart.

    Otherwise the folders below the one that was named come before them, and of those with still one name, the later
    ones get a number.
    """
    bare = [name.rpartition("/")[2] or found.dataset for name, _ in found.files]
    wanted = bare if len(set(bare)) == len(bare) else [name or found.dataset for name, _ in found.files]
    seen: Counter[str] = Counter()
    names = []
    for name in wanted:
        seen[name] += 1
        names.append(name if seen[name] == 1 else f"{name}({seen[name]})")
    return names


def _edge_hash(place: Place) -> str:
    with place.filesystem.open_input_file(place.path) as file:
        head = file.read(_EDGE_BYTES)
        file.seek(max(0, file.size() - _EDGE_BYTES))
        return hashlib.sha256(head + file.read(_EDGE_BYTES)).hexdigest()
