"""Checks what the user calls the input, before any work: the names stand in every row."""

import sys

from manifests.clips import is_safe_id
from manifests.errors import InputError

LONGEST_NAME = 150
LONGEST_LICENSE = 1000
DIGEST_BYTES = 10
"""Of the digest of a row's texts, in its id."""

_DATASET_RULE = "take up to 150 letters a-z, A-Z, digits, dots, hyphens and underscores, a letter or digit first"

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
    longest_id = dialogue_id(dataset or "", "0" * (2 * DIGEST_BYTES), sys.maxsize)
    if dataset is not None and not is_safe_id(longest_id):
        raise InputError(f"--dataset {shown(dataset)}: {_DATASET_RULE}")


def dialogue_id(dataset: str, digest: str, times: int) -> str:
    """Return the id of a row whose texts have this digest, and stand in the input for the `times`-th time."""
    return f"{dataset}-{digest}" if times == 1 else f"{dataset}-{digest}-{times}"


def shown(text: str) -> str:
    """Return the text as a message can hold it: quoted, and not longer than a line."""
    return repr(text if len(text) <= _SHOWN else text[:_SHOWN] + "...")
