"""Checks a corpus against its manifest: everything but the audio, or with `deep` every byte of it too.

Memory does not grow with the audio; ids take 8 bytes a row, paths of clips 16 bytes a clip.
"""

import dataclasses
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa
from pyarrow import fs as pafs

from manifests.errors import CorpusError
from manifests.hashes import Hashes, hash64
from manifests.manifest import (
    CHECKSUM_NAME,
    FINAL_STATUSES,
    MANIFEST_NAME,
    ClipFiles,
    Counts,
    Manifest,
    checksum_text,
    load_manifest,
    recipe_digest,
    sum_counts,
)
from manifests.shard_checks import (
    LISTED,
    FilesBelow,
    Problem,
    ShardCheck,
    ShardFindings,
    check_shard,
    count_files,
    count_named,
    files_below,
    rows_of,
)
from manifests.shards import ShardInfo, read_tables
from manifests.spread import Spread, one_by_one
from manifests.storage import Place
from manifests.tally import Tally
from manifests.token_reader import token_problems
from manifests.token_sets import size_and_hash
from manifests.views import view_problems
from manifests.writer import CLIPS, METADATA_NAME, OWN_NAMES, SHARDS, shard_path

__all__ = ["Problem", "Report", "check_files", "validate"]


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


def validate(place: Place, deep: bool = False, beside: Collection[str] = (), spread: Spread = one_by_one) -> Report:
    """Check the corpus directory `place`. Everything wrong with it becomes a problem in the report, never an error.

    `beside` names other files that may be in the directory. `spread` does the work, shard by shard.
    """
    return _Validation(place, deep, beside, spread).report()


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
    def __init__(self, place: Place, deep: bool, beside: Collection[str], spread: Spread) -> None:
        self._place, self._deep, self._beside, self._spread = place, deep, beside, spread
        self._counts = Tally().counts()
        self._rows = self._total = 0
        self._listed: list[Problem] = []
        self._ids = Hashes()
        self._clips = Hashes()
        self._files = Hashes()

    def report(self) -> Report:
        self._check()
        return Report(self._deep, self._rows, self._total, tuple(self._listed))

    def _add(self, problems: Iterator[Problem]) -> None:
        """Count the problems, and list those that are among the first."""
        for problem in problems:
            self._total += 1
            if len(self._listed) < LISTED:
                self._listed.append(problem)

    def _check(self) -> None:
        try:
            manifest = load_manifest(self._place)
        except CorpusError as error:
            self._add(iter([Problem(MANIFEST_NAME, str(error))]))
            return
        self._add(self._checksum_problems())
        self._add(_manifest_problems(manifest))
        self._add(self._metadata_problems(manifest))
        self._add(self._clip_problems(manifest.clips))
        shards = [(status, shard) for status, infos in manifest.shards.items() for shard in _well_named(status, infos)]
        is_read = len(shards) == sum(map(len, manifest.shards.values()))
        recipes = (manifest.recipe.digest, *manifest.recipe.earlier)
        is_read &= self._check_shards([ShardCheck(self._place, *each, recipes, self._deep) for each in shards])
        if is_read:
            self._add(_count_problems(manifest, self._counts))
            kept = [shard for status, shard in shards if status == "kept"]
            self._add(self._view_problems(kept))
            self._add(self._token_problems(kept))
        self._add(self._repeated_ids([shard for _, shard in shards]))
        self._add(self._stray_files({shard.path for _, shard in shards}))

    def _check_shards(self, checks: Sequence[ShardCheck]) -> bool:
        """Check the shards; return whether all rows could be read."""
        is_read = True
        for check, found in zip(checks, self._spread(check_shard, checks), strict=True):
            if self._files.lacks(found.expected):  # now with the files, to name the rows whose clips are missing
                found = check_shard(dataclasses.replace(check, files=self._files.array()))
            self._add_shard(found)
            is_read &= found.is_read
        return is_read

    def _add_shard(self, found: ShardFindings) -> None:
        self._add(iter(found.problems))
        self._total += found.total - len(found.problems)
        self._rows += found.rows
        self._counts = sum_counts((self._counts, found.counts))
        self._ids.add_hashes(found.ids)
        self._clips.add_hashes(found.clips)

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
        for found in self._listed_clips():
            self._files.add_hashes(found.hashes)
            files, size = files + found.number, size + found.bytes
        if ClipFiles(files, size) != (expected or ClipFiles(0, 0)):
            says = f"{expected.files} files of {expected.bytes} bytes" if expected else "no such files"
            yield Problem(CLIPS, f"{files} files of {size} bytes, but the manifest says {says}")

    def _listed_clips(self) -> Iterator[FilesBelow]:
        """Count the files below each directory of clips; those of one status lie in 256 directories."""
        folders = [CLIPS]
        for _ in range(2):
            inner = [(f"{folder}/{name}", kind) for folder in folders for name, kind in _kinds(self._place / folder)]
            yield count_named(self._place, [path for path, kind in inner if kind != pafs.FileType.Directory])
            folders = [path for path, kind in inner if kind == pafs.FileType.Directory]
        yield from self._spread(count_files, [(self._place, folder) for folder in folders])

    def _repeated_ids(self, shards: list[ShardInfo]) -> Iterator[Problem]:
        """Read the ids a second time, only if some id is repeated, to name its rows."""
        repeated = self._ids.repeated()
        if not repeated:
            return
        seen: set[str] = set()
        for shard in shards:
            try:
                for row, dialogue in enumerate(rows_of(self._place / shard.path, False)):
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
        if self._clips.lacks(self._files.array()):
            for path, _ in files_below(self._place, CLIPS):
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


def _count_problems(manifest: Manifest, counts: Counts) -> Iterator[Problem]:
    says, found = dataclasses.asdict(manifest.counts), dataclasses.asdict(counts)
    for name in says:
        if says[name] != found[name]:
            yield Problem(MANIFEST_NAME, f"counts.{name} is {says[name]}, but the shards hold {found[name]}")


def _names(place: Place) -> list[str]:
    """List everything directly inside, including the leftovers of killed writers."""
    return sorted(name for name, _ in _kinds(place))


def _kinds(place: Place) -> Iterator[tuple[str, pafs.FileType]]:
    """Yield names and kinds of everything directly inside."""
    selector = pafs.FileSelector(place.path, allow_not_found=True)
    return ((info.base_name, info.type) for info in place.filesystem.get_file_info(selector))
