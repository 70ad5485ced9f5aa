"""Read rows in which an assistant calls tools: the schemas, the calls, and what is said.

Calls are written down in one way, whatever the format: a JSON array of objects with `name`, `arguments` (an object)
and, where the data has it, `result`. They belong to the agent's turn that they are made in; what that turn says may be
empty.
"""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any

from pydantic import AliasChoices, BeforeValidator, Field

from pipeline.readers.format import Format, keys
from pipeline.readers.messages import AGENT_ROLES, SYSTEM_ROLES, TOOL_ROLES, USER_ROLES, Message, conversation
from pipeline.readers.rows import SourceTurn
from pipeline.readers.text import join_surrogates
from pipeline.readers.turns import Fields, Parsed, RowFields, RowId, Text, Value, unknown_schema, user

_DEEPEST = 32
"""Levels of brackets in schemas and arguments; no tool needs as many, and what looks through them calls itself."""


def _parsed(value: object) -> object:
    """Parse JSON that a data set keeps as a text; raises ValueError if it is none, or nested too deeply.

    NaN and infinity, which Python reads, are no JSON: what is stored of them would be refused by other parsers.
    """
    try:
        data = json.loads(value) if isinstance(value, str) else value
    except RecursionError:
        raise ValueError("nested too deeply") from None
    level, depth = [data], 0
    while level:
        if any(isinstance(one, float) and not math.isfinite(one) for one in level):
            raise ValueError("a number that JSON does not have: NaN or infinity")
        level = [part for one in level for part in _parts(one)]
        depth += 1
        if depth > _DEEPEST:
            raise ValueError("nested too deeply")
    return data


def _parts(value: object) -> list[object]:
    if isinstance(value, dict):
        return list(value.values())
    return list(value) if isinstance(value, list) else []


class _Function(Fields):
    name: str
    arguments: Annotated[dict[str, Any], BeforeValidator(_parsed)] = Field(default_factory=dict)


class _Call(Fields):
    """A call as the chat API writes it; `id` is how its result names it."""

    function: _Function
    id: RowId = None


class _ToolMessage(Message):
    """A message; `function_call` and the role `function` are how older data call tools, one at a time."""

    tool_calls: list[_Call] | None = None
    function_call: _Function | None = None
    tool_call_id: RowId = None
    name: object = None

    @property
    def calls(self) -> list[_Call]:
        """All calls of the message."""
        single = [] if self.function_call is None else [_Call(function=self.function_call)]
        return [*(self.tool_calls or []), *single]


class _Query(RowFields):
    query: Text
    tools: Annotated[list[dict[str, Any]], BeforeValidator(_parsed)]
    answers: Annotated[list[_Function], BeforeValidator(_parsed)]
    response: Value = ""


class _Chat(RowFields):
    tools: Annotated[list[dict[str, Any]], BeforeValidator(_parsed)]
    messages: list[_ToolMessage] = Field(validation_alias=AliasChoices("messages", "conversations"))


def as_calls(functions: Iterable[_Function], results: Sequence[str | None] = ()) -> str:
    """Return the calls as JSON; `results` are what each returned, in order, None where it is not known."""
    calls: list[dict[str, Any]] = [{"name": one.name, "arguments": one.arguments} for one in functions]
    for call, result in zip(calls, results, strict=False):
        if result is not None:
            call["result"] = result
    return _as_json(calls)


def _query(row: Mapping[str, object]) -> Parsed:
    fields = _Query.model_validate(row)
    answer = SourceTurn("agent", fields.response, calls=as_calls(fields.answers))
    return Parsed(fields.id, (user(fields.query), answer), tools=_schemas(fields.tools))


def _chat(row: Mapping[str, object]) -> Parsed:
    fields = _Chat.model_validate(row)
    results, lost = _results(fields.messages)
    if lost is not None:
        return unknown_schema(fields.id, f"messages.{lost}: a tool's result that belongs to no call")
    turns: list[SourceTurn] = []
    for place, message in enumerate(fields.messages):
        if message.role in USER_ROLES:
            turns.append(user(message.said))
        elif message.role in AGENT_ROLES:
            written = as_calls((call.function for call in message.calls), results[place]) if message.calls else None
            turns.append(SourceTurn("agent", message.said, calls=written))
        elif message.role not in SYSTEM_ROLES | TOOL_ROLES:
            return unknown_schema(fields.id, f"unknown role {message.role[:40]!r}")
    media = [message for message in fields.messages if message.media]
    found = conversation(fields.id, media)
    return Parsed(fields.id, tuple(turns), found.reason, found.detail, _schemas(fields.tools))


def _results(messages: Sequence[_ToolMessage]) -> tuple[list[list[str | None]], int | None]:
    """Return what the calls of each message returned, and the place of the first result that belongs to no call.

    A result names its call, or the function, or else it is that of the first call without one. What a user says ends
    the waiting for results.
    """
    results: list[list[str | None]] = [[None] * len(message.calls) for message in messages]
    waiting: list[tuple[int, int]] = []
    for place, message in enumerate(messages):
        if message.role in USER_ROLES:
            waiting = []
        elif message.role in AGENT_ROLES:
            waiting += [(place, number) for number in range(len(message.calls))]
        elif message.role in TOOL_ROLES:
            asked = next((one for one in waiting if _answers(message, messages[one[0]].calls[one[1]])), None)
            if asked is None:
                return results, place
            results[asked[0]][asked[1]] = message.said
            waiting.remove(asked)
    return results, None


def _answers(message: _ToolMessage, call: _Call) -> bool:
    """Whether the message of a tool may be what the call returned."""
    if message.tool_call_id is not None and call.id is not None:
        return message.tool_call_id == call.id
    return not isinstance(message.name, str) or message.name == call.function.name


def _schemas(tools: Sequence[Mapping[str, Any]]) -> str:
    return _as_json(list(tools))


def _as_json(value: object) -> str:
    return join_surrogates(json.dumps(value, ensure_ascii=False))


def _calls_a_tool(row: Mapping[str, object]) -> bool:
    messages = row.get("messages")
    return isinstance(messages, list) and any(
        isinstance(m, dict) and (m.get("tool_calls") or m.get("function_call")) for m in messages
    )


_TOOL = {"name": "set_timer", "parameters": {"minutes": {"type": "integer"}}}

FORMATS = (
    Format(
        "tool-calls",
        "xLAM, APIGen: query, tools (schemas), answers (calls); response, if the agent says something",
        keys("query tools answers"),
        _query,
        example={
            "query": "Set a timer for ten minutes.",
            "tools": [_TOOL],
            "answers": [{"name": "set_timer", "arguments": {"minutes": 10}}],
            "response": "Ten minutes, starting now.",
        },
    ),
    Format(
        "tool-messages",
        "tools (schemas) and messages with tool_calls, as chat APIs have them; results stay with their calls",
        keys("tools messages"),
        _chat,
        sign=_calls_a_tool,
        example={
            "tools": [{"type": "function", "function": _TOOL}],
            "messages": [
                {"role": "user", "content": "Set a timer for ten minutes."},
                {
                    "role": "assistant",
                    "content": "Ten minutes, starting now.",
                    "tool_calls": [{"id": "1", "function": {"name": "set_timer", "arguments": '{"minutes": 10}'}}],
                },
            ],
        },
    ),
)
