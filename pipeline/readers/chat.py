"""Read formats that list the messages of a conversation: UltraChat, ShareGPT, OpenAI, LMSYS, Belle 3.5M."""

from collections.abc import Mapping

from pydantic import Field

from pipeline.readers.format import ANSWERED, ANSWERED_NEXT, ASKED, ASKED_NEXT, Format, keys
from pipeline.readers.messages import Message, conversation
from pipeline.readers.turns import Fields, Parsed, RowFields, Text, agent, alternate, unknown_schema, user


class _UltraChat(RowFields):
    data: list[Text]


class _Messages(RowFields):
    messages: list[Message]


class _Conversations(RowFields):
    messages: list[Message] = Field(validation_alias="conversations")


class _Conversation(RowFields):
    messages: list[Message] = Field(validation_alias="conversation")


class _Exchange(Fields):
    human: Text
    assistant: Text


class _Exchanges(RowFields):
    conversation: list[_Exchange]


def ultrachat(row: Mapping[str, object]) -> Parsed:
    """Read UltraChat: the texts in `data` alternate, the user first."""
    fields = _UltraChat.model_validate(row)
    return Parsed(fields.id, alternate(fields.data))


def is_ultrachat(row: Mapping[str, object]) -> bool:
    """Whether `data` is a list of texts."""
    data = row["data"]
    return isinstance(data, list) and all(isinstance(text, str) for text in data)


def sharegpt(row: Mapping[str, object]) -> Parsed:
    """Read ShareGPT: `conversations` of `from` and `value` (or `role` and `content`)."""
    fields = _Conversations.model_validate(row)
    return conversation(fields.id, fields.messages)


def belle_chat(row: Mapping[str, object]) -> Parsed:
    """Read Belle 3.5M: ShareGPT with only the roles `human` and `assistant`."""
    fields = _Conversations.model_validate(row)
    if others := [said.role for said in fields.messages if said.role not in ("human", "assistant")]:
        return unknown_schema(fields.id, f"conversations: unknown role {others[0][:40]!r}")
    return conversation(fields.id, fields.messages)


def is_belle_chat(row: Mapping[str, object]) -> bool:
    """Whether the speakers are exactly `human` and `assistant`."""
    said = row["conversations"]
    roles = [one.get("from") for one in said if isinstance(one, dict)] if isinstance(said, list) else []
    return all(isinstance(role, str) for role in roles) and set(roles) == {"human", "assistant"}


def openai(row: Mapping[str, object]) -> Parsed:
    """Read OpenAI messages, whose `content` is a text or a list of parts."""
    fields = _Messages.model_validate(row)
    return conversation(fields.id, fields.messages)


def lmsys(row: Mapping[str, object]) -> Parsed:
    """Read LMSYS-Chat-1M and WildChat: `conversation` of `role` and `content`."""
    fields = _Conversation.model_validate(row)
    return conversation(fields.id, fields.messages)


def is_exchanges(row: Mapping[str, object]) -> bool:
    """Whether `conversation` is a list of {human, assistant}."""
    said = row["conversation"]
    return isinstance(said, list) and all(
        isinstance(one, dict) and {"human", "assistant"} <= one.keys() for one in said
    )


def exchanges(row: Mapping[str, object]) -> Parsed:
    """Read conversations of {human, assistant}, one exchange in each object."""
    fields = _Exchanges.model_validate(row)
    turns = (turn for one in fields.conversation for turn in (user(one.human), agent(one.assistant)))
    return Parsed(fields.id, tuple(turns))


FORMATS = (
    Format(
        "belle-3.5m",
        "Belle 3.5M: conversations of human and assistant",
        keys("conversations"),
        belle_chat,
        example={
            "id": "1",
            "conversations": [
                {"from": "human", "value": "天空为什么是蓝色的？"},
                {"from": "assistant", "value": "因为空气散射蓝光最多。"},
            ],
        },
        sign=is_belle_chat,
    ),
    Format(
        "ultrachat",
        "data: texts that take turns",
        keys("data"),
        ultrachat,
        example={"id": "1", "data": [ASKED, ANSWERED, ASKED_NEXT, ANSWERED_NEXT]},
        sign=is_ultrachat,
    ),
    Format(
        "ultrachat-200k",
        "messages with a prompt_id",
        keys("messages prompt_id"),
        openai,
        example={
            "prompt": ASKED,
            "prompt_id": "1",
            "messages": [{"role": "user", "content": ASKED}, {"role": "assistant", "content": ANSWERED}],
        },
    ),
    Format(
        "sharegpt",
        "conversations of from (human, gpt, ...) and value",
        keys("conversations"),
        sharegpt,
        example={
            "id": "1",
            "conversations": [{"from": "human", "value": ASKED}, {"from": "gpt", "value": ANSWERED}],
        },
        also_reads=keys("belle-3.5m"),
    ),
    Format(
        "openai",
        "messages of role and content, content a text or a list of parts",
        keys("messages"),
        openai,
        example={"messages": [{"role": "user", "content": ASKED}, {"role": "assistant", "content": ANSWERED}]},
        also_reads=keys("ultrachat-200k"),
    ),
    Format(
        "lmsys",
        "LMSYS-Chat-1M and WildChat: conversation of role and content",
        keys("conversation"),
        lmsys,
        example={
            "conversation_id": "1",
            "conversation": [{"content": ASKED, "role": "user"}, {"content": ANSWERED, "role": "assistant"}],
        },
    ),
    Format(
        "conversation-pairs",
        "conversation of human and assistant in one object: the ShareGPT data of MOSS, Firefly",
        keys("conversation"),
        exchanges,
        example={"conversation_id": "1", "conversation": [{"human": ASKED, "assistant": ANSWERED}]},
        sign=is_exchanges,
    ),
)
