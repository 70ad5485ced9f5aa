"""Read formats that list the messages of a conversation: UltraChat, ShareGPT, OpenAI, Belle 3.5M."""

from collections.abc import Iterable, Mapping
from typing import Annotated

from pydantic import AliasChoices, Field

from manifests.reasons import Reason
from pipeline.readers.rows import SourceTurn
from pipeline.readers.turns import Fields, Parsed, RowFields, Text, agent, alternate, unknown_schema, user

USER_ROLES = frozenset({"human", "user"})
AGENT_ROLES = frozenset({"assistant", "bard", "bing", "chatgpt", "gpt", "model"})
SYSTEM_ROLES = frozenset({"developer", "system"})
TOOL_ROLES = frozenset({"function", "function_call", "observation", "tool", "tool_call", "tool_response"})
TEXT_PARTS = frozenset({"input_text", "output_text", "refusal", "text"})

Speaker = Annotated[Text, Field(validation_alias=AliasChoices("from", "role"))]


class _UltraChat(RowFields):
    data: list[Text]


class _Said(Fields):
    speaker: Speaker
    text: Annotated[Text, Field(validation_alias=AliasChoices("value", "content"))]


class _ShareGpt(RowFields):
    conversations: list[_Said]


class _Part(Fields):
    type: Text
    text: Annotated[Text, Field(validation_alias=AliasChoices("text", "refusal"))] = ""


class _OpenAiMessage(Fields):
    speaker: Speaker
    content: list[Text | _Part] | Text = ""
    tool_calls: object = None
    function_call: object = None


class _OpenAi(RowFields):
    messages: list[_OpenAiMessage]


def ultrachat(row: Mapping[str, object]) -> Parsed:
    """Read UltraChat: the texts in `data` alternate, the user first."""
    fields = _UltraChat.model_validate(row)
    return Parsed(fields.id, alternate(fields.data))


def is_ultrachat(row: Mapping[str, object]) -> bool:
    """Whether `data` is a list of texts."""
    data = row["data"]
    return isinstance(data, list) and all(isinstance(text, str) for text in data)


def sharegpt(row: Mapping[str, object]) -> Parsed:
    """Read ShareGPT: `from` and `value` (or `role` and `content`), with all role names in use; `system` is dropped."""
    fields = _ShareGpt.model_validate(row)
    return _conversation(fields.id, [(said.speaker.lower(), said.text) for said in fields.conversations])


def belle_chat(row: Mapping[str, object]) -> Parsed:
    """Read Belle 3.5M: ShareGPT with only the roles `human` and `assistant`."""
    fields = _ShareGpt.model_validate(row)
    if others := [said.speaker for said in fields.conversations if said.speaker not in ("human", "assistant")]:
        return unknown_schema(fields.id, f"conversations: unknown role {others[0][:40]!r}")
    return _conversation(fields.id, [(said.speaker, said.text) for said in fields.conversations])


def is_belle_chat(row: Mapping[str, object]) -> bool:
    """Whether the speakers are exactly `human` and `assistant`."""
    said = row["conversations"]
    roles = [one.get("from") for one in said if isinstance(one, dict)] if isinstance(said, list) else []
    return all(isinstance(role, str) for role in roles) and set(roles) == {"human", "assistant"}


def openai(row: Mapping[str, object]) -> Parsed:
    """Read OpenAI messages, whose `content` is a text or a list of parts; reject tool calls and media."""
    fields = _OpenAi.model_validate(row)
    messages = [message for message in fields.messages if message.speaker.lower() not in SYSTEM_ROLES]
    parsed = _conversation(fields.id, [(message.speaker.lower(), _plain(message)) for message in messages])
    if parsed.reason is None and any(message.tool_calls or message.function_call for message in messages):
        return Parsed(fields.id, parsed.turns, Reason.PLUGIN_ROW, "messages: the assistant calls a tool")
    media = [kind for message in messages for kind in _other_parts(message)]
    if parsed.reason is None and media:
        return Parsed(fields.id, parsed.turns, Reason.MEDIA, f"messages: a part of type {media[0][:40]!r}")
    return parsed


def _conversation(row_id: str | None, messages: Iterable[tuple[str, str]]) -> Parsed:
    """Make turns of (lower-case role, text) pairs."""
    turns: list[SourceTurn] = []
    tool = None
    for role, text in messages:
        if role in USER_ROLES:
            turns.append(user(text))
        elif role in AGENT_ROLES:
            turns.append(agent(text))
        elif role in TOOL_ROLES:
            tool = tool or role
        elif role not in SYSTEM_ROLES:
            return unknown_schema(row_id, f"unknown role {role[:40]!r}")
    if tool:
        return Parsed(row_id, tuple(turns), Reason.PLUGIN_ROW, f"a message has the role {tool!r}")
    return Parsed(row_id, tuple(turns))


def _plain(message: _OpenAiMessage) -> str:
    if isinstance(message.content, str):
        return message.content
    texts = (part if isinstance(part, str) else part.text for part in message.content)
    return "\n".join(text for text in texts if text)


def _other_parts(message: _OpenAiMessage) -> list[str]:
    if isinstance(message.content, str):
        return []
    return [part.type for part in message.content if isinstance(part, _Part) and part.type not in TEXT_PARTS]
