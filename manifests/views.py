"""Views: named choices of the kept rows of a finished corpus, as small files inside it. No audio is copied.

::

    CORPUS/views/splits.parquet    a line for each kept row, in the order of the corpus: dialogue_id, part
    CORPUS/views/splits.json       the parts by name, how they were made, and for which corpus; written last

A row belongs to one part or to none. In a nested view a part holds the parts before it too: the rows of XS are rows of
S. A view names the hash of the manifest that it was made for, and is refused beside any other.
"""

import dataclasses
import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from manifests.errors import CorpusError, UserError
from manifests.json_text import parse_json
from manifests.manifest import manifest_hash, parse_record
from manifests.row_groups import open_row_groups, read_row_groups
from manifests.sealed_json import is_sealed, sealed_text, without_seal
from manifests.storage import Place

VIEWS = "views"
VIEW_FORMAT = "parley-view/1"

PartNumbers = npt.NDArray[np.int8]
"""int8 [kept rows]: the number of each row's part; -1 for a row in none."""

_SCHEMA = pa.schema([pa.field("dialogue_id", pa.large_string(), nullable=False), pa.field("part", pa.int8())])
_GROUP_ROWS = 65_536
_MOST_PARTS = 100
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


@dataclass(frozen=True, slots=True)
class View:
    """Holds what a view's JSON file says.

    `rows` are the kept rows of the corpus, `bytes` and `sha256` those of the Parquet file. `about` says how the view
    was made and what its parts hold: options, hours, coverage, notes for people.
    """

    name: str
    parts: tuple[str, ...]
    nested: bool
    manifest_sha256: str
    parley_version: str
    rows: int
    bytes: int
    sha256: str
    about: dict[str, Any]
    format: str = VIEW_FORMAT


def write_view(
    place: Place,
    name: str,
    parts: Sequence[str],
    numbers: PartNumbers,
    ids: pa.Array,
    about: Mapping[str, Any],
    parley_version: str,
    nested: bool = False,
) -> View:
    """Write a view of the corpus `place`, in the place of an older one of that name.

    `numbers` is each kept row's part (-1: none) and `ids` its dialogue_id, in the order of the corpus. Raises a
    UserError for a name that cannot be one.
    """
    check_names(name, parts)
    if VIEWS in place.links():
        raise UserError(f"{place}: {VIEWS} is a symbolic link: a view is not written through it")
    data, about_file = _files(place, name)
    about_file.delete()  # a killed writer leaves no view, rather than one that does not fit its file
    for file in (data, about_file):
        (place / VIEWS).delete_leftovers(file.name)
    table = pa.table([ids.cast(pa.large_string()), pa.array(numbers, mask=numbers < 0)], schema=_SCHEMA)
    with open_row_groups(data, _SCHEMA) as writer:
        for start in range(0, table.num_rows, _GROUP_ROWS):
            writer.write(table.slice(start, _GROUP_ROWS).combine_chunks())
    size, digest = _size_and_hash(data)
    view = View(
        name, tuple(parts), nested, manifest_hash(place), parley_version, len(numbers), size, digest, dict(about)
    )
    about_file.write_text(sealed_text(dataclasses.asdict(view)))
    return view


def check_names(name: str, parts: Sequence[str]) -> None:
    """Raise a UserError for names that a view and its parts cannot have."""
    if not _NAME.fullmatch(name):
        raise UserError(f"a view cannot be named {name!r}: lower-case letters, digits, - and _")
    for part in parts:
        if not _PART.fullmatch(part):
            raise UserError(f"a part of a view cannot be named {part!r}: letters, digits, -, _ and dots")
    if len(set(parts)) != len(parts) or not 0 < len(parts) <= _MOST_PARTS:
        raise UserError(f"a view has 1 to {_MOST_PARTS} parts of different names")


def view_names(place: Place) -> tuple[str, ...]:
    """Return the names of the corpus's views, sorted."""
    files = [file.name for file in (place / VIEWS).list()]
    return tuple(name.removesuffix(".json") for name in files if name.endswith(".json"))


def load_view(place: Place, name: str) -> View:
    """Load what a view's JSON file says.

    Raises UserError if there is no such view, and CorpusError if the file is damaged or was made for another corpus
    than the one in `place`.
    """
    if name not in view_names(place):
        there = ", ".join(view_names(place)) or "none"
        raise UserError(f"{place}: no view {name!r}; views of this corpus: {there}")
    view = _parse(place, name)
    if view.manifest_sha256 != manifest_hash(place):
        raise CorpusError(f"{VIEWS}/{name}.json was made for a corpus with another manifest: make the view again")
    return view


def part_numbers(place: Place, view: View) -> PartNumbers:
    """Read each kept row's part. Raises CorpusError if the file is damaged or does not fit what the view says."""
    file = _files(place, view.name)[0]
    tables = list(read_row_groups(file, _schema_problem, ["part"]))
    column = pa.concat_tables([_SCHEMA.empty_table().select(["part"]), *tables])["part"]
    numbers = np.asarray(column.fill_null(-1).to_numpy(), dtype=np.int8)
    if len(numbers) != view.rows or (len(numbers) and not -1 <= numbers.min() <= numbers.max() < len(view.parts)):
        raise CorpusError(f"{VIEWS}/{file.name} does not hold what {view.name}.json says")
    return numbers


def rows_of_views(
    place: Place, status: str, rows: int, chosen: Sequence[tuple[str, str | None]]
) -> npt.NDArray[np.int64]:
    """Return the numbers of the kept rows, ascending, that are in every chosen (view, part).

    Without a part, the view's name is that of a view with a single part, or VIEW/PART. Raises like `load_view`, and
    UserError for a part that the view does not have.
    """
    if status != "kept":
        raise UserError(f"views are made of kept rows, not of {status} ones")
    inside = np.ones(rows, dtype=bool)
    for name, part in chosen:
        if part is None and "/" in name:
            name, part = name.split("/", 1)
        view = load_view(place, name)
        if view.rows != rows:
            raise CorpusError(f"{VIEWS}/{name}.json is of {view.rows} rows, but the corpus has {rows}")
        inside &= rows_in(view, part_numbers(place, view), part)
    return np.flatnonzero(inside).astype(np.int64)


def rows_in(view: View, numbers: PartNumbers, part: str | None) -> npt.NDArray[np.bool_]:
    """Tell for each row whether it is in the part; None: the only one. Raises UserError if there is no such part."""
    parts = ", ".join(view.parts)
    if part is None and len(view.parts) > 1:
        raise UserError(f"the view {view.name} has several parts: name one as {view.name}/PART, of {parts}")
    if part is not None and part not in view.parts:
        raise UserError(f"the view {view.name} has no part {part!r}; its parts are {parts}")
    number = 0 if part is None else view.parts.index(part)
    return (numbers >= 0) & (numbers <= number) if view.nested else numbers == number


def view_problems(place: Place, ids: Iterator[pa.Array]) -> Iterator[tuple[str, str]]:
    """Yield (file, message) for everything that is wrong with the views of a corpus.

    `ids` yields the dialogue_ids of the kept rows in order; it is read only where there is a view.
    """
    files = {file.name for file in (place / VIEWS).list(leftovers=True)}
    names = view_names(place)
    for name in sorted(files - {f"{name}{end}" for name in names for end in (".json", ".parquet")}):
        yield f"{VIEWS}/{name}", "does not belong to the corpus"
    kept = pa.chunked_array(list(ids) if names else [], pa.string())
    for name in names:
        try:
            view = load_view(place, name)
            _check_file(place, view, kept)
            if not is_sealed(_files(place, name)[1].read_text()):
                yield f"{VIEWS}/{name}.json", "its hash is not that of what it says: make the view again"
        except (CorpusError, UserError) as error:
            yield f"{VIEWS}/{name}.json", str(error)


def _check_file(place: Place, view: View, kept: pa.ChunkedArray) -> None:
    """Raise CorpusError unless the view's Parquet file is the one that it names, and lists the corpus's rows."""
    file = _files(place, view.name)[0]
    if not file.is_file() or _size_and_hash(file) != (view.bytes, view.sha256):
        raise CorpusError(f"{file.name} is missing, or is not the file that the view names")
    part_numbers(place, view)
    tables = read_row_groups(file, _schema_problem, ["dialogue_id"])
    listed = pa.chunked_array([chunk for table in tables for chunk in table[0].chunks], pa.large_string())
    if not listed.equals(kept.cast(pa.large_string())):
        raise CorpusError(f"{file.name} does not list the kept rows of the corpus")


def _parse(place: Place, name: str) -> View:
    file = f"{VIEWS}/{name}.json"
    try:
        data = parse_json(_files(place, name)[1].read_text())
    except (OSError, ValueError) as error:
        raise CorpusError(f"{file}: not JSON, or cannot be read: {error}") from error
    if not isinstance(data, dict) or data.get("format") != VIEW_FORMAT:
        raise CorpusError(f"{file}: its format is not {VIEW_FORMAT}")
    view = parse_record(View, without_seal(data), "view")
    try:
        check_names(view.name, view.parts)
    except UserError as error:
        raise CorpusError(f"{file}: {error}") from error
    if view.name != name:
        raise CorpusError(f"{file}: holds a view of the name {view.name}")
    return view


def _files(place: Place, name: str) -> tuple[Place, Place]:
    return place / VIEWS / f"{name}.parquet", place / VIEWS / f"{name}.json"


def _schema_problem(schema: pa.Schema) -> str | None:
    return None if schema.equals(_SCHEMA) else "not the rows of a view"


def _size_and_hash(file: Place) -> tuple[int, str]:
    data = file.read_bytes()
    return len(data), hashlib.sha256(data).hexdigest()
