"""The files of a template as they stand in the store, and all that must be right about them.

`read_template` and `read_complaints` raise one UserError with every problem of a file.
"""

import re
import string
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from manifests.errors import UserError
from pipeline.engines.text.chat.tasks import COMPLAINTS, TASKS, Task
from pipeline.prompts import Prompt

HISTORY = "history"
EXCHANGE_VALUES = frozenset({"question", "answer"})

T = TypeVar("T")


class TemplateFile(BaseModel):
    """The keys of a template's file; `docs/prompts.md` explains them."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    task: str
    complaints: str
    system: str
    exchange: str = ""
    forms: dict[str, str]
    answer: dict[str, str]


def read_template(prompt: Prompt) -> TemplateFile:
    file = _read(prompt, TypeAdapter(TemplateFile))
    _refuse(prompt, _problems(file))
    return file


def read_complaints(prompt: Prompt) -> Mapping[str, str]:
    """The wording of every kind of complaint."""
    wording = _read(prompt, TypeAdapter(dict[str, str]))
    _refuse(prompt, _wording_problems(wording))
    return {kind: text.strip() for kind, text in wording.items()}


def identifiers(text: str) -> frozenset[str]:
    """The names that a text wants filled in."""
    return frozenset(string.Template(text).get_identifiers())


def _read(prompt: Prompt, shape: TypeAdapter[T]) -> T:
    try:
        data: Any = yaml.safe_load(prompt.text)
    except yaml.YAMLError as error:
        raise UserError(f"prompt {prompt.name}: not valid YAML: {' '.join(str(error).split())}") from None
    try:
        return shape.validate_python(data)
    except ValidationError as error:
        problems = [f"{'.'.join(map(str, p['loc'])) or 'file'}: {p['msg']}" for p in error.errors()]
        raise UserError(f"prompt {prompt.name}: {'; '.join(problems)}") from None


def _refuse(prompt: Prompt, problems: Iterable[str]) -> None:
    if found := "; ".join(problems):
        raise UserError(f"prompt {prompt.name}: {found}")


def _problems(file: TemplateFile) -> Iterator[str]:
    task = TASKS.get(file.task)
    if task is None:
        yield f"there is no task {file.task!r}; tasks are {', '.join(TASKS)}"
        return
    yield from _text_problems("system", file.system, task.options)
    yield from _form_problems(file, task)
    yield from _exchange_problems(file, task)
    yield from _answer_problems(file, task)


def _form_problems(file: TemplateFile, task: Task) -> Iterator[str]:
    for name, form in task.forms.items():
        if name not in file.forms:
            if form.required:
                yield f"form {name} is missing"
            continue
        needed = frozenset(form.variables) | ({HISTORY} if form.history else frozenset())
        yield from _text_problems(f"form {name}", file.forms[name], needed | task.options, needed)
    for name in file.forms.keys() - task.forms.keys():
        yield f"task {file.task} knows no form {name!r}"


def _exchange_problems(file: TemplateFile, task: Task) -> Iterator[str]:
    if any(task.forms[name].history for name in file.forms if name in task.forms) and not file.exchange:
        yield "a form with $history needs the text of an exchange"
    if file.exchange:
        yield from _text_problems("exchange", file.exchange, EXCHANGE_VALUES)
        if string.Template(file.exchange).is_valid() and not identifiers(file.exchange):
            yield "exchange: $question or $answer must stand in it"


def _answer_problems(file: TemplateFile, task: Task) -> Iterator[str]:
    for name, kind in file.answer.items():
        key = task.key_named(name)
        if key is None:
            yield f"answer: task {file.task} knows no key {name!r}"
        elif kind != key.type:
            yield f"answer: {name} is a {key.type}, not {kind!r}"
    for key in task.keys:
        given = [name for name in key.names if name in file.answer]
        if len(given) > 1:
            yield f"answer: {' and '.join(given)} are the same"
        if key.required and not given:
            yield f"answer: {' or '.join(key.names)} is missing"
    for name in file.answer:
        for form, text in file.forms.items():
            if not _names(file.system, name) and not _names(text, name):
                yield f"neither system nor form {form} names the key {name}"


def _wording_problems(wording: Mapping[str, str]) -> Iterator[str]:
    for kind, values in COMPLAINTS.items():
        if kind in wording:
            yield from _text_problems(kind, wording[kind], values)
        else:
            yield f"the complaint {kind} is missing"
    for kind in wording.keys() - COMPLAINTS.keys():
        yield f"there is no complaint {kind!r}"


def _text_problems(
    where: str, text: str, allowed: frozenset[str], needed: frozenset[str] = frozenset()
) -> Iterator[str]:
    if not text.strip():
        yield f"{where} is empty"
    elif not string.Template(text).is_valid():
        yield f"{where}: a dollar that is no name is written $$"
    else:
        for name in sorted(identifiers(text) - allowed):
            yield f"{where}: ${name} has no meaning here"
        for name in sorted(needed - identifiers(text)):
            yield f"{where} must use ${name}"


def _names(text: str, key: str) -> bool:
    """Whether the key stands in the text as a word of its own; Chinese beside it is no part of the word."""
    return re.search(rf"(?<![$A-Za-z0-9_{{]){re.escape(key)}(?![A-Za-z0-9_])", text) is not None
