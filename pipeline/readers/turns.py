"""Share checked fields and the tidying of turns among the formats."""

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field

from manifests.changes import replace
from manifests.reasons import Reason
from manifests.schema import Role
from pipeline.readers.rows import SourceTurn
from pipeline.readers.text import clean_text


def _text(value: object) -> object:
    """Clean a text; null and NaN, which pandas writes for a missing text, become the empty text."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return clean_text(value) if isinstance(value, str) else value


def _row_id(value: object) -> str | None:
    """Read an id. Ids are optional, so an id that is neither a text nor an integer is ignored."""
    if isinstance(value, str):
        return clean_text(value).strip() or None
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None


def _value(value: object) -> object:
    """Read a text or, as material and answers are in some rows, a number."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return str(value) if is_number else _text(value)


Text = Annotated[str, BeforeValidator(_text)]
Value = Annotated[str, BeforeValidator(_value)]
RowId = Annotated[str | None, BeforeValidator(_row_id)]


class Fields(BaseModel):
    """Base of the fields of a row; fields that a class does not name are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class RowFields(Fields):
    """Base of the fields of a whole row, which may have an id under one of four names."""

    id: Annotated[
        RowId, Field(validation_alias=AliasChoices("id", "conversation_id", "conversation_hash", "prompt_id"))
    ] = None


@dataclass(frozen=True, slots=True)
class Parsed:
    """A row as its format reads it: the turns before `tidy`, and the reason why it cannot be used, if there is one.

    `tools` are the schemas of tools, as JSON.
    """

    row_id: str | None
    turns: tuple[SourceTurn, ...]
    reason: Reason | None = None
    detail: str | None = None
    tools: str | None = None


def unknown_schema(row_id: str | None, detail: str) -> Parsed:
    """Return a row that its format cannot read, and `detail` says why."""
    return Parsed(row_id, (), Reason.UNKNOWN_SCHEMA, detail)


def user(text: str, material: str = "") -> SourceTurn:
    """Make a user turn; without an instruction, the material becomes the text of the turn."""
    return SourceTurn("user", text, material) if text.strip() else SourceTurn("user", material)


def agent(text: str) -> SourceTurn:
    """Make an agent turn."""
    return SourceTurn("agent", text)


def alternate(texts: Iterable[str]) -> tuple[SourceTurn, ...]:
    """Make turns of texts that alternate, the user first."""
    roles: tuple[Role, Role] = ("user", "agent")
    return tuple(SourceTurn(roles[index % 2], text) for index, text in enumerate(texts))


def tidy(turns: Iterable[SourceTurn]) -> tuple[SourceTurn, ...]:
    """Make the turns alternate: strip them, drop empty turns, join neighbors of one role by a line end.

    Agent turns before the first user turn (greetings) are dropped, unless no user turn follows: then they stay, so
    that the row can be inspected. A user turn at the end stays.
    """
    joined: list[SourceTurn] = []
    for turn in turns:
        text, material = turn.text.strip(), turn.material.strip()
        if text != turn.text or material != turn.material:
            turn = replace(turn, text=text, material=material)
        if not turn.text and not turn.material and turn.calls is None:
            continue
        if joined and joined[-1].role == turn.role:
            joined[-1] = _join(joined[-1], turn)
        else:
            joined.append(turn)
    return tuple(joined[1:] if len(joined) > 1 and joined[0].role == "agent" else joined)


def _join(one: SourceTurn, other: SourceTurn) -> SourceTurn:
    text = "\n".join(part for part in (one.text, other.text) if part)
    material = "\n".join(part for part in (one.material, other.material) if part)
    thought = "\n".join(part for part in (one.thought, other.thought) if part) or None
    made = [json.loads(part) for part in (one.calls, other.calls) if part is not None]
    calls = json.dumps([call for part in made for call in part], ensure_ascii=False) if made else None
    return SourceTurn(one.role, text, material, thought, calls)
