"""Names the columns of a row, as people and READMEs write them (`turns.take.seed`) and as Parquet does."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import pyarrow as pa

from manifests.arrow import arrow_schema
from manifests.errors import UserError

AUDIO_BYTES = "turns.take.audio.bytes"


@dataclass(frozen=True)
class Column:
    """Describes one leaf of the row: dotted `name`, path inside a Parquet file, type, and whether it may be null."""

    name: str
    parquet_path: str
    arrow_type: Any
    nullable: bool

    @property
    def holds_audio(self) -> bool:
        """Tell whether it holds encoded clips or channels: nothing else in a row is bytes."""
        return bool(pa.types.is_large_binary(self.arrow_type))


@cache
def columns() -> tuple[Column, ...]:
    """Return all leaves in the order of the schema."""
    return tuple(leaf for field in arrow_schema() for leaf in _leaves(field, field.name, field.name))


def _leaves(field: Any, name: str, path: str) -> Iterator[Column]:
    kind = field.type
    if pa.types.is_list(kind):
        yield from _leaves(kind.value_field, name, f"{path}.list.element")
    elif pa.types.is_struct(kind):
        for part in kind:
            yield from _leaves(part, f"{name}.{part.name}", f"{path}.{part.name}")
    else:
        yield Column(name, path, kind, field.nullable)


def parquet_paths(names: Iterable[str]) -> list[str]:
    """Return the Parquet paths of columns; each name is a leaf or a whole group ("turns", "turns.take.audio").

    Raises a UserError that lists the columns for any other name.
    """
    chosen = list(names)
    unknown = [name for name in chosen if not any(_covers(name, column) for column in columns())]
    if unknown or not chosen:
        known = ", ".join(column.name for column in columns())
        raise UserError(f"no such column: {', '.join(unknown) or 'none asked for'}; the columns are {known}")
    return [column.parquet_path for column in columns() if any(_covers(name, column) for name in chosen)]


def _covers(name: str, column: Column) -> bool:
    return column.name == name or column.name.startswith(f"{name}.")


def paths_without_audio() -> list[str]:
    """Return the Parquet paths of every column except the encoded bytes of the clips."""
    return [column.parquet_path for column in columns() if not column.holds_audio]


def column_table() -> str:
    """Return the columns as a Markdown table, for the README."""
    rows = [f"| `{c.name}` | {c.arrow_type} | {'yes' if c.nullable else 'no'} |" for c in columns()]
    return "\n".join(["| column | type | may be null |", "|---|---|---|", *rows]) + "\n"
