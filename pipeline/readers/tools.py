"""Read rows in which an assistant calls tools: the schemas, the calls, and what is said.

Calls are written down in one way, whatever the format: a JSON array of objects with `name`, `arguments` (an object)
and, where the data has it, `result`. They belong to the agent's turn that they are made in; what that turn says may be
empty.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any

from pydantic import AliasChoices, BeforeValidator, Field

from pipeline.readers.format import Format, keys
from pipeline.readers.messages import AGENT_ROLES, SYSTEM_ROLES, TOOL_ROLES, USER_ROLES, Message, conversation
from pipeline.readers.rows import SourceTurn
from pipeline.readers.turns import Fields, Parsed, RowFields, Text, Value, unknown_schema, user

_DEEPEST = 32
"""Levels of brackets in schemas and arguments; no tool needs as many, and what looks through them calls itself."""


def _parsed(value: object) -> object:
    """Parse JSON that a data set keeps as a text; raises ValueError if it is none, or nested too deeply."""
    try:
        data = json.loads(value) if isinstance(value, str) else value
    except RecursionError:
        raise ValueError("nested too deeply") from None
    level, depth = [data], 0
    while level:
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
    id: str | None = None


class _ToolMessage(Message):
    tool_calls: list[_Call] | None = None
    tool_call_id: str | None = None


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
    return json.dumps(calls, ensure_ascii=False)


def _query(row: Mapping[str, object]) -> Parsed:
    fields = _Query.model_validate(row)
    answer = SourceTurn("agent", fields.response, calls=as_calls(fields.answers))
    return Parsed(fields.id, (user(fields.query), answer), tools=_schemas(fields.tools))


def _chat(row: Mapping[str, object]) -> Parsed:
    fields = _Chat.model_validate(row)
    turns: list[SourceTurn] = []
    for place, message in enumerate(fields.messages):
        if message.role in USER_ROLES:
            turns.append(user(message.said))
        elif message.role in AGENT_ROLES:
            calls = message.tool_calls or []
            results = [_result(call, fields.messages[place + 1 :]) for call in calls]
            written = as_calls((call.function for call in calls), results) if calls else None
            turns.append(SourceTurn("agent", message.said, calls=written))
        elif message.role not in SYSTEM_ROLES | TOOL_ROLES:
            return unknown_schema(fields.id, f"unknown role {message.role[:40]!r}")
    media = [message for message in fields.messages if message.media]
    found = conversation(fields.id, media)
    return Parsed(fields.id, tuple(turns), found.reason, found.detail, _schemas(fields.tools))


def _result(call: _Call, later: Sequence[_ToolMessage]) -> str | None:
    """Return what a call returned: the message of a tool that names it."""
    named = (m.said for m in later if m.role in TOOL_ROLES and call.id is not None and m.tool_call_id == call.id)
    return next(named, None)


def _schemas(tools: Sequence[Mapping[str, Any]]) -> str:
    return json.dumps(list(tools), ensure_ascii=False)


def _calls_a_tool(row: Mapping[str, object]) -> bool:
    messages = row.get("messages")
    return isinstance(messages, list) and any(isinstance(m, dict) and m.get("tool_calls") for m in messages)


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
