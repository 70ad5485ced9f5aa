"""Read any input file as a stream of `SourceRow`."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from typing import cast

from manifests.changes import replace
from manifests.errors import InputError
from manifests.reasons import Reason
from manifests.storage import Place
from pipeline.readers.detect import NoRows, detect
from pipeline.readers.formats import Format, Row, formats
from pipeline.readers.parquet import parquet_rows
from pipeline.readers.parse import parse_row
from pipeline.readers.rows import SourceRow, SourceTurn
from pipeline.readers.shape import as_object
from pipeline.readers.split import RawRow, split_rows
from pipeline.readers.text import clean_text
from pipeline.readers.text_stream import PARQUET, TextSource, find_file, first_bytes
from pipeline.readers.turns import tidy

MEDIA_KEYS = ("image", "images", "video", "videos")
"""Keys of rows whose question is about something to be seen. An "audio" may be no more than the text, recorded."""


def read_rows(uri: str | Place, format: str | None = None) -> Iterator[SourceRow]:
    """Yield one `SourceRow` for each row of a file, readable or not, in the order of the file.

    `uri` is a local path or any location that pyarrow opens. The content decides the kind of file (JSON, JSON lines,
    either of them in gzip, zstd, bzip2 or xz, Parquet), not the name. `format` is a name in `formats()`; None means
    `detect_format`.

    System prompts are dropped, since nobody speaks them. Neighboring turns of one role are joined, a leading agent
    turn is dropped if a user turn follows, and empty turns are dropped (`tidy`). If a key stands twice in a row, the
    last counts. Control characters are removed and lone surrogates become U+FFFD (`clean_text`); a JSON row with bytes
    that are not UTF-8 is unreadable, since a guess at its letters would be spoken.

    Raises InputError, at the call, if the file cannot be read, holds no rows (NoRows), or its format is unknown.
    """
    form = find_format(format or detect_format(uri))
    records = open_rows(uri)
    first = next(records, None)
    if first is None:
        raise NoRows(f"{uri} holds no rows")
    return (source_row(position, record, form) for position, record in enumerate(chain([first], records)))


def detect_format(uri: str | Place) -> str:
    """Return the name in `formats()` of a file's format, judged by its first rows.

    Raises InputError if the file cannot be read, or if no format or more than one fits.
    """
    return detect(open_rows(uri), str(uri))


def find_format(name: str) -> Format:
    """Return the format of that name; raises InputError, which lists all, if there is none."""
    try:
        return formats()[name.lower().replace("_", "-")]
    except KeyError:
        raise InputError(f"there is no format {name!r}; the formats are: {', '.join(formats())}") from None


def open_rows(uri: str | Place) -> Iterator[RawRow]:
    """Yield the rows of a JSON, JSON lines or Parquet file as they are, without a format. Raises InputError."""
    with _reading(uri):
        place = find_file(uri)
        is_parquet = first_bytes(place).startswith(PARQUET) or place.name.lower().endswith(".parquet")
        records = parquet_rows(place) if is_parquet else split_rows(TextSource(place))
    return guarded(records, uri)


def guarded(records: Iterator[RawRow], uri: str | Place) -> Iterator[RawRow]:
    """Yield the rows as objects; what fails of disk or network becomes an InputError."""
    with _reading(uri):
        for record in records:
            value = as_object(record.value)
            yield record if value is record.value else replace(record, value=value)


@contextmanager
def _reading(uri: str | Place) -> Iterator[None]:
    """Turn a failure of disk or network, at any moment, into a one-line error."""
    try:
        yield
    except OSError as error:
        raise InputError(f"cannot read {uri}: {error}") from error


def source_row(position: int, record: RawRow, form: Format) -> SourceRow:
    """Read a row by its format; `position` is its 0-based place in the file."""
    if record.problem is not None:
        return SourceRow(str(position), _raw_turns(record), Reason.UNREADABLE_ROW, clean_text(record.problem))
    parsed = parse_row(record.value, form)
    row = parsed.row_id or str(position)
    if parsed.reason is Reason.UNKNOWN_SCHEMA:
        return SourceRow(row, _raw_turns(record), parsed.reason, parsed.detail)
    turns = tidy(parsed.turns)
    if parsed.reason is None and (key := _media_key(cast(Row, record.value))):
        return SourceRow(row, turns, Reason.MEDIA, f"{key}: the row comes with media")
    if parsed.reason is None and not any(turn.role == "user" for turn in turns):
        return SourceRow(row, turns, Reason.EMPTY_ROW, Reason.EMPTY_ROW.meaning)
    return SourceRow(row, turns, parsed.reason, parsed.detail, parsed.tools)


def _media_key(row: Row) -> str | None:
    """Return the key under which the row names its pictures or films; None if it has none."""
    return next((key for key in MEDIA_KEYS if isinstance(value := row.get(key), str | list | dict) and value), None)


def _raw_turns(record: RawRow) -> tuple[SourceTurn, ...]:
    text = clean_text(record.raw).strip()
    return (SourceTurn("user", text),) if text else ()
