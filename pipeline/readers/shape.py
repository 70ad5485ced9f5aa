"""Bring rows of the same content but another shape into the one shape that the formats read."""

import json
from typing import cast

from pipeline.readers.messages import is_message

_PACKED = ("messages", "conversations", "conversation", "data", "history", "chat")
"""Keys whose lists and objects some files hold as JSON in a text."""


def as_object(value: object) -> object:
    """Return the row as an object where it stands for one.

    A bare list of messages becomes {"messages": ...}, or {"conversations": ...} where its messages have ShareGPT's
    keys. Lists and objects that are packed into a text are unpacked. Everything else is returned as it is.
    """
    if is_conversation(value):
        messages = cast(list[dict[str, object]], value)
        return {"conversations" if all("value" in message for message in messages) else "messages": messages}
    if not isinstance(value, dict):
        return value
    packed = {key: found for key in _PACKED if key in value and (found := _unpacked(value[key])) is not None}
    return {**value, **packed} if packed else value


def is_conversation(value: object) -> bool:
    """Whether `value` is a list of messages."""
    return isinstance(value, list) and bool(value) and all(map(is_message, value))


def _unpacked(value: object) -> object:
    """Return the list or object in the text `value`; None if there is none."""
    if not isinstance(value, str) or value.lstrip()[:1] not in ("[", "{"):
        return None
    try:
        found = json.loads(value, strict=False)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, list | dict) else None
