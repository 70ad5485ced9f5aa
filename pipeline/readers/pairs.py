"""Read rows of a question and its answer under two keys, with the material and the earlier turns that some have."""

from collections.abc import Callable, Mapping
from typing import Any, cast

from pydantic import AliasChoices, Field, create_model

from pipeline.readers.format import ANSWERED, ANSWERED_NEXT, ASKED, ASKED_NEXT, Format, keys
from pipeline.readers.messages import Message, conversation
from pipeline.readers.turns import Parsed, RowFields, Text, Value, agent, user

_MATERIAL = ("context", "input")


class _Pair(RowFields):
    """A question and its answer; each is a text, or a list of messages as TRL writes it."""

    question: Text | list[Message]
    answer: Value | list[Message]
    material: Value = ""
    history: list[tuple[Text, Text]] | None = None


def _reader(question: str, answer: str) -> Callable[[Mapping[str, object]], Parsed]:
    """Return the function that reads rows with these two keys."""
    material = [key for key in _MATERIAL if key not in (question, answer)]
    named: dict[str, Any] = {
        "question": (Text | list[Message], Field(validation_alias=question)),
        "answer": (Value | list[Message], Field(validation_alias=answer)),
        "material": (Value, Field("", validation_alias=AliasChoices(*material))),
    }
    fields_of = cast("type[_Pair]", create_model("_NamedPair", __base__=_Pair, **named))

    def parse(row: Mapping[str, object]) -> Parsed:
        fields = fields_of.model_validate(row)
        earlier = [turn for asked, answered in fields.history or () for turn in (user(asked), agent(answered))]
        asked = _part(fields.id, fields.question, fields.material)
        answered = _part(fields.id, fields.answer)
        found = asked if asked.reason else answered
        return Parsed(fields.id, (*earlier, *asked.turns, *answered.turns), found.reason, found.detail)

    return parse


def _part(row_id: str | None, said: str | list[Message], material: str | None = None) -> Parsed:
    """Read one half of a pair; `material` None stands for the answer."""
    if not isinstance(said, str):
        return conversation(row_id, said)
    return Parsed(row_id, (agent(said) if material is None else user(said, material),))


def _pair(name: str, question: str, answer: str, also: str = "") -> Format:
    """Return the format of rows with these two keys, to be taken only where no other format fits."""
    return Format(
        name,
        f"{question}, {answer}{also}",
        keys(f"{question} {answer}"),
        _reader(question, answer),
        example={question: ASKED, answer: ANSWERED},
        loose=True,
    )


FORMATS = (
    Format(
        "dolly",
        "Dolly: instruction, context (the material), response",
        keys("instruction context response"),
        _reader("instruction", "response"),
        example={"instruction": ASKED, "context": "", "response": ANSWERED, "category": "open_qa"},
    ),
    Format(
        "ms-swift",
        "ms-swift: query, response, and history (pairs of earlier turns)",
        keys("query response"),
        _reader("query", "response"),
        example={"query": ASKED_NEXT, "response": ANSWERED_NEXT, "history": [[ASKED, ANSWERED]]},
        loose=True,
    ),
    _pair("prompt-response", "prompt", "response"),
    _pair("prompt-completion", "prompt", "completion", ": texts or lists of messages, as TRL has them"),
    _pair("question-answer", "question", "answer", ", and context (the material) where it is a text"),
    _pair("instruction-response", "instruction", "response"),
    _pair("input-output", "input", "output"),
    _pair("human-assistant", "human", "assistant"),
)
