"""Reads and writes Parquet files of dialogues: the shards of a corpus, and the blocks of a running job.

The same rows give the same bytes. A file is written row group by row group, so memory use does not grow with it, and
gets its name only when it is complete. Every data page carries a checksum, which every reader here verifies. A shard
of a corpus ends with an index of its clips (`manifests.clip_index`).
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import cache
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from manifests.arrow import arrow_schema, check_schema, clips_in, from_table, join_tables, to_table
from manifests.clip_index import IndexBuilder
from manifests.columns import columns, parquet_paths, paths_without_audio
from manifests.errors import CorpusError
from manifests.hashing_file import RememberingFile
from manifests.light import clips_of
from manifests.schema import SCHEMA_VERSION, Audio, Dialogue, Turn, version_problem
from manifests.storage import Place

# One random access reads one row group. Two turns of 5 s as 16 kHz FLAC are about 0.2 MB: some 20 rows a group.
ROW_GROUP_BYTES = 4 * 2**20
ROW_GROUP_ROWS = 2048

_BUFFER_BYTES = 2**18

# What pyarrow raises for damaged bytes. A name in the footer that is no longer UTF-8 is a ValueError.
DAMAGE = (pa.ArrowException, OSError, ValueError, OverflowError, MemoryError)

# The columns of texts, words and tokens, by their last names; those of `dry` are always empty in a shard.
_LONG = frozenset(
    "dialogue_id row original_text material text unsaid thought calls tools detail hypothesis meant heard "
    "start_sample end_sample books".split()
)

_VERSION_KEY = "parley_schema_version"
_METADATA = {_VERSION_KEY: str(SCHEMA_VERSION)}


@dataclass(frozen=True, slots=True)
class ShardInfo:
    """Describes a shard in the manifest; `path` is relative to the corpus, `sha256` covers the whole file."""

    path: str
    rows: int
    bytes: int
    sha256: str


class ShardWriter:
    """Writes dialogues, one by one or as tables. `open_shard` makes it, and `info` is there once that block has ended.

    Where row groups begin and end is the same either way.
    """

    def __init__(self, file: IO[bytes], path: str) -> None:
        self._sink = RememberingFile(file)
        # pyarrow writes every column in several pieces of a few bytes, and each would be a call into Python.
        self._buffer = pa.BufferedOutputStream(pa.PythonFile(self._sink, "w"), _BUFFER_BYTES)
        self._index = IndexBuilder()
        self._path = path
        self._parquet = pq.ParquetWriter(self._buffer, arrow_schema().with_metadata(_METADATA), **_layout())
        self._dialogues: list[Dialogue] = []
        self._tables: list[pa.Table] = []
        self._waiting_rows = self._waiting_bytes = 0
        self.rows = 0

    @property
    def info(self) -> ShardInfo:
        return ShardInfo(self._path, self.rows, self._sink.size, self._sink.hexdigest())

    def write(self, dialogue: Dialogue) -> None:
        self._dialogues.append(dialogue)
        if self._count(estimated_bytes(dialogue)):
            self._flush()

    def write_table(self, table: pa.Table, sizes: Sequence[int]) -> None:
        """Write rows of `table_from_ipc`, with the columns that they fill; `sizes`: `estimated_bytes` of each."""
        start = 0
        for row, size in enumerate(sizes, 1):
            if self._count(size):
                self._tables.append(table.slice(start, row - start))
                self._flush()
                start = row
        if start < table.num_rows:
            self._tables.append(table.slice(start))

    def finish(self) -> None:
        if self._waiting_rows:
            self._flush()
        self._sink.write(self._index.encoded(self._sink.size))
        self._parquet.close()
        self._buffer.flush()

    def abandon(self) -> None:
        """Close without writing anything: left open, pyarrow would write a footer whenever it is collected."""
        self._sink.abandoned = True
        self._parquet.close()
        self._buffer.flush()

    def _count(self, size: int) -> bool:
        """Count a row in, and tell whether the row group is full."""
        self.rows += 1
        self._waiting_rows += 1
        self._waiting_bytes += size
        return self._waiting_rows >= ROW_GROUP_ROWS or self._waiting_bytes >= ROW_GROUP_BYTES

    def _flush(self) -> None:
        if self._dialogues:
            table = to_table(self._dialogues)
            clips = [clip for dialogue in self._dialogues for clip in clips_of(dialogue)]
        else:
            table = join_tables(self._tables)
            clips = clips_in(table)
        self._parquet.write_table(table, row_group_size=table.num_rows)
        self._buffer.flush()
        self._index.add(table, clips, self._sink.take_recent())
        self._dialogues, self._tables = [], []
        self._waiting_rows = self._waiting_bytes = 0


@cache
def _layout() -> dict[str, Any]:
    """Compress what there is much of alone: zstd costs 25 us for each column of a row group, most of which are empty.

    Turn off dictionaries and statistics for encoded clips besides: they do not shrink, repeat or sort.
    """
    light = [column.parquet_path for column in columns() if not column.holds_audio]
    long = [
        column.name for column in columns() if column.name.rpartition(".")[2] in _LONG and ".dry." not in column.name
    ]
    return {
        "compression": {column.parquet_path: "zstd" if column.name in long else "none" for column in columns()},
        "use_dictionary": light,
        "write_statistics": light,
        "write_page_checksum": True,
        "version": "2.6",
        "data_page_version": "1.0",
    }


def estimated_bytes(dialogue: Dialogue) -> int:
    """Estimate the row's size in a file, in bytes: close enough to decide where row groups and shards end."""
    # 500: ids, voices, hypothesis and provenance, measured on two-turn rows before compression.
    size = 500
    for turn in dialogue.turns:
        size += 500 + len(turn.original_text) + len(turn.material)
        if turn.take is not None or turn.attempts:
            size += sum(len(audio.bytes) for audio in _clips(turn))
    if dialogue.timeline is not None:
        size += sum(len(track.audio.bytes) for track in dialogue.timeline.tracks)
    return size


def _clips(turn: Turn) -> Iterator[Audio]:
    """Yield everything in the turn that may have encoded bytes."""
    for take in (turn.take, *turn.attempts):
        if take is not None:
            yield from (holder.audio for holder in (take, take.dry) if holder and holder.audio)


@contextmanager
def open_shard(place: Place, path: str | None = None) -> Iterator[ShardWriter]:
    """Open a shard to write; the file appears, complete, only when the block ends without an error.

    `path` is the name in its `ShardInfo`; the default is the name of the file.
    """
    with place.writing() as file:
        writer = ShardWriter(file, path or place.name)
        try:
            yield writer
            writer.finish()
        except BaseException:  # an interrupt too leaves no half-written shard
            writer.abandon()
            raise


def write_shard(place: Place, dialogues: Iterable[Dialogue], path: str | None = None) -> ShardInfo:
    """Write the dialogues, in order, as one file. See `open_shard`."""
    with open_shard(place, path) as writer:
        for dialogue in dialogues:
            writer.write(dialogue)
    return writer.info


@contextmanager
def naming(place: Place) -> Iterator[None]:
    """Turn what goes wrong with a shard in the block into a CorpusError that names it."""
    try:
        yield
    except FileNotFoundError as error:
        raise CorpusError(f"{place}: the shard is missing") from error
    except CorpusError as error:
        raise CorpusError(f"{place}: {error}") from error
    except DAMAGE as error:
        raise CorpusError(f"{place}: the shard is damaged: {first_line(error)}") from error


def first_line(error: BaseException) -> str:
    """Return the first line of the error's text, or its kind if it has none."""
    return next(iter(str(error).splitlines()), type(error).__name__)


def _check_version(schema: pa.Schema) -> None:
    """Raise CorpusError for a shard of another schema version. `check_schema` judges a file that names none."""
    found = (schema.metadata or {}).get(_VERSION_KEY.encode(), b"").decode(errors="replace")
    if found.isdecimal() and (problem := version_problem(int(found))):
        raise CorpusError(f"a shard of {problem}")


class ShardReader:
    """Reads an open shard with random access by row group. CorpusErrors name the file.

    `data` is the whole file, if the caller has read it already.
    """

    def __init__(self, place: Place, data: bytes | None = None) -> None:
        self.place = place
        with naming(place):
            source = place.filesystem.open_input_file(place.path) if data is None else pa.BufferReader(data)
            # The columns of a row group come from an object store in few requests: these are what takes time there.
            self._parquet = pq.ParquetFile(source, page_checksum_verification=True, pre_buffer=not place.is_local)
            _check_version(self._parquet.schema_arrow)
            check_schema(self._parquet.schema_arrow)
            metadata = self._parquet.metadata
            self.group_rows = [metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)]

    @property
    def rows(self) -> int:
        return sum(self.group_rows)

    def table(self, group: int, paths: list[str] | None = None) -> pa.Table:
        """Read row group number `group`; `paths` are the Parquet paths of the columns wanted, by default all."""
        with naming(self.place):
            # The reading process is one of many: threads of its own would only slow down the others.
            table = self._parquet.read_row_group(group, columns=paths, use_threads=False)
            table.validate(full=True)
            return table

    def dialogues(self, group: int, audio: bool = True) -> list[Dialogue]:
        """Read the dialogues of a row group; with `audio=False` every clip has empty bytes."""
        return self.rows_of(self.table(group, None if audio else paths_without_audio()), audio)

    def rows_of(self, table: pa.Table, audio: bool = True) -> list[Dialogue]:
        """Return the dialogues of a table, or of a slice of one, that this reader has read."""
        with naming(self.place):
            return from_table(table, partial=not audio)

    def stretch(self, group: int) -> tuple[int, int]:
        """Return where in the file a row group begins, and its size in bytes."""
        row_group = self._parquet.metadata.row_group(group)
        first = row_group.column(0)
        return first.dictionary_page_offset or first.data_page_offset, row_group.total_byte_size

    def naming(self) -> AbstractContextManager[None]:
        """Name the shard in what goes wrong with its tables in the block."""
        return naming(self.place)

    def close(self) -> None:
        self._parquet.close(force=True)


def read_tables(place: Place, names: Iterable[str] | None = None) -> Iterator[pa.Table]:
    """Yield the row groups of a shard, one at a time; `names` are the columns wanted (see `parquet_paths`)."""
    return _tables(place, None if names is None else parquet_paths(names))


def read_shard(place: Place, audio: bool = True, data: bytes | None = None) -> Iterator[list[Dialogue]]:
    """Yield the dialogues of a shard, one row group at a time.

    With `audio=False` the encoded bytes are not read: every clip has empty bytes and all its other fields. `data` is
    the whole file, if the caller has read it already.
    """
    with _opened(place, data) as reader:
        for group in range(len(reader.group_rows)):
            yield reader.dialogues(group, audio)


def _tables(place: Place, paths: list[str] | None) -> Iterator[pa.Table]:
    with _opened(place) as reader:
        for group in range(len(reader.group_rows)):
            yield reader.table(group, paths)


@contextmanager
def _opened(place: Place, data: bytes | None = None) -> Iterator[ShardReader]:
    reader = ShardReader(place, data)
    try:
        yield reader
    finally:
        reader.close()
