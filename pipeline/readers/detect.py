"""Detect the format of a file by the keys of its first rows."""

from collections.abc import Iterable
from itertools import islice

from manifests.errors import InputError
from manifests.reasons import Reason
from pipeline.readers.formats import Row, formats
from pipeline.readers.nearest import advice, key_list
from pipeline.readers.parse import parse_row
from pipeline.readers.split import RawRow
from pipeline.readers.text import clean_text

SAMPLE_ROWS = 20
CONTAINERS = "an input is JSON, JSON lines or Parquet"
LOOK_AT_ROWS = 200
"""The sample comes from the first `LOOK_AT_ROWS` rows, however many of these are unreadable."""


class NoRows(InputError):
    """A file without a single row."""


def detect(records: Iterable[RawRow], uri: str) -> str:
    """Return the one format that fits the first readable rows.

    Raises NoRows if there is no row, InputError if no format fits, or more than one.
    """
    seen = list(islice(records, LOOK_AT_ROWS))
    if not seen:
        raise NoRows(f"{uri} holds no rows")
    rows = [record.value for record in seen if isinstance(record.value, dict)][:SAMPLE_ROWS]
    if not rows:
        raise InputError(f"{uri}: no row is a readable object; {_problem(seen[0])}; {CONTAINERS}")
    names = widest({name for row in rows for name in _candidates(row)})
    if not names:
        raise InputError(f"{uri}: no format has the keys {key_list(rows[0])}; {advice(rows[0])}")
    if len(names) > 1:
        raise InputError(f"{uri}: the keys {key_list(rows[0])} fit more than one format; {_choice(names)}")
    (name,) = names
    read = [parse_row(row, formats()[name]) for row in rows]
    if all(parsed.reason is Reason.UNKNOWN_SCHEMA for parsed in read):
        raise InputError(
            f"{uri}: the keys {key_list(rows[0])} are those of {name}, but their values are not ({read[0].detail}); "
            f"see `parley formats show {name}`, or pass --format with another name of `parley formats list`"
        )
    return name


def widest(names: Iterable[str]) -> set[str]:
    """Return the formats that are needed to read rows of all formats of `names`: one, if they go together."""
    all_names = set(names)
    strict = {name for name in all_names if not formats()[name].loose} or all_names
    return strict - {other for name in strict for other in formats()[name].also_reads}


def _candidates(row: Row) -> set[str]:
    """Return the formats that fit `row`, except those that a closer fit makes redundant."""
    fitting = {name: form for name, form in formats().items() if form.fits(row)}
    return {
        name
        for name, form in fitting.items()
        if not any(
            form.keys < other.keys or (form.keys == other.keys and other.sign and not form.sign)
            for other in fitting.values()
        )
    }


def _choice(names: Iterable[str]) -> str:
    return f"pass --format with one of: {', '.join(sorted(names))}"


def _problem(record: RawRow) -> str:
    begins = f"the first one begins {clean_text(record.raw)[:60]!r}"
    return f"{begins} ({record.problem})" if record.problem else begins
