"""Read rows in which an answer comes with its reasoning. Nobody hears that: it becomes the thought of a turn."""

from collections.abc import Callable, Mapping
from typing import Any, cast

from pydantic import Field, create_model

from pipeline.readers.format import ANSWERED, ASKED, Format, keys
from pipeline.readers.rows import SourceTurn
from pipeline.readers.turns import Parsed, RowFields, Text, user


class _Reasoned(RowFields):
    question: Text
    reasoning: Text
    answer: Text


def _reader(question: str, reasoning: str, answer: str) -> Callable[[Mapping[str, object]], Parsed]:
    """Return the function that reads rows with these three keys."""
    named: dict[str, Any] = {
        name: (Text, Field(validation_alias=key))
        for name, key in {"question": question, "reasoning": reasoning, "answer": answer}.items()
    }
    fields_of = cast("type[_Reasoned]", create_model("_NamedReasoned", __base__=_Reasoned, **named))

    def parse(row: Mapping[str, object]) -> Parsed:
        fields = fields_of.model_validate(row)
        thought = fields.reasoning.strip() or None
        return Parsed(fields.id, (user(fields.question), SourceTurn("agent", fields.answer, thought=thought)))

    return parse


_THOUGHT = "Light is scattered the more the shorter its wave is, and blue is short."


def _format(name: str, question: str, reasoning: str, answer: str) -> Format:
    return Format(
        name,
        f"{question}, {reasoning} (the thought that nobody hears), {answer}",
        keys(f"{question} {reasoning} {answer}"),
        _reader(question, reasoning, answer),
        example={question: ASKED, reasoning: _THOUGHT, answer: ANSWERED},
    )


FORMATS = (
    _format("reasoning", "question", "reasoning", "answer"),
    _format("medical-o1", "Question", "Complex_CoT", "Response"),
    _format("open-thoughts", "problem", "deepseek_reasoning", "deepseek_solution"),
)
