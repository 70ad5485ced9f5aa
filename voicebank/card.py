"""Reads, checks and writes a bank's `card.json`: where its voices come from, their licenses, how they were made."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from manifests.credentials import is_secret_key
from manifests.errors import CorpusError, LawBroken, UserError
from manifests.json_text import parse_json
from manifests.private_paths import is_private
from manifests.storage import Place

CARD_FILE = "card.json"


def write_card(directory: Place, card: Mapping[str, Any]) -> None:
    """Write `card.json` with sorted keys. Raises like `check_card`."""
    (directory / CARD_FILE).write_text(check_card(card))


def check_card(card: Mapping[str, Any]) -> str:
    """Check a card and return it as text.

    Cards travel, so one that holds an absolute path, a password in an address, or a key such as `api_key` raises
    UserError. LawBroken for a card without a name, and for one that JSON cannot hold.
    """
    if not _has_name(card):
        raise LawBroken("the card of a voice bank needs a name")
    for where, value in _leaves(card):
        if is_secret_key(where.rsplit(".", 1)[-1]):
            raise UserError(f"{where}: a voice bank's card must not hold keys or passwords; remove the entry")
        if is_private(str(value)):
            raise UserError(
                f"{where}: a voice bank's card must not hold paths of this machine or passwords; give a name instead"
            )
    try:
        return json.dumps(card, ensure_ascii=False, indent=2, sort_keys=True, allow_nan=False) + "\n"
    except (TypeError, ValueError) as error:
        raise LawBroken(f"the card of a voice bank is not JSON: {error}") from error


def read_card(directory: Place) -> dict[str, Any]:
    """Read a bank's card. CorpusError where it is missing, broken or without a name."""
    file = directory / CARD_FILE
    label = f"{directory.name}/{CARD_FILE}"
    if not file.is_file():
        raise CorpusError(f"{label}: the voice bank has no card")
    try:
        card = parse_json(file.read_text())
    except ValueError as error:
        raise CorpusError(f"{label}: not valid JSON: {error}") from error
    if not isinstance(card, dict) or not _has_name(card):
        raise CorpusError(f"{label}: the card has no name")
    return card


def _has_name(card: Mapping[str, Any]) -> bool:
    return isinstance(card.get("name"), str) and bool(card["name"])


def _leaves(value: Any, where: str = "") -> Iterator[tuple[str, Any]]:
    """Yield all texts and numbers in the card, keys among them, each with the dotted path of its keys."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield where or "a key", key
            yield from _leaves(inner, f"{where}.{key}" if where else str(key))
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _leaves(inner, where)
    else:
        yield where, value
