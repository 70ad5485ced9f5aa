"""Checks one shard of a corpus, or one directory of its clips, in whatever process; `validate` joins what was found.

A shard is first checked as if every clip that it names were there: it returns their hashes, 8 bytes a clip, which
`validate` compares with the files. Only a shard that names a missing clip is then checked again, with all files known.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat

import numpy as np
import numpy.typing as npt
from pyarrow import fs as pafs

from manifests.checks import audio_problems, expected_paths, file_problems, kept_problems, path_problems
from manifests.errors import CorpusError
from manifests.hashes import Everything, Hashes
from manifests.light_shards import index_rows, indexed_row
from manifests.manifest import Counts
from manifests.parts import audio_parts
from manifests.schema import Dialogue
from manifests.shards import ShardInfo, read_shard
from manifests.storage import Place
from manifests.tally import Tally, problem_of_end
from manifests.timeline_checks import timeline_problems
from manifests.token_sets import size_and_hash
from manifests.track_checks import track_problems

LISTED = 1000
"""A millionth line would not help the owner of a corpus that is wrong throughout."""

Hashed = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Problem:
    """Describes a problem. `where` is a file, relative to the corpus; `row` is a 0-based row of a shard."""

    where: str
    message: str
    row: int | None = None

    def __str__(self) -> str:
        return f"{self.where}{'' if self.row is None else f' row {self.row}'}: {self.message}"


@dataclass(frozen=True)
class ShardCheck:
    """Tells a worker which shard to check. `recipes` are the digests that a row may have.

    `files` are the hashes of the paths of all clips; None: as if all were there.
    """

    place: Place
    status: str
    shard: ShardInfo
    recipes: tuple[str, ...]
    deep: bool
    files: Hashed | None = None


@dataclass(frozen=True)
class ShardFindings:
    """Holds the first `problems` of a shard, the `total` number of them, and what the rows were.

    `ids` are the hashes of the rows' ids, `clips` those of the paths that they name, `expected` of those among these
    that are the ones which a row gives its clips. `is_read`: no damage kept rows from being read.
    """

    problems: tuple[Problem, ...]
    total: int
    rows: int
    counts: Counts
    ids: Hashed
    clips: Hashed
    expected: Hashed
    is_read: bool


@dataclass(frozen=True)
class FilesBelow:
    """Holds the number of files below a directory, their bytes, and the hashes of their paths in the corpus."""

    number: int
    bytes: int
    hashes: Hashed


def check_shard(check: ShardCheck) -> ShardFindings:
    """Check a shard, row by row."""
    return _Check(check).findings()


def files_below(place: Place, name: str) -> Iterator[tuple[str, int]]:
    """Yield path, relative to `place`, and bytes of the files below a directory, one directory in memory at a time."""
    selector = pafs.FileSelector((place / name).path, allow_not_found=True)
    for info in sorted(place.filesystem.get_file_info(selector), key=lambda info: str(info.path)):
        inner = f"{name}/{info.base_name}"
        if info.type == pafs.FileType.Directory:
            yield from files_below(place, inner)
        else:
            yield inner, int(info.size or 0)


def count_files(directory: tuple[Place, str]) -> FilesBelow:
    """Count the files below a directory of the corpus: (corpus, the directory's path in it)."""
    return _counted(files_below(*directory))


def count_named(place: Place, paths: Sequence[str]) -> FilesBelow:
    """Count the files with these paths in the corpus."""
    return _counted((path, (place / path).size()) for path in paths)


def _counted(files: Iterable[tuple[str, int]]) -> FilesBelow:
    hashes, size = Hashes(), 0
    for path, bytes_ in files:
        hashes.add(path)
        size += bytes_
    found = hashes.array()
    return FilesBelow(len(found), size, found)


class _Check:
    def __init__(self, check: ShardCheck) -> None:
        self._place, self._deep, self._check = check.place, check.deep, check
        self._files = Everything() if check.files is None else Hashes(check.files)
        self._tally = Tally()
        self._ids, self._clips, self._expected = Hashes(), Hashes(), Hashes()

    def findings(self) -> ShardFindings:
        shard, is_read, problems = self._check.shard, True, list[Problem]()
        total = 0
        try:
            for problem in self._problems():
                total += 1
                problems += [problem] if total <= LISTED else []
        except CorpusError as error:
            is_read, total = False, total + 1
            problems.append(Problem(shard.path, str(error)))
        hashes = (self._ids.array(), self._clips.array(), self._expected.array())
        return ShardFindings(tuple(problems), total, len(hashes[0]), self._tally.counts(), *hashes, is_read)

    def _problems(self) -> Iterator[Problem]:
        shard, file = self._check.shard, self._place / self._check.shard.path
        if file.is_file() and file.size() != shard.bytes:
            yield Problem(shard.path, f"{file.size()} bytes, but the manifest says {shard.bytes}")
        elif self._deep and file.is_file() and size_and_hash(file)[1] != shard.sha256:
            yield Problem(shard.path, "the sha256 is not the one in the manifest")
        row = -1
        index = index_rows(file) if self._deep else repeat(None)
        for (row, dialogue), indexed in zip(enumerate(rows_of(file, self._deep)), index, strict=False):
            for message in self._row_problems(dialogue):
                yield Problem(shard.path, message, row)
            if indexed is not None and indexed != indexed_row(dialogue):
                yield Problem(shard.path, "the index of the shard has another row here", row)
        if row + 1 != shard.rows:
            yield Problem(shard.path, f"{row + 1} rows, but the manifest says {shard.rows}")

    def _row_problems(self, dialogue: Dialogue) -> Iterator[str]:
        self._tally.add(dialogue)
        self._ids.add(dialogue.dialogue_id)
        problem = problem_of_end(dialogue.status, dialogue.reason)
        if problem is not None:
            yield problem
        elif dialogue.status != self._check.status:
            yield f"a row that is {dialogue.status}, in a shard of {self._check.status} rows"
        if dialogue.recipe not in self._check.recipes:
            yield f"the recipe is {dialogue.recipe}, which is not the one in the manifest"
        for _, audio in audio_parts(dialogue):
            if audio.path is not None:
                self._clips.add(audio.path)
        for path in expected_paths(dialogue):
            self._expected.add(path)
        yield from path_problems(dialogue, self._files)
        if self._deep:
            yield from audio_problems(dialogue)
            yield from track_problems(dialogue)
            yield from file_problems(self._place, dialogue, self._files)
            yield from kept_problems(dialogue)
            yield from timeline_problems(dialogue)


def rows_of(file: Place, audio: bool) -> Iterator[Dialogue]:
    """Yield the rows of a shard, with one row group in memory."""
    for group in read_shard(file, audio):
        yield from group
