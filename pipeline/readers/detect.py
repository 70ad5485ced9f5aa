"""Detect the format of a file by the keys of its first rows."""

from collections.abc import Iterable
from itertools import islice

from pydantic import ValidationError

from manifests.errors import InputError
from manifests.reasons import Reason
from pipeline.readers.formats import Row, formats
from pipeline.readers.split import RawRow
from pipeline.readers.text import clean_text

SAMPLE_ROWS = 20
LOOK_AT_ROWS = 200
"""The sample comes from the first `LOOK_AT_ROWS` rows, however many of these are unreadable."""


def detect(records: Iterable[RawRow], uri: str) -> str:
    """Return the one format that fits the first readable rows. Raises InputError if none fits, or more than one."""
    seen = list(islice(records, LOOK_AT_ROWS))
    if not seen:
        raise InputError(f"{uri} holds no rows")
    rows = [record.value for record in seen if isinstance(record.value, dict)][:SAMPLE_ROWS]
    if not rows:
        raise InputError(f"{uri}: no row is a readable object; {_problem(seen[0])}")
    names = _widest({name for row in rows for name in _candidates(row)})
    if not names:
        raise InputError(f"{uri}: no format has the keys {_key_list(rows[0])}; {_advice(formats())}")
    if len(names) > 1:
        raise InputError(f"{uri}: the keys {_key_list(rows[0])} fit more than one format; {_advice(names)}")
    (name,) = names
    if not any(_reads(name, row) for row in rows):
        raise InputError(
            f"{uri}: the keys {_key_list(rows[0])} are those of {name}, but their values are not; {_advice(formats())}"
        )
    return name


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


def _widest(names: set[str]) -> set[str]:
    covered = {other for name in names for other in formats()[name].also_reads}
    return names - covered


def _reads(name: str, row: Row) -> bool:
    try:
        return formats()[name].parse(row).reason is not Reason.UNKNOWN_SCHEMA
    except ValidationError:
        return False


def _key_list(row: Row) -> str:
    shown = [repr(clean_text(key)[:40]) for key in sorted(row)[:12]]
    return ", ".join(shown) + (", ..." if len(row) > len(shown) else "") or "(none)"


def _advice(names: Iterable[str]) -> str:
    return f"pass --format with one of: {', '.join(sorted(names))}"


def _problem(record: RawRow) -> str:
    begins = f"the first one begins {clean_text(record.raw)[:60]!r}"
    return f"{begins} ({record.problem})" if record.problem else begins
