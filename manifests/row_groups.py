"""Writes and reads Parquet files one row group at a time, so that memory use does not grow with their length.

The same tables give the same bytes. A file appears whole or not at all, and every data page carries a checksum, which
the reader verifies. Raises a one-line CorpusError, with the `label` of the file, for anything wrong with a file.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from manifests.errors import CorpusError, LawBroken
from manifests.shards import DAMAGE, first_line
from manifests.storage import Place


class RowGroupWriter:
    """Writes tables into a file that `open_row_groups` opened. The first table decides the schema."""

    def __init__(self, file: IO[bytes], place: Place) -> None:
        self._file, self._place = file, place
        self._parquet: Any = None

    def write(self, table: pa.Table) -> None:
        """Write the table as one row group. Raises LawBroken if its schema is not that of the first table."""
        if self._parquet is None:
            self._start(table.schema)
        elif table.schema != self._parquet.schema:
            raise LawBroken(f"{self._place.name}: the columns of a row group are not those of the first one")
        self._parquet.write_table(table, row_group_size=table.num_rows)

    def finish(self, empty: pa.Schema) -> None:
        """Write the footer; a file that got no table becomes an empty file of the schema `empty`."""
        if self._parquet is None:
            self._start(empty)
        self._parquet.close()

    def abandon(self) -> None:
        """Close the writer: left open, pyarrow would write a footer whenever it is collected."""
        if self._parquet is not None:
            self._parquet.close()

    def _start(self, schema: pa.Schema) -> None:
        self._parquet = pq.ParquetWriter(self._file, schema, compression="zstd", write_page_checksum=True)


@contextmanager
def open_row_groups(place: Place, empty: pa.Schema) -> Iterator[RowGroupWriter]:
    """Open a file to write; it takes its name when the block ends well. `empty` is its schema if no table is written.

    An error or an interrupt in the block leaves no file behind, and an older file of that name unchanged.
    """
    with place.writing() as file:
        writer = RowGroupWriter(file, place)
        try:
            yield writer
        except BaseException:  # an interrupt too leaves no half-written file
            writer.abandon()
            raise
        writer.finish(empty)


def read_row_groups(
    place: Place, check: Callable[[pa.Schema], str | None], names: Sequence[str] | None = None
) -> Iterator[pa.Table]:
    """Yield the row groups with the columns of `names` that the file has, or with all columns without `names`.

    `check` says what is wrong with the file's schema, if anything. Raises CorpusError for a wrong schema and for a
    missing or damaged file.
    """
    with _opened(place) as parquet:
        schema = parquet.schema_arrow
        if problem := check(schema):
            raise CorpusError(f"{label(place)}: {problem}")
        chosen = schema.names if names is None else [name for name in names if name in schema.names]
        for group in range(parquet.num_row_groups):
            yield parquet.read_row_group(group, columns=chosen).combine_chunks()


class RowGroupReader:
    """Reads single columns of single row groups of a file that stays open. One thread at a time."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._stream: Any = None
        self._parquet: Any = None

    def nulls(self, name: str) -> list[tuple[int | None, int]]:
        """Return how many values of the column each row group lacks (None: the file does not say), and its rows."""
        metadata = self._opened().metadata
        groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
        return [(_null_count(group, name), group.num_rows) for group in groups]

    def read(self, group: int, name: str) -> Any:
        """Return the values of the column in a row group, as an Arrow array. Raises CorpusError for damage."""
        try:
            return self._opened().read_row_group(group, columns=[name]).column(name).combine_chunks()
        except DAMAGE as error:
            raise CorpusError(f"{label(self._place)}: damaged: {first_line(error)}") from error

    def _opened(self) -> Any:
        if self._parquet is None:
            if not self._place.is_file():
                raise CorpusError(f"{label(self._place)}: the file is missing")
            try:
                self._stream = self._place.filesystem.open_input_file(self._place.path)
                self._parquet = pq.ParquetFile(self._stream, page_checksum_verification=True)
            except DAMAGE as error:
                raise CorpusError(
                    f"{label(self._place)}: damaged, or not a Parquet file: {first_line(error)}"
                ) from error
        return self._parquet


def _null_count(group: Any, name: str) -> int | None:
    for number in range(group.num_columns):
        column = group.column(number)
        if column.path_in_schema == name:
            return column.statistics.null_count if column.statistics else None
    return int(group.num_rows)


def read_schema(place: Place) -> pa.Schema:
    """Return the schema of a file, with its metadata. Raises CorpusError for a missing or damaged file."""
    with _opened(place) as parquet:
        return parquet.schema_arrow


def label(place: Place) -> str:
    """Return the name of the file and of its directory, without the rest of the path."""
    return "/".join(place.path.rsplit("/", 2)[-2:])


@contextmanager
def naming(place: Place) -> Iterator[None]:
    """Prefix each CorpusError of the block with the file's `label`."""
    try:
        yield
    except CorpusError as error:
        raise CorpusError(f"{label(place)}: {error}") from error


@contextmanager
def _opened(place: Place) -> Iterator[Any]:
    if not place.is_file():
        raise CorpusError(f"{label(place)}: the file is missing")
    try:
        with place.filesystem.open_input_file(place.path) as stream:
            yield pq.ParquetFile(stream, page_checksum_verification=True)
    except DAMAGE as error:
        raise CorpusError(f"{label(place)}: damaged, or not a Parquet file: {first_line(error)}") from error
