"""A bank's `card.json`: where its voices come from, under which licenses, and how they were made."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from manifests.errors import CorpusError, LawBroken, UserError
from manifests.private_paths import is_private
from manifests.storage import Place

CARD_FILE = "card.json"

_SECRET_KEY = re.compile(r"(^|[_-])(api_?key|token|password|passwd|secret|credentials?)$", re.IGNORECASE)


def write_card(directory: Place, card: Mapping[str, Any]) -> None:
    """Write `card.json`, keys sorted, if it passes `check_card`."""
    (directory / CARD_FILE).write_text(check_card(card))


def check_card(card: Mapping[str, Any]) -> str:
    """The card as text. Cards travel: UserError for one that holds an absolute path, a password in an address, or a
    key such as `api_key`; LawBroken for one without a name, or that is not JSON."""
    if not _has_name(card):
        raise LawBroken("the card of a voice bank needs a name")
    for where, value in _leaves(card):
        if _SECRET_KEY.search(where.rsplit(".", 1)[-1]):
            raise UserError(f"{where} must not stand in a voice bank's card")
        if is_private(str(value)):
            raise UserError(f"{where}: a voice bank's card must not hold paths of this machine, or passwords")
    try:
        return json.dumps(card, ensure_ascii=False, indent=2, sort_keys=True, allow_nan=False) + "\n"
    except (TypeError, ValueError) as error:
        raise LawBroken(f"the card of a voice bank is not JSON: {error}") from error


def read_card(directory: Place) -> dict[str, Any]:
    """The bank's card, which has a name at least; CorpusError where it is missing or broken."""
    file = directory / CARD_FILE
    label = f"{directory.name}/{CARD_FILE}"
    if not file.is_file():
        raise CorpusError(f"{label}: the voice bank has no card")
    try:
        card = json.loads(file.read_text())
    except ValueError as error:
        raise CorpusError(f"{label}: not valid JSON: {error}") from error
    if not isinstance(card, dict) or not _has_name(card):
        raise CorpusError(f"{label}: the card has no name")
    return card


def _has_name(card: Mapping[str, Any]) -> bool:
    return isinstance(card.get("name"), str) and bool(card["name"])


def _leaves(value: Any, where: str = "") -> Iterator[tuple[str, Any]]:
    """All texts and numbers in the card, each with the dotted path of its keys; keys are texts too."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield where or "a key", key
            yield from _leaves(inner, f"{where}.{key}" if where else str(key))
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _leaves(inner, where)
    else:
        yield where, value
