"""Banks on disk, as Parquet: `speakers.parquet` (real people), `voices.parquet` (what may be cast), and `card.json`.

The columns are the fields of `Speaker` and `Voice`, vectors as fixed-size lists of float32. The same rows in the same
row groups give the same bytes. A file appears whole or not at all, and is read and written row group by row group.

What cannot be right is refused at writing with a LawBroken (whoever made it has a bug), and at reading with a
CorpusError of one line: a damaged or foreign file, an id that is there twice, vectors of unequal width, with NaN or
not of length 1.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from itertools import islice
from types import TracebackType
from typing import IO, Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from manifests.errors import CorpusError, LawBroken
from manifests.storage import Place
from voicebank.card import CARD_FILE, read_card, write_card
from voicebank.columns import Column, Matrix, columns_of, pack, schema_of, unpack
from voicebank.voice import Speaker, Vector, Voice, speaker_problem, voice_problem

__all__ = [
    "CARD_FILE",
    "SPEAKERS_FILE",
    "VOICES_TABLE",
    "VoiceWriter",
    "iter_voices",
    "read_card",
    "read_speakers",
    "write_card",
    "write_speakers",
]

SPEAKERS_FILE = "speakers.parquet"
VOICES_TABLE = "voices.parquet"

_SPEAKERS_PER_GROUP = 4096
_XVECTOR = Column("xvector", None, False)
_SPEAKER_COLUMNS = columns_of(Speaker)
_VOICE_COLUMNS = columns_of(Voice)


def write_speakers(directory: Place, speakers: Iterable[Speaker]) -> int:
    """Write `speakers.parquet`, in the order given (by speaker_id is the caller's business); how many there were."""
    rows = iter(speakers)
    with _open_table(directory / SPEAKERS_FILE, _SPEAKER_COLUMNS, speaker_problem) as table:
        while group := list(islice(rows, _SPEAKERS_PER_GROUP)):
            table.write([speaker.speaker_id for speaker in group], group, {})
    return table.rows


def read_speakers(directory: Place) -> list[Speaker]:
    """All speakers, sorted by speaker_id."""
    place = directory / SPEAKERS_FILE
    speakers = [
        speaker
        for batch in _batches(place, _SPEAKER_COLUMNS)
        for speaker in _rows(place, Speaker, _SPEAKER_COLUMNS, batch)
    ]
    _check(place, set(), [(speaker.speaker_id, speaker_problem(speaker)) for speaker in speakers])
    return sorted(speakers, key=lambda speaker: speaker.speaker_id)


class VoiceWriter:
    """Writes `voices.parquet`, one row group a call of `write`; the file takes its name when the block ends well.

    Where one call gives x-vectors (float32 [Dx], length 1, one for each voice), all must. Whether the voices have
    embeddings, and how wide, is decided by the first call. `rows` are the voices written so far.
    """

    def __init__(self, directory: Place) -> None:
        self._place = directory / VOICES_TABLE
        self._stack = ExitStack()
        self._table: _Table | None = None

    def __enter__(self) -> Self:
        columns = (*_VOICE_COLUMNS, _XVECTOR)
        self._table = self._stack.enter_context(_open_table(self._place, columns, voice_problem))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    @property
    def rows(self) -> int:
        return self._table.rows if self._table else 0

    def write(self, voices: Sequence[Voice], xvectors: Sequence[Vector] | None = None) -> None:
        if self._table is None:
            raise LawBroken("a VoiceWriter writes inside its `with` block only")
        if xvectors is not None and len(xvectors) != len(voices):
            raise LawBroken(f"{self._place.name}: {len(xvectors)} x-vectors for {len(voices)} voices")
        extra = {} if xvectors is None else {_XVECTOR.name: list(xvectors)}
        self._table.write([voice.voice_id for voice in voices], voices, extra)


def iter_voices(directory: Place, xvectors: bool = False) -> Iterator[tuple[list[Voice], Matrix | None]]:
    """The voices in the order of the file, row group by row group, so that memory stays flat.

    With `xvectors` their x-vectors come too, float32 [N, Dx]; None where the table has none.
    """
    place = directory / VOICES_TABLE
    columns = (*_VOICE_COLUMNS, _XVECTOR) if xvectors else _VOICE_COLUMNS
    seen: set[str] = set()
    for batch in _batches(place, columns, [_XVECTOR.name]):
        voices = _rows(place, Voice, _VOICE_COLUMNS, batch)
        _check(place, seen, [(voice.voice_id, voice_problem(voice)) for voice in voices])
        has_xvectors = xvectors and _XVECTOR.name in batch.schema.names
        yield voices, np.stack(_values(place, _XVECTOR, batch)) if has_xvectors else None


class _Table:
    """A Parquet file of dataclass rows that is being written. `extra` are vectors that the dataclass has no field for.

    The first group decides the schema: which vectors there are, and how wide. `ids` are kept, to refuse a second one.
    """

    def __init__(
        self, file: IO[bytes], name: str, columns: Sequence[Column], problem: Callable[[Any], str | None]
    ) -> None:
        self._file, self._name, self._columns, self._problem = file, name, columns, problem
        self._ids: set[str] = set()
        self._widths: dict[str, int] = {}
        self._parquet: Any = None

    @property
    def rows(self) -> int:
        return len(self._ids)

    def write(self, ids: Sequence[str], rows: Sequence[Any], extra: Mapping[str, list[Any]]) -> None:
        if not rows:
            return
        for row_id, row in zip(ids, rows, strict=True):
            problem = "is there twice" if row_id in self._ids else self._problem(row)
            if problem:
                raise LawBroken(f"{self._name}: {row_id!r}: {problem}")
            self._ids.add(row_id)
        values = {column.name: _column_of(column, rows, extra) for column in self._columns}
        if self._parquet is None:
            self._start({name: width for name in values if (width := _width(self._columns, name, values[name]))})
        self._parquet.write_table(self._arrow(values), row_group_size=len(rows))

    def finish(self) -> None:
        if self._parquet is None:
            self._start({})
        self._parquet.close()

    def abandon(self) -> None:
        """Left open, pyarrow would write a footer whenever it is collected."""
        if self._parquet is not None:
            self._parquet.close()

    def _start(self, widths: dict[str, int]) -> None:
        self._widths = widths
        schema = schema_of(self._columns, widths)
        self._parquet = pq.ParquetWriter(self._file, schema, compression="zstd", write_page_checksum=True)

    def _arrow(self, values: Mapping[str, list[Any]]) -> Any:
        arrays = []
        for column in self._columns:
            if column.is_vector and column.name not in self._widths:
                if any(value is not None for value in values[column.name]):
                    raise LawBroken(f"{self._name}: {column.name} is there, but the first rows had none")
                continue
            try:
                arrays.append(pack(column, values[column.name], self._widths.get(column.name)))
            except ValueError as error:
                raise LawBroken(f"{self._name}: {error}") from error
        return pa.Table.from_arrays(arrays, schema=schema_of(self._columns, self._widths))


@contextmanager
def _open_table(place: Place, columns: Sequence[Column], problem: Callable[[Any], str | None]) -> Iterator[_Table]:
    with place.writing() as file:
        table = _Table(file, place.name, columns, problem)
        try:
            yield table
        except BaseException:  # an interrupt too leaves no half-written table
            table.abandon()
            raise
        table.finish()


def _column_of(column: Column, rows: Sequence[Any], extra: Mapping[str, list[Any]]) -> list[Any]:
    if column.name in extra or not hasattr(rows[0], column.name):
        return extra.get(column.name, [None] * len(rows))
    return [getattr(row, column.name) for row in rows]


def _width(columns: Sequence[Column], name: str, values: list[Any]) -> int:
    """Width of the first vector that is there; 0 where there is none, or where the column holds no vectors."""
    is_vector = any(column.name == name and column.is_vector for column in columns)
    return next((len(value) for value in values if value is not None), 0) if is_vector else 0


def _batches(place: Place, columns: Sequence[Column], besides: Collection[str] = ()) -> Iterator[Any]:
    """The row groups, as tables with the columns asked for that the file has; it may have others `besides`."""
    if not place.is_file():
        raise CorpusError(f"{_label(place)}: the file is missing")
    try:
        with place.filesystem.open_input_file(place.path) as stream:
            parquet = pq.ParquetFile(stream, page_checksum_verification=True)
            _check_schema(place, parquet.schema_arrow, columns, besides)
            names = [column.name for column in columns if column.name in parquet.schema_arrow.names]
            for group in range(parquet.num_row_groups):
                yield parquet.read_row_group(group, columns=names).combine_chunks()
    except (pa.ArrowException, OSError) as error:
        raise CorpusError(f"{_label(place)}: damaged, or not a Parquet file: {str(error).splitlines()[0]}") from error


def _check_schema(place: Place, schema: Any, columns: Sequence[Column], besides: Collection[str]) -> None:
    expected = {column.name: column for column in columns}
    missing = [c.name for c in columns if c.name not in schema.names and not c.is_vector]
    unknown = [name for name in schema.names if name not in expected and name not in besides]
    wrong = [name for name in schema.names if name in expected and not _is_of(schema.field(name), expected[name])]
    for what, names in (("lacks", missing), ("has the unknown", unknown), ("has values of a wrong type in", wrong)):
        if names:
            raise CorpusError(f"{_label(place)}: not a table of this kind: it {what} {', '.join(names)}")


def _is_of(field: Any, column: Column) -> bool:
    if column.is_vector:
        return bool(pa.types.is_fixed_size_list(field.type) and field.type.value_type == pa.float32())
    return bool(field.type == column.arrow_type)


def _rows(place: Place, cls: type[Any], columns: Sequence[Column], batch: Any) -> list[Any]:
    return list(map(cls, *(_values(place, column, batch) for column in columns)))


def _values(place: Place, column: Column, batch: Any) -> list[Any]:
    if column.is_vector and column.name not in batch.schema.names:
        if not column.nullable:
            raise CorpusError(f"{_label(place)}: {column.name} is missing")
        return [None] * batch.num_rows
    array = batch.column(column.name).combine_chunks()
    if array.null_count and not column.nullable:
        raise CorpusError(f"{_label(place)}: {column.name} is missing in {array.null_count} rows")
    try:
        return unpack(column, array)
    except ValueError as error:
        raise CorpusError(f"{_label(place)}: {error}") from error


def _check(place: Place, seen: set[str], problems: Iterable[tuple[str, str | None]]) -> None:
    for row_id, problem in problems:
        if row_id in seen:
            raise CorpusError(f"{_label(place)}: {row_id!r} is there twice")
        if problem:
            raise CorpusError(f"{_label(place)}: {row_id!r}: {problem}")
        seen.add(row_id)


def _label(place: Place) -> str:
    """The file with its directory's name, and no more of the path."""
    return "/".join(place.path.rsplit("/", 2)[-2:])
