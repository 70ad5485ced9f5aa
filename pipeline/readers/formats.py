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
    of `keys`, and `sign` is true of it. `also_reads` are the formats whose rows `parse` reads just as well.
    """

    name: str
    about: str
    keys: frozenset[str]
    parse: Callable[[Row], Parsed]
    sign: Callable[[Row], bool] | None = None
    also_reads: frozenset[str] = frozenset()

    def fits(self, row: Row) -> bool:
        """Whether the row has the keys and the sign of the format."""
        return self.keys <= row.keys() and (self.sign is None or self.sign(row))


def _keys(names: str) -> frozenset[str]:
    return frozenset(names.split())


FORMATS = (
    Format("alpaca", "instruction, input, output", _keys("instruction output"), single.alpaca),
    Format(
        "llama-factory",
        "Alpaca with history (pairs of earlier turns) and system",
        _keys("instruction output history"),
        single.llama_factory,
        also_reads=_keys("alpaca"),
    ),
    Format(
        "belle",
        "Belle 0.5M, 1M, 2M: as Alpaca, material below the instruction is split off; or input, target",
        _keys("input target"),
        single.belle,
    ),
    Format(
        "belle-0.8m",
        "Belle 0.8M: a conversation packed into instruction with Human: and Assistant:",
        _keys("instruction output"),
        single.belle_packed,
        sign=single.is_packed,
    ),
    Format(
        "belle-3.5m",
        "Belle 3.5M: conversations of human and assistant",
        _keys("conversations"),
        chat.belle_chat,
        sign=chat.is_belle_chat,
    ),
    Format("ultrachat", "data: texts that take turns", _keys("data"), chat.ultrachat, sign=chat.is_ultrachat),
    Format("ultrachat-200k", "messages with a prompt_id", _keys("messages prompt_id"), chat.openai),
    Format(
        "moss-002",
        "MOSS-002: plain_text with [Human]: and [MOSS]:",
        _keys("plain_text"),
        moss.moss_002,
        sign=moss.is_moss_002,
    ),
    Format("moss-003", "MOSS-003: chat of numbered turns", _keys("chat"), moss.moss_003, sign=moss.is_moss_003),
    Format(
        "openorca",
        "OpenOrca: system_prompt, question, response",
        _keys("system_prompt question response"),
        single.open_orca,
    ),
    Format(
        "sharegpt",
        "conversations of from (human, gpt, ...) and value",
        _keys("conversations"),
        chat.sharegpt,
        also_reads=_keys("belle-3.5m"),
    ),
    Format(
        "openai",
        "messages of role and content, content a text or a list of parts",
        _keys("messages"),
        chat.openai,
        also_reads=_keys("ultrachat-200k"),
    ),
)
"""Belle 1M and 2M have the same keys as Alpaca: they are read as Alpaca unless the user names the format."""

INPUT_FORMATS = Door("parley.formats", Format)


@cache
def formats() -> Mapping[str, Format]:
    """All formats by name, those of other packages included."""
    return {form.name: form for form in INPUT_FORMATS.all()}
