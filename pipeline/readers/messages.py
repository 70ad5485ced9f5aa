"""Read one message of a conversation, whatever its keys are called, and make turns of the messages."""

from collections.abc import Iterable, Set
from typing import Annotated, Any

from pydantic import AliasChoices, BeforeValidator, Field, model_validator

from manifests.reasons import Reason
from pipeline.readers.rows import SourceTurn
from pipeline.readers.turns import Fields, Parsed, Text, agent, unknown_schema, user

USER_ROLES = frozenset(
    "customer human person prompter question questioner user 人类 客户 提问 提问者 用户 问 顾客".split()
)
AGENT_ROLES = frozenset(
    "agent ai answer assistant bard bing bot chatbot chatgpt claude deepseek gemini gpt llama model moss palm qwen "
    "助手 回答 客服 机器人 答".split()
)
SYSTEM_ROLES = frozenset("developer system system_prompt 系统".split())
TOOL_ROLES = frozenset("function function_call ipython observation tool tool_call tool_response tools".split())
TEXT_PARTS = frozenset("input_text output_text refusal text".split())

_SPEAKER_KEYS = ("from", "role")
_TEXT_KEYS = ("value", "content", "text")
_MESSAGE_KEYS = frozenset(
    (*_SPEAKER_KEYS, *_TEXT_KEYS, "function_call", "name", "reasoning_content", "tool_call_id", "tool_calls", "weight")
)


def is_message(value: object) -> bool:
    """Whether `value` says who speaks and what is said, and nothing that would make it a row, such as an id."""
    return isinstance(value, dict) and names_message(value.keys()) and value.keys() <= _MESSAGE_KEYS


def names_message(keys: Set[str]) -> bool:
    """Whether keys say who speaks and what is said."""
    return any(key in keys for key in _SPEAKER_KEYS) and any(key in keys for key in _TEXT_KEYS)


def _role(value: object) -> object:
    """Read a role as people write it: "Human", "human ", "Human:", "<|user|>"."""
    return value.strip(" \t\r\n:：<|>").lower() if isinstance(value, str) else value


class _Part(Fields):
    """A part of a message; a part of text must hold a text, so that no text is lost under another key."""

    type: Text
    text: Annotated[Text | None, Field(validation_alias=AliasChoices("text", "refusal"))] = None

    @model_validator(mode="after")
    def _has_text(self) -> "_Part":
        if self.type in TEXT_PARTS and self.text is None:
            raise ValueError(f"a part of type {self.type!r} has no text")
        return self


class Message(Fields):
    """One message. Without a key of a text it must call a tool, so that no text is lost under another key."""

    role: Annotated[str, BeforeValidator(_role), Field(validation_alias=AliasChoices(*_SPEAKER_KEYS))]
    content: Annotated[list[Text | _Part] | Text, Field(validation_alias=AliasChoices(*_TEXT_KEYS))]
    tool_calls: object = None
    function_call: object = None

    @model_validator(mode="before")
    @classmethod
    def _leave_out_nulls(cls, value: Any) -> Any:
        """Leave out what is null: in Parquet each message has all keys that any message has."""
        if not isinstance(value, dict):
            return value
        filled = _with_one_text({key: item for key, item in value.items() if item is not None})
        calls = filled.get("tool_calls") or filled.get("function_call")
        may_be_silent = calls or any(key in value for key in _TEXT_KEYS)
        return filled if not may_be_silent or any(key in filled for key in _TEXT_KEYS) else {**filled, "content": ""}

    @property
    def said(self) -> str:
        """The text, its parts on lines of their own."""
        if isinstance(self.content, str):
            return self.content
        texts = (part if isinstance(part, str) else part.text for part in self.content)
        return "\n".join(text for text in texts if text)

    @property
    def media(self) -> list[str]:
        """The types of the parts that are not text."""
        parts = [] if isinstance(self.content, str) else self.content
        return [part.type for part in parts if isinstance(part, _Part) and part.type not in TEXT_PARTS]


def _with_one_text(filled: dict[str, Any]) -> dict[str, Any]:
    """Leave out empty texts beside another one; raises ValueError for two that differ, of which one would be lost."""
    under = [key for key in _TEXT_KEYS if key in filled]
    said = [key for key in under if not (isinstance(filled[key], str | list) and not _holds_words(filled[key]))]
    if any(filled[key] != filled[said[0]] for key in said):
        raise ValueError(f"a message has different texts under {' and '.join(map(repr, said))}")
    dropped = [key for key in under if key != (said or under)[0]]
    return {key: item for key, item in filled.items() if key not in dropped}


def _holds_words(said: str | list[Any]) -> bool:
    return bool(said.strip() if isinstance(said, str) else said)


def conversation(row_id: str | None, messages: Iterable[Message]) -> Parsed:
    """Make turns of messages with all role names in use. System prompts are dropped; tool calls and media reject."""
    spoken = [message for message in messages if message.role not in SYSTEM_ROLES]
    turns: list[SourceTurn] = []
    for message in spoken:
        if message.role in USER_ROLES:
            turns.append(user(message.said))
        elif message.role in AGENT_ROLES:
            turns.append(agent(message.said))
        elif message.role not in TOOL_ROLES:
            return unknown_schema(row_id, f"unknown role {message.role[:40]!r}")
    found = _not_spoken(spoken)
    return Parsed(row_id, tuple(turns), *found)


def _not_spoken(messages: Iterable[Message]) -> tuple[Reason | None, str | None]:
    """Return the reason and the detail for which the messages cannot be spoken, if there is one."""
    for message in messages:
        if message.role in TOOL_ROLES:
            return Reason.PLUGIN_ROW, f"a message has the role {message.role!r}"
        if message.tool_calls or message.function_call:
            return Reason.PLUGIN_ROW, "messages: the assistant calls a tool"
        if message.media:
            return Reason.MEDIA, f"messages: a part of type {message.media[0][:40]!r}"
    return None, None
