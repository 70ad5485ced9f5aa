"""Banks on disk, as Parquet: `speakers.parquet` (real people), `voices.parquet` (what may be cast), and `card.json`.

The columns are the fields of `Speaker` and `Voice`, vectors as fixed-size lists of float32. The same rows in the same
row groups give the same bytes. A file appears whole or not at all, and is read and written row group by row group.

What cannot be right is refused at writing with a LawBroken (whoever made it has a bug), and at reading with a
CorpusError of one line: a damaged or foreign file, an id that is there twice, vectors of unequal width, with NaN or
not of length 1. Embeddings may be raw, of any length: the file says which (`voicebank.vectors`).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import fields
from itertools import islice
from types import TracebackType
from typing import Generic, Self, TypeVar

import pyarrow as pa

from manifests.errors import CorpusError, LawBroken, ParleyError
from manifests.row_groups import RowGroupWriter, naming, open_row_groups, read_row_groups, read_schema
from manifests.storage import Place
from manifests.table import (
    Matrix,
    Vector,
    arrow_schema_of,
    from_table,
    matrix_of,
    schema_problem,
    to_table,
    vector_array,
    vector_type,
    widths_of,
)
from voicebank.card import CARD_FILE, read_card, write_card
from voicebank.stored_clips import COLUMN, ClipStore, stored
from voicebank.vectors import is_marked_raw, mark_raw, vectors_problem
from voicebank.voice import Speaker, Voice, speaker_problem, voice_problem

__all__ = [
    "CARD_FILE",
    "SPEAKERS_FILE",
    "VOICES_TABLE",
    "VoiceWriter",
    "has_raw_embeddings",
    "iter_voices",
    "read_card",
    "read_speakers",
    "stored_voices",
    "voices_schema",
    "write_card",
    "write_speakers",
]

SPEAKERS_FILE = "speakers.parquet"
VOICES_TABLE = "voices.parquet"

_SPEAKERS_PER_GROUP = 4096
_RECORDED_PER_GROUP = 16
"""Voices with recordings, 0.1 to 0.2 MB each: to read one means to read its row group."""
_XVECTOR = "xvector"
"""The column that `Voice` has no field for."""

_Entry = TypeVar("_Entry", Voice, Speaker)


def write_speakers(directory: Place, speakers: Iterable[Speaker], raw: bool = False) -> int:
    """Write `speakers.parquet` in the order given (to sort by speaker_id is the caller's task); return how many.

    `raw`: the embeddings are as their encoder gave them, of any length.
    """
    rows, tables = iter(speakers), _Tables(SPEAKERS_FILE, Speaker, raw)
    with open_row_groups(directory / SPEAKERS_FILE, arrow_schema_of(Speaker)) as file:
        while group := list(islice(rows, _SPEAKERS_PER_GROUP)):
            file.write(tables.make(group))
    return tables.rows


def read_speakers(directory: Place) -> list[Speaker]:
    """Return all speakers, sorted by speaker_id."""
    place, ids = directory / SPEAKERS_FILE, set[str]()
    tables = read_row_groups(place, lambda schema: schema_problem(schema, Speaker))
    speakers = [speaker for table in tables for speaker in _read(place, table, Speaker, ids)]
    return sorted(speakers, key=lambda speaker: speaker.speaker_id)


def has_raw_embeddings(directory: Place) -> bool:
    """Tell whether the bank says that its embeddings are raw; a bank without Parquet files has none."""
    files = [directory / name for name in (VOICES_TABLE, SPEAKERS_FILE)]
    return any(is_marked_raw(read_schema(file)) for file in files if file.is_file())


def voices_schema(widths: Mapping[str, int]) -> pa.Schema:
    """Return the schema of `voices.parquet`, for the widths of the vectors that it has ("embedding", "xvector")."""
    schema = arrow_schema_of(Voice, widths)
    return schema.append(_xvector_field(widths[_XVECTOR])) if _XVECTOR in widths else schema


class VoiceWriter:
    """Writes `voices.parquet`; the file takes its name when the block ends well.

    A call of `write` makes a row group, or small ones of voices with recordings.

    Where one call gives x-vectors (float32 [Dx], length 1, one for each voice), all must. Whether the voices have
    embeddings, and how wide, is decided by the first call. `raw`: the embeddings are as their encoder gave them, of
    any length. `rows` are the voices written so far.
    """

    def __init__(self, directory: Place, raw: bool = False) -> None:
        self._opening: AbstractContextManager[RowGroupWriter] = open_row_groups(
            directory / VOICES_TABLE, voices_schema({})
        )
        self._file: RowGroupWriter | None = None
        self._tables = _Tables(VOICES_TABLE, Voice, raw)
        self._xvector_width: int | None = None

    def __enter__(self) -> Self:
        self._file = self._opening.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._opening.__exit__(kind, error, trace)

    @property
    def rows(self) -> int:
        return self._tables.rows

    def write(self, voices: Sequence[Voice], xvectors: Sequence[Vector] | None = None) -> None:
        """Write the voices as one row group, or as small ones if they have recordings; without voices, nothing."""
        if self._file is None:
            raise LawBroken("a VoiceWriter writes inside its `with` block only")
        if xvectors is not None and len(xvectors) != len(voices):
            raise LawBroken(f"{VOICES_TABLE}: {len(xvectors)} x-vectors for {len(voices)} voices")
        size = _RECORDED_PER_GROUP if any(voice.is_recorded for voice in voices) else max(1, len(voices))
        for first in range(0, len(voices), size):
            some = None if xvectors is None else xvectors[first : first + size]
            self._write_group(self._file, voices[first : first + size], some)

    def _write_group(self, file: RowGroupWriter, voices: Sequence[Voice], xvectors: Sequence[Vector] | None) -> None:
        if xvectors is not None and not self.rows:
            self._xvector_width = len(xvectors[0])
        file.write(self._with_xvectors(self._tables.make(voices), xvectors))

    def _with_xvectors(self, table: pa.Table, xvectors: Sequence[Vector] | None) -> pa.Table:
        if xvectors is None and self._xvector_width is None:
            return table
        with _at_writing(VOICES_TABLE):
            array = vector_array(_XVECTOR, xvectors or [None] * table.num_rows, self._xvector_width)
            table = table.append_column(_xvector_field(array.type.list_size), array)
            if problem := vectors_problem(table.select([_XVECTOR])):
                raise LawBroken(problem)
        return table


def stored_voices(directory: Place) -> Iterator[Voice]:
    """Yield the voices in the order of the file, with their recordings left in it (`voicebank.stored_clips`)."""
    place, ids = directory / VOICES_TABLE, set[str]()
    store = ClipStore(place)
    names = [field.name for field in fields(Voice) if field.name != COLUMN]
    tables = read_row_groups(place, lambda schema: schema_problem(schema, Voice, [_XVECTOR]), names)
    for group, (table, recorded) in enumerate(zip(tables, store.groups_with(), strict=True)):
        for row, voice in enumerate(_read(place, table, Voice, ids, partial=True)):
            is_there = store.read(group, row) is not None if recorded is None else recorded
            yield stored(voice, store, group, row) if is_there else voice


def iter_voices(directory: Place, xvectors: bool = False) -> Iterator[tuple[list[Voice], Matrix | None]]:
    """Yield the voices in the order of the file, row group by row group, so that memory stays flat.

    With `xvectors` their x-vectors come too, float32 [N, Dx]; None where the table has none.
    """
    place, ids = directory / VOICES_TABLE, set[str]()
    names = [*(field.name for field in fields(Voice)), *([_XVECTOR] if xvectors else [])]
    for table in read_row_groups(place, lambda schema: schema_problem(schema, Voice, [_XVECTOR]), names):
        voices = _read(place, table, Voice, ids)
        yield voices, matrix_of(table, _XVECTOR) if _XVECTOR in table.schema.names else None


class _Tables(Generic[_Entry]):
    """Makes the tables of one file. The first one decides which vectors there are, and how wide."""

    def __init__(self, name: str, cls: type[_Entry], raw: bool) -> None:
        self._name = name
        self._raw = raw
        self._cls: type[_Entry] = cls
        self._ids: set[str] = set()
        self._widths: dict[str, int] | None = None

    @property
    def rows(self) -> int:
        return len(self._ids)

    def make(self, entries: Sequence[_Entry]) -> pa.Table:
        with _at_writing(self._name):
            _check(entries, self._ids, LawBroken)
            if self._widths is None:
                self._widths = widths_of(entries, self._cls)
            table = to_table(entries, self._cls, self._widths)
            if self._raw:
                table = mark_raw(table)
            if problem := vectors_problem(table):
                raise LawBroken(problem)
        return table


@contextmanager
def _at_writing(name: str) -> Iterator[None]:
    """Put the file's name before the LawBrokens of the block."""
    try:
        yield
    except LawBroken as error:
        raise LawBroken(f"{name}: {error}") from error


def _xvector_field(width: int) -> pa.Field:
    return pa.field(_XVECTOR, vector_type(width), nullable=False)


def _read(place: Place, table: pa.Table, cls: type[_Entry], ids: set[str], partial: bool = False) -> list[_Entry]:
    """Return the entries of a row group, which may have x-vectors besides; `partial`: without some of its columns.

    CorpusErrors name the file.
    """
    with naming(place):
        entries = from_table(table, cls, partial, besides=[_XVECTOR])
        if _XVECTOR in table.schema.names and table.column(_XVECTOR).null_count:
            raise CorpusError(f"{_XVECTOR} is missing in {table.column(_XVECTOR).null_count} rows")
        if problem := vectors_problem(table):
            raise CorpusError(problem)
        _check(entries, ids, CorpusError)
    return entries


def _check(entries: Iterable[_Entry], ids: set[str], error: type[ParleyError]) -> None:
    """Raise an error for the first entry that cannot be right, or whose id is among `ids`; take the others' ids in."""
    for entry in entries:
        name = entry.voice_id if isinstance(entry, Voice) else entry.speaker_id
        problem = voice_problem(entry) if isinstance(entry, Voice) else speaker_problem(entry)
        if name in ids or problem:
            raise error(f"{name!r} is there twice" if name in ids else f"{name!r}: {problem}")
        ids.add(name)
