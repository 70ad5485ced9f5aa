"""Read formats of one question and its answer: Alpaca and its relatives, Belle, OpenOrca."""

import re
from collections.abc import Mapping

from pydantic import Field

from pipeline.readers.rows import SourceTurn
from pipeline.readers.turns import Parsed, RowFields, Text, agent, unknown_schema, user
from pipeline.text.sentences import ends_instruction

_SPEAKER = re.compile(r"(?:^|\n)[ \t]*(Human|Assistant)[ \t]*[:：]")


class _Alpaca(RowFields):
    instruction: Text
    input: Text = ""
    output: Text


class _Chatty(_Alpaca):
    history: list[tuple[Text, Text]] | None = None


class _Belle05(RowFields):
    instruction: Text = Field(validation_alias="input")
    output: Text = Field(validation_alias="target")


class _OpenOrca(RowFields):
    question: Text
    response: Text


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
