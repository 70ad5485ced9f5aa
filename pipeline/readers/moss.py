"""Read the formats of MOSS-002 and MOSS-003."""

import re
from collections.abc import Mapping
from typing import Any

from pydantic import Field

from manifests.reasons import Reason
from pipeline.readers.format import Format, keys
from pipeline.readers.turns import Fields, Parsed, RowFields, Text, agent, unknown_schema, user

_SPEAKER = re.compile(r"\[(Human|MOSS)\]:")
_SPECIAL = re.compile(r"^\s*<\|[^|<>\n]{1,20}\|>:|<eo[hamtcr]>")
_TURN_NAME = re.compile(r"turn_([0-9]{1,9})")


class _Moss002(RowFields):
    plain_text: Text


class _MossTurn(Fields):
    human: Text = Field(validation_alias="Human")
    moss: Text = Field("", validation_alias="MOSS")
    commands: Text = Field("", validation_alias="Commands")
    results: Text = Field("", validation_alias="Tool Responses")


class _Moss003(RowFields):
    chat: dict[str, _MossTurn | None]


def moss_002(row: Mapping[str, object]) -> Parsed:
    """Read MOSS-002: `[Human]:` and `[MOSS]:` within `plain_text`; `prefix`, the system prompt, is dropped."""
    fields = _Moss002.model_validate(row)
    before, *rest = _SPEAKER.split(fields.plain_text)
    if before.strip() or not rest:
        return unknown_schema(fields.id, 'plain_text: does not begin with "[Human]:" or "[MOSS]:"')
    pairs = zip(rest[::2], rest[1::2], strict=True)
    turns = (user(_bare(text)) if speaker == "Human" else agent(_bare(text)) for speaker, text in pairs)
    return Parsed(fields.id, tuple(turns))


def is_moss_002(row: Mapping[str, object]) -> bool:
    """Whether `plain_text` has a turn of MOSS."""
    text = row["plain_text"]
    return isinstance(text, str) and "[MOSS]:" in text


def moss_003(row: Mapping[str, object]) -> Parsed:
    """Read MOSS-003: turns in the order of their numbers; `meta_instruction` and inner thoughts are dropped.

    A row with a command or an answer of a tool is rejected: its turns rest on results that nobody hears.
    """
    fields = _Moss003.model_validate(row)
    numbers = {name: _TURN_NAME.fullmatch(name) for name in fields.chat}
    if bad := [name for name, number in numbers.items() if not number]:
        return unknown_schema(fields.id, f"chat: {bad[0][:40]!r} is not the name of a turn")
    named = sorted((int(number[1]), fields.chat[name]) for name, number in numbers.items() if number)
    turns = [turn for _, turn in named if turn is not None]
    spoken = tuple(part for turn in turns for part in (user(_bare(turn.human)), agent(_bare(turn.moss))))
    used = [number for number, turn in named if turn and _is_used(turn)]
    if used:
        return Parsed(fields.id, spoken, Reason.PLUGIN_ROW, f"turn {used[0]} calls a plug-in")
    return Parsed(fields.id, spoken)


def is_moss_003(row: Mapping[str, Any]) -> bool:
    """Whether `chat` is an object of turns."""
    return isinstance(row["chat"], dict)


def _bare(text: str) -> str:
    return _SPECIAL.sub("", text).strip()


def _is_used(turn: _MossTurn) -> bool:
    return any(_bare(text).lower() not in ("", "none") for text in (turn.commands, turn.results))


FORMATS = (
    Format(
        "moss-002",
        "MOSS-002: plain_text with [Human]: and [MOSS]:",
        keys("plain_text"),
        moss_002,
        example={
            "id": 1,
            "plain_text": "[Human]: Why is the sky blue?<eoh> [MOSS]: Because air scatters blue light the most.<eoa>",
        },
        sign=is_moss_002,
    ),
    Format(
        "moss-003",
        "MOSS-003: chat of numbered turns",
        keys("chat"),
        moss_003,
        example={
            "conversation_id": "1",
            "chat": {
                "turn_1": {
                    "Human": "<|Human|>: Why is the sky blue?<eoh>\n",
                    "MOSS": "<|MOSS|>: Because air scatters blue light the most.<eom>\n",
                }
            },
        },
        sign=is_moss_003,
    ),
)
