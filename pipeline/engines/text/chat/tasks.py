"""What language models can be asked for: one table of tasks, and one of complaints.

A template (`template`) belongs to one task and is held to its line here. `variables` are foreign text and go into the
prompt fenced; `options` are the recipe's constants.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from manifests.reasons import Reason

KEEP = "keep"
"""The verdict on a row that nothing speaks against; any other is the value of a `Reason`."""

JsonType = Literal["string", "boolean"]
Value = str | bool


@dataclass(frozen=True, slots=True)
class Form:
    """One way to put the task. A form with `history` needs the exchanges before, and no other form takes them."""

    variables: tuple[str, ...]
    history: bool = False
    required: bool = True


@dataclass(frozen=True, slots=True)
class Key:
    """A field of the answer; `names` are the keys by which a template may ask for it."""

    field: str
    type: JsonType
    names: tuple[str, ...]
    required: bool = True
    may_be_empty: bool = False


@dataclass(frozen=True, slots=True)
class Task:
    """`verdicts`: which boolean, where it is false, ends the row with which reason; the first one decides."""

    forms: Mapping[str, Form]
    keys: tuple[Key, ...]
    options: frozenset[str] = frozenset()
    verdicts: tuple[tuple[str, Reason], ...] = ()

    def key_named(self, name: str) -> Key | None:
        return next((key for key in self.keys if name in key.names), None)

    def fields(self, values: Mapping[str, Value]) -> dict[str, str]:
        """The fields of a `TextAnswer` from those of the model's answer."""
        if not self.verdicts:
            return {field: str(value) for field, value in values.items()}
        against = (reason.value for field, reason in self.verdicts if values[field] is False)
        return {"verdict": next(against, KEEP), "detail": str(values["reason"])}


_QUESTION = Key("question", "string", ("question",))
_ANSWER = Key("answer", "string", ("answer", "response"))
# Nothing needs to be said of a row that is kept.
_REASON = Key("reason", "string", ("reason",), may_be_empty=True)

TASKS: Mapping[str, Task] = {
    "rewrite": Task(
        forms={
            "whole": Form(("instruction",)),
            "fragment": Form(("fragment",), required=False),
            "next": Form(("instruction",), history=True),
        },
        keys=(_QUESTION,),
        options=frozenset({"max_length"}),
    ),
    "screen": Task(
        forms={"first": Form(("question",)), "next": Form(("question",), history=True)},
        keys=(Key("speakable", "boolean", ("speakable",)), Key("clear", "boolean", ("clear",)), _REASON),
        verdicts=(("speakable", Reason.NOT_SPEAKABLE), ("clear", Reason.UNCLEAR)),
    ),
    "safety": Task(
        forms={"first": Form(("question",)), "next": Form(("question",), history=True)},
        keys=(Key("safe", "boolean", ("safe",)), _REASON),
        verdicts=(("safe", Reason.UNSAFE),),
    ),
    "respond": Task(
        forms={"first": Form(("question",)), "next": Form(("question",), history=True)},
        keys=(Key("question", "string", ("question",), required=False), _ANSWER),
        options=frozenset({"answer_limit"}),
    ),
    "converse": Task(
        forms={"next": Form((), history=True)},
        keys=(_QUESTION, _ANSWER),
        options=frozenset({"answer_limit", "max_length"}),
    ),
}

COMPLAINTS: Mapping[str, frozenset[str]] = {
    "malformed": frozenset({"keys"}),
    "cut_off": frozenset(),
    "empty": frozenset({"field"}),
    "too_long": frozenset({"field", "length", "limit"}),
    "unpronounceable": frozenset({"field", "characters"}),
    "wrong_language": frozenset({"field"}),
    "repeated": frozenset({"field"}),
}
"""The kinds of complaint about an answer, and the values that their wording may use."""
