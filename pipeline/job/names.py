"""Checks what the user calls the input, before any work: the names stand in every row."""

from manifests.errors import InputError

LONGEST_NAME = 150
LONGEST_LICENSE = 1000

_SHOWN = 40


def check_names(dataset: str | None, license: str | None) -> None:
    """Raise InputError for a name of a data set or a license that no row or file can hold."""
    for option, text, longest in (("--dataset", dataset, LONGEST_NAME), ("--license", license, LONGEST_LICENSE)):
        if text is None:
            continue
        if not text.strip():
            raise InputError(f"{option} is empty: leave it out, or give a name")
        if not text.isprintable():
            raise InputError(f"{option} {shown(text)}: leave out control characters and what is not a character")
        if len(text) > longest:
            raise InputError(f"{option} {shown(text)} has {len(text)} characters: take at most {longest}")


def shown(text: str) -> str:
    """Return the text as a message can hold it: quoted, and not longer than a line."""
    return repr(text if len(text) <= _SHOWN else text[:_SHOWN] + "...")
