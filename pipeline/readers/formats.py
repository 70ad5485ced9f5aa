"""The table of formats: what each is, how its rows are recognized, and the function that reads a row."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

from pipeline.doors import Door
from pipeline.readers import chat, moss, single
from pipeline.readers.turns import Parsed

Row = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Format:
    """One format.

    `parse` raises pydantic's ValidationError if fields are missing or have the wrong type. A row of the format has all
    of `keys`, and `sign` is true of it. `also_reads` are the formats whose rows `parse` reads just as well. `example`
    is a row of the format, to be shown to people.
    """

    name: str
    about: str
    keys: frozenset[str]
    parse: Callable[[Row], Parsed]
    example: Row
    sign: Callable[[Row], bool] | None = None
    also_reads: frozenset[str] = frozenset()

    def fits(self, row: Row) -> bool:
        """Whether the row has the keys and the sign of the format."""
        return self.keys <= row.keys() and (self.sign is None or self.sign(row))


def _keys(names: str) -> frozenset[str]:
    return frozenset(names.split())


_ASKED, _ANSWERED = "Why is the sky blue?", "Because air scatters blue light the most."
_ASKED_NEXT, _ANSWERED_NEXT = "And at sunset?", "Then the light crosses more air."

FORMATS = (
    Format(
        "alpaca",
        "instruction, input, output",
        _keys("instruction output"),
        single.alpaca,
        example={"instruction": _ASKED, "input": "", "output": _ANSWERED},
    ),
    Format(
        "llama-factory",
        "Alpaca with history (pairs of earlier turns) and system",
        _keys("instruction output history"),
        single.llama_factory,
        example={"instruction": _ASKED_NEXT, "input": "", "output": _ANSWERED_NEXT, "history": [[_ASKED, _ANSWERED]]},
        also_reads=_keys("alpaca"),
    ),
    Format(
        "belle",
        "Belle 0.5M, 1M, 2M: as Alpaca, material below the instruction is split off; or input, target",
        _keys("input target"),
        single.belle,
        example={"input": "天空为什么是蓝色的？", "target": "因为空气散射蓝光最多。"},
    ),
    Format(
        "belle-0.8m",
        "Belle 0.8M: a conversation packed into instruction with Human: and Assistant:",
        _keys("instruction output"),
        single.belle_packed,
        example={
            "instruction": "Human:天空为什么蓝？\nAssistant:空气散射蓝光最多。\nHuman:日落时呢？\nAssistant:\n",
            "input": "",
            "output": "那时光要穿过更多空气。",
        },
        sign=single.is_packed,
    ),
    Format(
        "belle-3.5m",
        "Belle 3.5M: conversations of human and assistant",
        _keys("conversations"),
        chat.belle_chat,
        example={
            "id": "1",
            "conversations": [
                {"from": "human", "value": "天空为什么是蓝色的？"},
                {"from": "assistant", "value": "因为空气散射蓝光最多。"},
            ],
        },
        sign=chat.is_belle_chat,
    ),
    Format(
        "ultrachat",
        "data: texts that take turns",
        _keys("data"),
        chat.ultrachat,
        example={"id": "1", "data": [_ASKED, _ANSWERED, _ASKED_NEXT, _ANSWERED_NEXT]},
        sign=chat.is_ultrachat,
    ),
    Format(
        "ultrachat-200k",
        "messages with a prompt_id",
        _keys("messages prompt_id"),
        chat.openai,
        example={
            "prompt": _ASKED,
            "prompt_id": "1",
            "messages": [{"role": "user", "content": _ASKED}, {"role": "assistant", "content": _ANSWERED}],
        },
    ),
    Format(
        "moss-002",
        "MOSS-002: plain_text with [Human]: and [MOSS]:",
        _keys("plain_text"),
        moss.moss_002,
        example={
            "id": 1,
            "plain_text": "[Human]: Why is the sky blue?<eoh> [MOSS]: Because air scatters blue light the most.<eoa>",
        },
        sign=moss.is_moss_002,
    ),
    Format(
        "moss-003",
        "MOSS-003: chat of numbered turns",
        _keys("chat"),
        moss.moss_003,
        example={
            "conversation_id": "1",
            "chat": {
                "turn_1": {
                    "Human": "<|Human|>: Why is the sky blue?<eoh>\n",
                    "MOSS": "<|MOSS|>: Because air scatters blue light the most.<eom>\n",
                }
            },
        },
        sign=moss.is_moss_003,
    ),
    Format(
        "openorca",
        "OpenOrca: system_prompt, question, response",
        _keys("system_prompt question response"),
        single.open_orca,
        example={"id": "1", "system_prompt": "Be brief.", "question": _ASKED, "response": _ANSWERED},
    ),
    Format(
        "sharegpt",
        "conversations of from (human, gpt, ...) and value",
        _keys("conversations"),
        chat.sharegpt,
        example={
            "id": "1",
            "conversations": [{"from": "human", "value": _ASKED}, {"from": "gpt", "value": _ANSWERED}],
        },
        also_reads=_keys("belle-3.5m"),
    ),
    Format(
        "openai",
        "messages of role and content, content a text or a list of parts",
        _keys("messages"),
        chat.openai,
        example={"messages": [{"role": "user", "content": _ASKED}, {"role": "assistant", "content": _ANSWERED}]},
        also_reads=_keys("ultrachat-200k"),
    ),
)
"""Belle 1M and 2M have the same keys as Alpaca: they are read as Alpaca unless the user names the format."""

INPUT_FORMATS = Door("parley.formats", Format)


@cache
def formats() -> Mapping[str, Format]:
    """All formats by name, those of other packages included."""
    return {form.name: form for form in INPUT_FORMATS.all()}
