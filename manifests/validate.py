"""Checks a corpus against its manifest: everything but the audio, or with `deep` every byte of it too.

Memory does not grow with the audio; ids take 8 bytes a row, paths of clips 16 bytes a clip.
"""

import dataclasses
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat

import pyarrow as pa
from pyarrow import fs as pafs

from manifests.checks import audio_problems, file_problems, kept_problems, path_problems
from manifests.errors import CorpusError
from manifests.hashes import Hashes, hash64
from manifests.light_shards import index_rows, indexed_row
from manifests.manifest import (
    CHECKSUM_NAME,
    FINAL_STATUSES,
    MANIFEST_NAME,
    ClipFiles,
    Manifest,
    checksum_text,
    load_manifest,
    recipe_digest,
)
from manifests.parts import audio_parts
from manifests.schema import Dialogue
from manifests.shards import ShardInfo, read_shard, read_tables
from manifests.storage import Place
from manifests.tally import Tally, problem_of_end
from manifests.timeline_checks import timeline_problems
from manifests.token_reader import token_problems
from manifests.token_sets import size_and_hash
from manifests.track_checks import track_problems
from manifests.views import view_problems
from manifests.writer import CLIPS, METADATA_NAME, OWN_NAMES, SHARDS, shard_path

# A millionth line would not help the owner of a corpus that is wrong throughout.
_LISTED = 1000


@dataclass(frozen=True, slots=True)
class Problem:
    """Describes a problem. `where` is a file, relative to the corpus; `row` is a 0-based row of a shard."""

    where: str
    message: str
    row: int | None = None

    def __str__(self) -> str:
        return f"{self.where}{'' if self.row is None else f' row {self.row}'}: {self.message}"


@dataclass(frozen=True, slots=True)
class Report:
    """Holds the result: the first `problems`, the `total` number of them, and how many `rows` were read."""

    deep: bool
    rows: int
    total: int
    problems: tuple[Problem, ...]

    @property
    def ok(self) -> bool:
        return self.total == 0


def validate(place: Place, deep: bool = False, beside: Collection[str] = ()) -> Report:
    """Check the corpus directory `place`. Everything wrong with it becomes a problem in the report, never an error.

    `beside` names other files that may be in the directory.
    """
    return _Validation(place, deep, beside).report()


def check_files(place: Place, manifest: Manifest) -> None:
    """Raise CorpusError, which says what to do, unless the shards of a finished corpus have the manifest's sizes."""
    shards = [shard for infos in manifest.shards.values() for shard in infos]
    sizes = {shard.path: shard.bytes for shard in shards}
    if manifest.metadata is not None:
        sizes[METADATA_NAME] = manifest.metadata.bytes
    wrong = [path for path, size in sizes.items() if not _has_size(place / path, size)]
    if wrong:
        raise CorpusError(
            f"{place}: the finished corpus is damaged: {wrong[0]} is missing or has another size than {MANIFEST_NAME} "
            f"says ({len(wrong)} such files); delete {MANIFEST_NAME} and the same command writes the corpus again "
            "from its work directory, or see `parley corpus validate`"
        )


def _has_size(file: Place, size: int) -> bool:
    return file.is_file() and file.size() == size


class _Validation:
    def __init__(self, place: Place, deep: bool, beside: Collection[str]) -> None:
        self._place, self._deep, self._beside = place, deep, beside
        self._tally = Tally()
        self._rows = 0
        self._recipes: tuple[str, ...] = ()
        self._ids = Hashes()
        self._clips = Hashes()
        self._files = Hashes()

    def report(self) -> Report:
        listed: list[Problem] = []
        total = 0
        for problem in self._problems():
            total += 1
            if total <= _LISTED:
                listed.append(problem)
        return Report(self._deep, self._rows, total, tuple(listed))

    def _problems(self) -> Iterator[Problem]:
        try:
            manifest = load_manifest(self._place)
        except CorpusError as error:
            yield Problem(MANIFEST_NAME, str(error))
            return
        yield from self._checksum_problems()
        yield from _manifest_problems(manifest)
        yield from self._metadata_problems(manifest)
        yield from self._clip_problems(manifest.clips)
        self._recipes = (manifest.recipe.digest, *manifest.recipe.earlier)
        shards = [(status, shard) for status, infos in manifest.shards.items() for shard in _well_named(status, infos)]
        unread = sum(map(len, manifest.shards.values())) - len(shards)
        for status, shard in shards:
            try:
                yield from self._shard_problems(status, shard)
            except CorpusError as error:
                unread += 1
                yield Problem(shard.path, str(error))
        if not unread:
            yield from _count_problems(manifest, self._tally)
            kept = [shard for status, shard in shards if status == "kept"]
            yield from self._view_problems(kept)
            yield from self._token_problems(kept)
        yield from self._repeated_ids([shard for _, shard in shards])
        yield from self._stray_files({shard.path for _, shard in shards})

    def _checksum_problems(self) -> Iterator[Problem]:
        try:
            found = (self._place / CHECKSUM_NAME).read_bytes()
        except OSError:
            yield Problem(CHECKSUM_NAME, "the file is missing")
            return
        if found != checksum_text((self._place / MANIFEST_NAME).read_bytes()).encode():
            yield Problem(MANIFEST_NAME, f"the sha256 is not the one in {CHECKSUM_NAME}")

    def _metadata_problems(self, manifest: Manifest) -> Iterator[Problem]:
        file, expected = self._place / METADATA_NAME, manifest.metadata
        if expected is None:
            if file.exists():
                yield Problem(METADATA_NAME, "not in the manifest")
        elif not file.is_file():
            yield Problem(METADATA_NAME, "the file is missing")
        elif file.size() != expected.bytes:
            yield Problem(METADATA_NAME, f"{file.size()} bytes, but the manifest says {expected.bytes}")
        elif size_and_hash(file)[1] != expected.sha256:
            yield Problem(METADATA_NAME, "the sha256 is not the one in the manifest")

    def _clip_problems(self, expected: ClipFiles | None) -> Iterator[Problem]:
        """List the clips, and compare their number and their bytes with the manifest."""
        files = size = 0
        for path, bytes_ in _files_below(self._place, CLIPS):
            self._files.add(path)
            files, size = files + 1, size + bytes_
        if ClipFiles(files, size) != (expected or ClipFiles(0, 0)):
            says = f"{expected.files} files of {expected.bytes} bytes" if expected else "no such files"
            yield Problem(CLIPS, f"{files} files of {size} bytes, but the manifest says {says}")

    def _shard_problems(self, status: str, shard: ShardInfo) -> Iterator[Problem]:
        file = self._place / shard.path
        if file.is_file() and file.size() != shard.bytes:
            yield Problem(shard.path, f"{file.size()} bytes, but the manifest says {shard.bytes}")
        elif self._deep and file.is_file() and size_and_hash(file)[1] != shard.sha256:
            yield Problem(shard.path, "the sha256 is not the one in the manifest")
        row = -1
        index = index_rows(file) if self._deep else repeat(None)
        for (row, dialogue), indexed in zip(enumerate(_rows(file, self._deep)), index, strict=False):
            for message in self._row_problems(status, dialogue):
                yield Problem(shard.path, message, row)
            if indexed is not None and indexed != indexed_row(dialogue):
                yield Problem(shard.path, "the index of the shard has another row here", row)
        if row + 1 != shard.rows:
            yield Problem(shard.path, f"{row + 1} rows, but the manifest says {shard.rows}")

    def _row_problems(self, status: str, dialogue: Dialogue) -> Iterator[str]:
        self._rows += 1
        self._tally.add(dialogue)
        self._ids.add(dialogue.dialogue_id)
        problem = problem_of_end(dialogue.status, dialogue.reason)
        if problem is not None:
            yield problem
        elif dialogue.status != status:
            yield f"a row that is {dialogue.status}, in a shard of {status} rows"
        if dialogue.recipe not in self._recipes:
            yield f"the recipe is {dialogue.recipe}, which is not the one in the manifest"
        for _, audio in audio_parts(dialogue):
            if audio.path is not None:
                self._clips.add(audio.path)
        yield from path_problems(dialogue, self._files)
        if self._deep:
            yield from audio_problems(dialogue)
            yield from track_problems(dialogue)
            yield from file_problems(self._place, dialogue, self._files)
            yield from kept_problems(dialogue)
            yield from timeline_problems(dialogue)

    def _repeated_ids(self, shards: list[ShardInfo]) -> Iterator[Problem]:
        """Read the ids a second time, only if some id is repeated, to name its rows."""
        repeated = self._ids.repeated()
        if not repeated:
            return
        seen: set[str] = set()
        for shard in shards:
            try:
                for row, dialogue in enumerate(_rows(self._place / shard.path, False)):
                    if hash64(dialogue.dialogue_id) in repeated:
                        if dialogue.dialogue_id in seen:
                            yield Problem(shard.path, f"an earlier row has the same id {dialogue.dialogue_id}", row)
                        seen.add(dialogue.dialogue_id)
            except CorpusError:
                continue  # the first pass has reported this shard

    def _view_problems(self, kept: list[ShardInfo]) -> Iterator[Problem]:
        tables = (table for shard in kept for table in read_tables(self._place / shard.path, ["dialogue_id"]))
        ids = (chunk for table in tables for chunk in table["dialogue_id"].chunks)
        for where, message in view_problems(self._place, ids):
            yield Problem(where, message)

    def _token_problems(self, kept: list[ShardInfo]) -> Iterator[Problem]:
        for where, message in token_problems(self._place, kept, self._ids_of, self._deep):
            yield Problem(where, message)

    def _ids_of(self, shard: ShardInfo) -> pa.ChunkedArray:
        tables = read_tables(self._place / shard.path, ["dialogue_id"])
        return pa.chunked_array([chunk for table in tables for chunk in table["dialogue_id"].chunks], pa.string())

    def _stray_files(self, shards: set[str]) -> Iterator[Problem]:
        for name in _names(self._place):
            if name not in OWN_NAMES and name not in self._beside:
                yield Problem(name, "does not belong to the corpus")
        for name in _names(self._place / SHARDS):
            if f"{SHARDS}/{name}" not in shards:
                yield Problem(f"{SHARDS}/{name}", "not in the manifest")
        for path, _ in _files_below(self._place, CLIPS):
            if path not in self._clips:
                yield Problem(path, "does not belong to any row")


def _manifest_problems(manifest: Manifest) -> Iterator[Problem]:
    if recipe_digest(manifest.recipe.settings, manifest.seed) != manifest.recipe.digest:
        yield Problem(MANIFEST_NAME, "the recipe is not the one of its digest")
    for status, shards in manifest.shards.items():
        if status not in FINAL_STATUSES:
            yield Problem(MANIFEST_NAME, f"shards of the unknown status {status}")
        for shard in set(shards).difference(_well_named(status, shards)):
            yield Problem(MANIFEST_NAME, f"a shard of {status} rows has the wrong path {shard.path}")
    given = sum(source.rows for source in manifest.sources)
    if given != manifest.counts.input_rows:
        counted = " + ".join(f"{manifest.counts.rows.get(status, 0)} {status}" for status in FINAL_STATUSES)
        yield Problem(MANIFEST_NAME, f"{counted} rows are not the {given} of the sources")


def _well_named(status: str, shards: Sequence[ShardInfo]) -> list[ShardInfo]:
    """Return the shards whose path matches their position. The others are not opened: a path may point anywhere."""
    return [shard for number, shard in enumerate(shards) if shard.path == shard_path(status, number)]


def _count_problems(manifest: Manifest, tally: Tally) -> Iterator[Problem]:
    says, found = dataclasses.asdict(manifest.counts), dataclasses.asdict(tally.counts())
    for name in says:
        if says[name] != found[name]:
            yield Problem(MANIFEST_NAME, f"counts.{name} is {says[name]}, but the shards hold {found[name]}")


def _rows(file: Place, audio: bool) -> Iterator[Dialogue]:
    for group in read_shard(file, audio):
        yield from group


def _names(place: Place) -> list[str]:
    """List everything directly inside, including the leftovers of killed writers."""
    selector = pafs.FileSelector(place.path, allow_not_found=True)
    return sorted(info.base_name for info in place.filesystem.get_file_info(selector))


def _files_below(place: Place, name: str) -> Iterator[tuple[str, int]]:
    """Yield path, relative to `place`, and bytes of the files below a directory, one directory in memory at a time."""
    selector = pafs.FileSelector((place / name).path, allow_not_found=True)
    for info in sorted(place.filesystem.get_file_info(selector), key=lambda info: str(info.path)):
        inner = f"{name}/{info.base_name}"
        if info.type == pafs.FileType.Directory:
            yield from _files_below(place, inner)
        else:
            yield inner, int(info.size or 0)
