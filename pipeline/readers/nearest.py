"""Say in words what a row that no format fits has, what it is nearest to, and what to do."""

from collections.abc import Mapping
from difflib import get_close_matches

from pipeline.readers.format import Format, Row
from pipeline.readers.formats import formats
from pipeline.readers.messages import names_message
from pipeline.readers.text import clean_text

SIMILAR = 0.8
"""How alike two keys must be to be taken for one ("instructions", "instruction"), by difflib's ratio."""


def key_list(row: Row) -> str:
    """Return the first keys of the row, to be shown to people."""
    shown = [repr(clean_text(key)[:40]) for key in sorted(row)[:12]]
    return ", ".join(shown) + (", ..." if len(row) > len(shown) else "") or "(none)"


def advice(row: Row) -> str:
    """Return what to do about a row that no format fits."""
    values = list(row.values())
    if names_message(row.keys()):
        return 'each row is one message: put the messages of a conversation into one row, {"messages": [...]}'
    if len(values) > 1 and all(isinstance(value, list) for value in values):
        return "its values are columns: write one object for each row"
    if values and all(isinstance(value, Mapping) for value in values):
        return "its values are objects: if they are rows, write them as a list"
    if found := _nearest(row):
        wanted = ", ".join(repr(key) for key in sorted(found.keys))
        return (
            f"the nearest format is {found.name} ({wanted}): rename the keys, see `parley formats show {found.name}`"
        )
    return "none is near: see `parley formats list`"


def _nearest(row: Row) -> Format | None:
    """Return the format with the largest share of its keys in the row; None if no key is alike."""
    scores = {name: _share(form, row) for name, form in formats().items()}
    best = max(scores, key=lambda name: scores[name])
    return formats()[best] if scores[best] else None


def _share(form: Format, row: Row) -> float:
    lower = [key.lower() for key in row]
    return sum(bool(get_close_matches(key.lower(), lower, 1, SIMILAR)) for key in form.keys) / len(form.keys)
