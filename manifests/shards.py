"""Parquet files of dialogues: the shards of a corpus, and the units of a running job.

The same rows give the same bytes. A file is written row group by row group, so memory does not grow with it, and takes
its name only when it is whole. Every data page carries a checksum, which every reader here verifies.
"""

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from manifests.arrow import arrow_schema, check_schema, from_table, to_table
from manifests.columns import AUDIO_BYTES, columns, parquet_paths, paths_without_audio
from manifests.errors import CorpusError
from manifests.schema import SCHEMA_VERSION, Dialogue, version_problem
from manifests.storage import Place

# One random access reads one row group. Two turns of 5 s as 16 kHz FLAC are about 0.2 MB: some 20 rows a group.
ROW_GROUP_BYTES = 4 * 2**20
ROW_GROUP_ROWS = 256

_VERSION_KEY = "parley_schema_version"
_METADATA = {_VERSION_KEY: str(SCHEMA_VERSION)}


@dataclass(frozen=True, slots=True)
class ShardInfo:
    """What the manifest knows of a shard; `path` is relative to the corpus, `sha256` that of the whole file."""

    path: str
    rows: int
    bytes: int
    sha256: str


class _HashingFile:
    """The binary file beneath, as a sink for pyarrow that counts and hashes what passes."""

    closed = False

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._hash = hashlib.sha256()
        self.size = 0
        self.abandoned = False

    def write(self, data: Any) -> int:
        if self.abandoned:
            return len(data)
        self._file.write(data)
        self._hash.update(data)
        self.size += len(data)
        return len(data)

    def tell(self) -> int:
        return self.size

    def flush(self) -> None:
        self._file.flush()

    def writable(self) -> bool:
        return True

    def close(self) -> None:
        """The file beneath belongs to who opened it."""

    def hexdigest(self) -> str:
        return self._hash.hexdigest()


class ShardWriter:
    """Takes dialogues one by one; made by `open_shard`, and `info` is there once that block has ended."""

    def __init__(self, file: IO[bytes], path: str) -> None:
        self._sink = _HashingFile(file)
        self._path = path
        self._parquet = pq.ParquetWriter(self._sink, arrow_schema().with_metadata(_METADATA), **_layout())
        self._waiting: list[Dialogue] = []
        self._waiting_bytes = 0
        self.rows = 0

    @property
    def bytes(self) -> int:
        """Size so far, of which the rows that wait for their row group are an estimate."""
        return self._sink.size + self._waiting_bytes

    @property
    def info(self) -> ShardInfo:
        return ShardInfo(self._path, self.rows, self._sink.size, self._sink.hexdigest())

    def write(self, dialogue: Dialogue) -> None:
        self._waiting.append(dialogue)
        self._waiting_bytes += estimated_bytes(dialogue)
        self.rows += 1
        if len(self._waiting) >= ROW_GROUP_ROWS or self._waiting_bytes >= ROW_GROUP_BYTES:
            self._flush()

    def finish(self) -> None:
        if self._waiting:
            self._flush()
        self._parquet.close()

    def abandon(self) -> None:
        """Close without writing: left open, pyarrow would write a footer whenever it is collected."""
        self._sink.abandoned = True
        self._parquet.close()

    def _flush(self) -> None:
        table = to_table(self._waiting)
        self._parquet.write_table(table, row_group_size=len(self._waiting))
        self._waiting, self._waiting_bytes = [], 0


@cache
def _layout() -> dict[str, Any]:
    """Encoded clips do not shrink, repeat or sort: no compression, dictionary or statistics for them."""
    light = [column.parquet_path for column in columns() if column.name != AUDIO_BYTES]
    heavy = [column.parquet_path for column in columns() if column.name == AUDIO_BYTES]
    return {
        "compression": {**dict.fromkeys(light, "zstd"), **dict.fromkeys(heavy, "none")},
        "use_dictionary": light,
        "write_statistics": light,
        "write_page_checksum": True,
        "version": "2.6",
        "data_page_version": "1.0",
    }


def estimated_bytes(dialogue: Dialogue) -> int:
    """Size of the row in a file, near enough to cut row groups and shards by."""
    # 500: ids, voices, hypothesis and provenance, measured on two-turn rows before compression.
    return 500 + sum(
        500 + len(turn.original_text) + len(turn.material) + (len(turn.audio.bytes) if turn.audio else 0)
        for turn in dialogue.turns
    )


@contextmanager
def open_shard(place: Place, path: str | None = None) -> Iterator[ShardWriter]:
    """A shard to write; the file is there, whole, only when the block ends without an error.

    `path` is the name that its `ShardInfo` gives; without it, the name of the file.
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
def _reading(place: Place) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise CorpusError(f"{place}: the shard is missing") from error
    except CorpusError as error:
        raise CorpusError(f"{place}: {error}") from error
    except (pa.ArrowException, OSError) as error:
        raise CorpusError(f"{place}: the shard is damaged: {str(error).splitlines()[0]}") from error


def _check_version(schema: pa.Schema) -> None:
    """A CorpusError for a shard of another schema version. A file that names none is left to `check_schema`."""
    found = (schema.metadata or {}).get(_VERSION_KEY.encode(), b"").decode(errors="replace")
    if found.isdecimal() and (problem := version_problem(int(found))):
        raise CorpusError(f"a shard of {problem}")


class ShardReader:
    """An open shard: random access by row group. CorpusErrors name the file."""

    def __init__(self, place: Place) -> None:
        self.place = place
        with _reading(place):
            source = place.filesystem.open_input_file(place.path)
            self._parquet = pq.ParquetFile(source, page_checksum_verification=True)
            _check_version(self._parquet.schema_arrow)
            check_schema(self._parquet.schema_arrow)
        metadata = self._parquet.metadata
        self.group_rows = [metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)]

    @property
    def rows(self) -> int:
        return sum(self.group_rows)

    def table(self, group: int, paths: list[str] | None = None) -> pa.Table:
        """Row group number `group`; `paths` are the Parquet paths of the columns wanted, all without it."""
        with _reading(self.place):
            # The process that reads is one of many: its own threads would only get in their way.
            return self._parquet.read_row_group(group, columns=paths, use_threads=False)

    def close(self) -> None:
        self._parquet.close(force=True)


def read_tables(place: Place, names: Iterable[str] | None = None) -> Iterator[pa.Table]:
    """The row groups of a shard, one at a time; `names` are the columns wanted (see `parquet_paths`)."""
    return _tables(place, None if names is None else parquet_paths(names))


def read_shard(place: Place, audio: bool = True) -> Iterator[list[Dialogue]]:
    """The dialogues of a shard, one row group at a time.

    With `audio=False` the encoded bytes are not read, and every clip comes with empty bytes and all the rest.
    """
    for table in _tables(place, None if audio else paths_without_audio()):
        yield from_table(table, partial=not audio)


def _tables(place: Place, paths: list[str] | None) -> Iterator[pa.Table]:
    reader = ShardReader(place)
    try:
        for group in range(len(reader.group_rows)):
            yield reader.table(group, paths)
    finally:
        reader.close()
