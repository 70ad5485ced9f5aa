"""Reads the lists that a corpus is compared with: benchmarks' questions and answers."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from manifests.errors import InputError, UserError
from manifests.storage import Place
from pipeline.readers.nearest import key_list
from pipeline.readers.read import open_rows, read_rows
from pipeline.readers.text_stream import PARQUET, TextSource, find_file, first_bytes

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class ListedText:
    """One text of a list: the file's bare name, and line or row from 1."""

    file: str
    row: int
    text: str


@dataclass(frozen=True)
class TextList:
    """One file of texts, with the hash of its bytes."""

    file: str
    sha256: str
    texts: tuple[ListedText, ...]


def read_list(uri: str | Place, fields: Sequence[str] = ()) -> TextList:
    """Read the texts of one file: plain text lines, JSON, JSON lines or Parquet.

    `fields` are the keys whose texts are meant, with dots into objects; lists inside are gone through. Without them,
    rows that are texts are taken as they are, and other rows as an input of a known format (`pipeline.readers`).
    Raises InputError for a file that cannot be read, and UserError where no field is named and no format fits.
    """
    place = find_file(uri)
    name = PurePosixPath(place.path).name
    found = list(_texts(place, name, fields))
    texts = tuple(ListedText(name, row, text.strip()) for row, text in found if text.strip())
    if not texts:
        where = f" under {', '.join(fields)}" if fields else ""
        raise UserError(f"{name} holds no texts{where}")
    return TextList(name, _sha256(place), texts)


def _texts(place: Place, name: str, fields: Sequence[str]) -> Iterator[tuple[int, str]]:
    if not first_bytes(place).startswith(PARQUET):
        source = TextSource(place)
        head = source.read()
        if not head.lstrip().startswith(("{", "[", '"')):
            yield from enumerate(_lines(head, source, name), start=1)
            return
    for row, record in enumerate(open_rows(place), start=1):
        if record.problem is not None:
            raise InputError(f"{name} row {row}: {record.problem}")
        if isinstance(record.value, str) and not fields:
            yield row, record.value
        elif not fields:
            yield from _by_format(place, name, record.value)
            return
        else:
            yield from ((row, text) for field in fields for text in _leaves(record.value, field.split(".")))


def _by_format(place: Place, name: str, first: object) -> Iterator[tuple[int, str]]:
    try:
        rows = read_rows(place)
    except InputError as error:
        keys = key_list(first) if isinstance(first, dict) else "no keys"
        raise UserError(f"{name}: name the fields of the texts with --field; the rows have {keys}") from error
    for row, source in enumerate(rows, start=1):
        yield from ((row, turn.text) for turn in source.turns)


def _leaves(value: Any, path: Sequence[str]) -> Iterator[str]:
    """Yield the texts at a path of keys."""
    if isinstance(value, list):
        for item in value:
            yield from _leaves(item, path)
    elif not path:
        if isinstance(value, str):
            yield value
    elif isinstance(value, dict):
        yield from _leaves(value.get(path[0]), path[1:])


def _lines(head: str, source: TextSource, name: str) -> list[str]:
    text = head + "".join(iter(source.read, ""))
    if source.broken is not None:
        raise InputError(f"{name}: {source.broken}")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise InputError(f"{name} is neither text in UTF-8, nor JSON, nor Parquet") from None
    return text.splitlines()


def _sha256(place: Place) -> str:
    digest = hashlib.sha256()
    with place.filesystem.open_input_stream(place.path) as stream:
        while block := stream.read(_CHUNK):
            digest.update(block)
    return digest.hexdigest()
