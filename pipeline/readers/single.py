"""Read formats of one question and its answer: Alpaca and its relatives, Belle, OpenOrca."""

import re
from collections.abc import Mapping

from pydantic import Field

from pipeline.readers.format import ANSWERED, ANSWERED_NEXT, ASKED, ASKED_NEXT, Format, keys
from pipeline.readers.rows import SourceTurn
from pipeline.readers.turns import Parsed, RowFields, Text, Value, agent, unknown_schema, user
from pipeline.text.sentences import ends_instruction

_SPEAKER = re.compile(r"(?:^|\n)[ \t]*(Human|Assistant)[ \t]*[:：]")


class _Alpaca(RowFields):
    instruction: Text
    input: Value = ""
    output: Value


class _Chatty(_Alpaca):
    history: list[tuple[Text, Text]] | None = None


class _Belle05(RowFields):
    instruction: Text = Field(validation_alias="input")
    output: Value = Field(validation_alias="target")


class _OpenOrca(RowFields):
    question: Text
    response: Value


def alpaca(row: Mapping[str, object]) -> Parsed:
    """Read Alpaca: `instruction`, `input` (the material), `output`."""
    fields = _Alpaca.model_validate(row)
    return Parsed(fields.id, (user(fields.instruction, fields.input), agent(fields.output)))


def llama_factory(row: Mapping[str, object]) -> Parsed:
    """Read LLaMA-Factory: Alpaca with a `history` of earlier turns; `system` is dropped."""
    fields = _Chatty.model_validate(row)
    earlier = [turn for question, answer in fields.history or () for turn in (user(question), agent(answer))]
    return Parsed(fields.id, (*earlier, user(fields.instruction, fields.input), agent(fields.output)))


def belle(row: Mapping[str, object]) -> Parsed:
    """Read Belle 0.5M (`input`, `target`), 1M and 2M (as Alpaca); `split_material` finds their material."""
    if "target" in row and "instruction" not in row:
        short = _Belle05.model_validate(row)
        return Parsed(short.id, (split_material(short.instruction), agent(short.output)))
    fields = _Alpaca.model_validate(row)
    question = user(fields.instruction, fields.input) if fields.input.strip() else split_material(fields.instruction)
    return Parsed(fields.id, (question, agent(fields.output)))


def split_material(instruction: str) -> SourceTurn:
    """Make a user turn whose material is the part of the text below the instruction.

    The text is cut at the first line end that follows a full stop, question mark, exclamation mark, colon or
    semicolon. Otherwise it is not cut: two lines of one question stay together.
    """
    text = instruction.strip()
    for match in re.finditer(r"\n", text):
        head = text[: match.start()].rstrip()
        if ends_instruction(head):
            return user(head, text[match.end() :].strip())
    return user(text)


def belle_packed(row: Mapping[str, object]) -> Parsed:
    """Read Belle 0.8M: `Human:` and `Assistant:` at line starts in `instruction`; `output` is the last answer."""
    fields = _Alpaca.model_validate(row)
    before, *rest = _SPEAKER.split(fields.instruction)
    if before.strip() or not rest:
        return unknown_schema(fields.id, 'instruction: does not begin with "Human:" or "Assistant:"')
    pairs = zip(rest[::2], rest[1::2], strict=True)
    turns = [user(text) if speaker == "Human" else agent(text) for speaker, text in pairs]
    return Parsed(fields.id, (*turns, SourceTurn("user", "", fields.input), agent(fields.output)))


def is_packed(row: Mapping[str, object]) -> bool:
    """Whether `instruction` begins with `Human:`."""
    text = row["instruction"]
    return isinstance(text, str) and re.match(r"\s*Human[ \t]*[:：]", text) is not None


def open_orca(row: Mapping[str, object]) -> Parsed:
    """Read OpenOrca: `question` and `response`; `system_prompt` is dropped."""
    fields = _OpenOrca.model_validate(row)
    return Parsed(fields.id, (user(fields.question), agent(fields.response)))


FORMATS = (
    Format(
        "alpaca",
        "instruction, input, output",
        keys("instruction output"),
        alpaca,
        example={"instruction": ASKED, "input": "", "output": ANSWERED},
    ),
    Format(
        "llama-factory",
        "Alpaca with history (pairs of earlier turns) and system",
        keys("instruction output history"),
        llama_factory,
        example={"instruction": ASKED_NEXT, "input": "", "output": ANSWERED_NEXT, "history": [[ASKED, ANSWERED]]},
        also_reads=keys("alpaca"),
    ),
    Format(
        "belle",
        "Belle 0.5M, 1M, 2M: as Alpaca, material below the instruction is split off; or input, target",
        keys("input target"),
        belle,
        example={"input": "天空为什么是蓝色的？", "target": "因为空气散射蓝光最多。"},
    ),
    Format(
        "belle-0.8m",
        "Belle 0.8M: a conversation packed into instruction with Human: and Assistant:",
        keys("instruction output"),
        belle_packed,
        example={
            "instruction": "Human:天空为什么蓝？\nAssistant:空气散射蓝光最多。\nHuman:日落时呢？\nAssistant:\n",
            "input": "",
            "output": "那时光要穿过更多空气。",
        },
        sign=is_packed,
    ),
    Format(
        "openorca",
        "OpenOrca: system_prompt, question, response",
        keys("system_prompt question response"),
        open_orca,
        example={"id": "1", "system_prompt": "Be brief.", "question": ASKED, "response": ANSWERED},
    ),
)
"""Belle 1M and 2M have the same keys as Alpaca: they are read as Alpaca unless the user names the format."""
