"""Writes a corpus: splits dialogues into shards of bounded size and counts what the manifest needs."""

import re
from collections.abc import Collection
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from manifests.errors import LawBroken, ResumeRefused
from manifests.manifest import CHECKSUM_NAME, MANIFEST_NAME, ClipFiles, Counts
from manifests.parts import audio_parts
from manifests.schema import Dialogue
from manifests.shards import ShardInfo, ShardWriter, estimated_bytes, open_shard
from manifests.storage import Place
from manifests.tally import Tally, problem_of_end
from manifests.token_sets import TOKENS
from manifests.views import VIEWS

SHARDS = "shards"
CLIPS = "audio"
METADATA_NAME = "metadata.json"
OWN_NAMES = frozenset({SHARDS, CLIPS, METADATA_NAME, CHECKSUM_NAME, MANIFEST_NAME, VIEWS, TOKENS})

_SHARD_NAME = re.compile(r"(kept|rejected|failed)-\d{5,}\.parquet")

# 256 MiB are some four hours of 16 kHz FLAC speech (about 18 kB a second), and quick to copy.
SHARD_BYTES = 256 * 2**20
SHARD_ROWS = 50_000


@dataclass(frozen=True, slots=True)
class ShardLimits:
    """Says when a shard is closed: with `max_bytes`, as `estimated_bytes` counts them, or `max_rows`.

    The estimate decides, not the size of the file: so where shards begin and end is known before any is written, and
    several processes can write them.
    """

    max_bytes: int = SHARD_BYTES
    max_rows: int = SHARD_ROWS

    def are_reached(self, size: int, rows: int) -> bool:
        return size >= self.max_bytes or rows >= self.max_rows


@dataclass(frozen=True, slots=True)
class Packed:
    """Describes what was written; the fields are those of the same names in `Manifest`.

    `recipes` are the different digests in the rows, sorted.
    """

    shards: dict[str, tuple[ShardInfo, ...]]
    counts: Counts
    clips: ClipFiles | None = None
    recipes: tuple[str, ...] = ()


class CorpusWriter:
    """Cuts dialogues of any final status into `shards/<status>-00000.parquet` and so on.

    Use it as a context manager and call `write` for each row in the order of the corpus; `packed` is there once the
    block has ended. One shard per status is open at a time, and a shard is closed when it has `max_bytes` or
    `max_rows`: memory use does not grow with the corpus.
    """

    def __init__(
        self, place: Place, max_bytes: int = SHARD_BYTES, max_rows: int = SHARD_ROWS, beside: Collection[str] = ()
    ) -> None:
        """Set the limits of a shard; `beside` names other files that may be in the directory (`clear_for_writing`)."""
        clear_for_writing(place, beside)
        self._place = place
        self._limits = ShardLimits(max_bytes, max_rows)
        self._tally = Tally()
        self._open: dict[str, tuple[ShardWriter, ExitStack]] = {}
        self._sizes: dict[str, int] = {}
        self._done: dict[str, list[ShardInfo]] = {}
        self._clip_files = self._clip_bytes = 0
        self._recipes: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with ExitStack() as closing:
            for status in list(self._open):
                closing.callback(self._close, status, kind, error, trace)

    def write(self, dialogue: Dialogue) -> None:
        """Add one row. Raises LawBroken if it is not kept, rejected or failed, or if its reason does not fit."""
        problem = problem_of_end(dialogue.status, dialogue.reason)
        if problem is not None:
            raise LawBroken(f"{dialogue.dialogue_id} cannot be packed: {problem}")
        shard = self._shard(dialogue.status)
        shard.write(dialogue)
        self._tally.add(dialogue)
        self._recipes.update(filter(None, (dialogue.recipe,)))
        for _, audio in audio_parts(dialogue):
            if audio.path is not None:
                self._clip_files += 1
                self._clip_bytes += len(audio.bytes)
        self._sizes[dialogue.status] += estimated_bytes(dialogue)
        if self._limits.are_reached(self._sizes[dialogue.status], shard.rows):
            self._close(dialogue.status)

    @property
    def packed(self) -> Packed:
        """The result, complete only once the block has ended."""
        shards = {status: tuple(infos) for status, infos in self._done.items()}
        clips = ClipFiles(self._clip_files, self._clip_bytes) if self._clip_files else None
        return Packed(shards, self._tally.counts(), clips, tuple(sorted(self._recipes)))

    def _shard(self, status: str) -> ShardWriter:
        if status not in self._open:
            path = shard_path(status, len(self._done.get(status, [])))
            stack = ExitStack()
            self._open[status] = stack.enter_context(open_shard(self._place / path, path)), stack
            self._sizes[status] = 0
        return self._open[status][0]

    def _close(
        self,
        status: str,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        trace: TracebackType | None = None,
    ) -> None:
        shard, stack = self._open.pop(status)
        stack.__exit__(kind, error, trace)
        if kind is None:
            self._done.setdefault(status, []).append(shard.info)


def shard_path(status: str, number: int) -> str:
    """Return the path of a shard, relative to the corpus."""
    return f"{SHARDS}/{status}-{number:05d}.parquet"


def refuse_finished(place: Place) -> None:
    """Raise ResumeRefused if the directory holds a finished corpus."""
    if (place / MANIFEST_NAME).exists():
        raise ResumeRefused(f"{place} already holds a finished corpus: choose another directory")


def clear_for_writing(place: Place, beside: Collection[str] = (), kept: Collection[str] = ()) -> None:
    """Make the directory ready for a corpus: remove the shards of a killed writer, and never anything else.

    `kept` are the paths of shards that stay. Raises ResumeRefused if it holds a finished corpus, or anything that is
    neither Parley's nor named in `beside`.
    """
    refuse_finished(place)
    found = set(place.names())
    ours = OWN_NAMES if SHARDS in found else frozenset()
    foreign = sorted(found - ours - set(beside))
    leftovers = (place / SHARDS).list()
    foreign += [f"{SHARDS}/{entry.name}" for entry in leftovers if not _SHARD_NAME.fullmatch(entry.name)]
    if foreign:
        raise ResumeRefused(f"{place} is not empty: it holds {', '.join(foreign[:5])}; choose another directory")
    for entry in leftovers:
        if f"{SHARDS}/{entry.name}" not in kept:
            entry.delete()
    (place / SHARDS).make_directory()
    (place / SHARDS).delete_leftovers()
