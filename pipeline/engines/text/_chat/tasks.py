"""What language models can be asked for: a table of tasks, and a table of complaints. Data only.

A template (`template`) belongs to one task and is checked against its entry here. A form's `variables` are untrusted
text, which a prompt holds between marks; a task's `options` are constants of the recipe.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from manifests.reasons import Reason

KEEP = "keep"
"""The verdict on a row that nothing speaks against; any other verdict is the value of a `Reason`."""

JsonType = Literal["string", "boolean"]
Value = str | bool


@dataclass(frozen=True, slots=True)
class TaskForm:
    """One way to put the task. A form with `history` needs the exchanges before; no other form takes them."""

    variables: tuple[str, ...]
    history: bool = False
    required: bool = True


@dataclass(frozen=True, slots=True)
class AnswerKey:
    """A field of the answer; `names` are the keys by which a template may ask for it.

    A value that is `offered` is chosen from a list that the template shows, so it may be that of an example.
    """

    field: str
    type: JsonType
    names: tuple[str, ...]
    required: bool = True
    may_be_empty: bool = False
    offered: bool = False


@dataclass(frozen=True, slots=True)
class TextTask:
    """`verdicts` says which boolean, if false, ends the row with which reason; the first such boolean decides."""

    forms: Mapping[str, TaskForm]
    keys: tuple[AnswerKey, ...]
    options: frozenset[str] = frozenset()
    verdicts: tuple[tuple[str, Reason], ...] = ()

    def key_named(self, name: str) -> AnswerKey | None:
        return next((key for key in self.keys if name in key.names), None)


_QUESTION = AnswerKey("question", "string", ("question",))
_ANSWER = AnswerKey("answer", "string", ("answer", "response"))
# How to speak each text; a template that does not ask for it gives turns no style.
_QUESTION_STYLE = AnswerKey("question_style", "string", ("question_style",), required=False, may_be_empty=True)
_ANSWER_STYLE = AnswerKey("answer_style", "string", ("answer_style",), required=False, may_be_empty=True)
# A row that is kept needs no reason.
_REASON = AnswerKey("reason", "string", ("reason",), may_be_empty=True)


def _marked(name: str) -> AnswerKey:
    """Return a key of the task "overlap": what is said, or the words around its place; empty: nothing fits."""
    return AnswerKey(name, "string", (name,), may_be_empty=True)


TASKS: Mapping[str, TextTask] = {
    "rewrite": TextTask(
        forms={
            "whole": TaskForm(("instruction",)),
            "fragment": TaskForm(("fragment",), required=False),
            "next": TaskForm(("instruction",), history=True),
        },
        keys=(_QUESTION,),
        options=frozenset({"max_length"}),
    ),
    "screen": TextTask(
        forms={"first": TaskForm(("question",)), "next": TaskForm(("question",), history=True)},
        keys=(
            AnswerKey("speakable", "boolean", ("speakable",)),
            AnswerKey("clear", "boolean", ("clear",)),
            _REASON,
        ),
        verdicts=(("speakable", Reason.NOT_SPEAKABLE), ("clear", Reason.UNCLEAR)),
    ),
    "safety": TextTask(
        forms={"first": TaskForm(("question",)), "next": TaskForm(("question",), history=True)},
        keys=(AnswerKey("safe", "boolean", ("safe",)), _REASON),
        verdicts=(("safe", Reason.UNSAFE),),
    ),
    "respond": TextTask(
        forms={"first": TaskForm(("question",)), "next": TaskForm(("question",), history=True)},
        keys=(
            AnswerKey("question", "string", ("question",), required=False),
            AnswerKey("thought", "string", ("thought",), required=False),
            _ANSWER,
            _QUESTION_STYLE,
            _ANSWER_STYLE,
        ),
        options=frozenset({"answer_limit"}),
    ),
    "judge": TextTask(
        forms={"whole": TaskForm((), history=True)},
        keys=(
            AnswerKey("coherent", "boolean", ("coherent",)),
            AnswerKey("in_role", "boolean", ("in_role",)),
            AnswerKey("natural", "boolean", ("natural",)),
            _REASON,
        ),
        verdicts=(
            ("coherent", Reason.INCOHERENT),
            ("in_role", Reason.OUT_OF_ROLE),
            ("natural", Reason.UNNATURAL),
        ),
    ),
    "converse": TextTask(
        forms={"next": TaskForm((), history=True)},
        keys=(_QUESTION, _ANSWER),
        options=frozenset({"answer_limit", "max_length"}),
    ),
    "overlap": TextTask(
        forms={"next": TaskForm(("next",), history=True), "last": TaskForm((), history=True)},
        keys=(
            _marked("restart"),
            _marked("correction"),
            _marked("correction_before"),
            AnswerKey("backchannel", "string", ("backchannel",), may_be_empty=True, offered=True),
            _marked("backchannel_after"),
            _marked("interruption"),
            _marked("interrupt_after"),
            _marked("reply"),
            _marked("pause_after"),
            _marked("aside"),
            _marked("aside_after"),
        ),
        options=frozenset({"backchannels"}),
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
"""The kinds of complaint about an answer, and the values that the wording of each may use."""
