"""Templates: what a language model is told, as data in the prompt store.

A template's file is checked whole when it is loaded, so that a slip of the pen ends a job before its first row.
Rendering is one pass of `string.Template`: a dollar or a brace in untrusted text means nothing.

Untrusted text (of a data set, or of an earlier answer) is delimited, also known as spotlighting. It stands between
marks that it cannot contain, and is free of the control tokens of chat formats::

    <<<3f9ac2d1
    the text
    3f9ac2d1>>>

The tag is drawn from the texts themselves, so that the same texts always give the same message (and the store of
answers finds it again), and drawn again while it occurs in one of them: no text can contain its own closing mark.
"""

import hashlib
import re
import string
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from manifests.errors import LawBroken, UserError
from pipeline.engines.contract import ChatMessage, Complaint, TextRequest
from pipeline.engines.text._chat.examples import Examples, find_examples
from pipeline.engines.text._chat.tasks import COMPLAINTS, TASKS, AnswerKey, TaskForm, TextTask
from pipeline.prompts import Prompt, load_prompt, split_name
from pipeline.yaml_text import load_yaml

LONGEST_VALUE = 200
"""Characters of a complaint's value that the model is told."""

TAG_DIGITS = 8

_HISTORY = "history"
_EXCHANGE_VALUES = frozenset({"question", "answer"})

_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_SURROGATES = re.compile(r"[\ud800-\udfff]")
_CONTROL_TOKEN = re.compile(
    r"""
      (?<=[<＜]) (?=[|｜])                 # <|im_end|> and the like: ChatML, Llama 3, Phi, DeepSeek's full-width bars
    | (?<=[|｜]) (?=[>＞])                 # ... and their ends
    | (?<=<) (?=/?[A-Za-z_][\w.:-]{0,40}>)  # <s>, </s>, <<SYS>>, <start_of_turn>, <think>, <tool_call>
    | (?<=\[) (?=/?[a-z]?[A-Z][A-Z0-9_]{1,30}\])  # [INST], [/INST], [TOOL_CALLS], [gMASK]
    | (?<=◁) (?=/?think)                    # Kimi
    | (?<=\]) (?=~) | (?<=\[) (?=e~\[)      # MiniMax
    """,
    re.VERBOSE,
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Template:
    """A template of the store, checked.

    `forms` gives the text of each form, `answer` the keys that it asks for, in order, `complaints` the wording of each
    kind. `examples` are the requests and replies that it shows. `digest` is the SHA-256 over the template's file and
    that of its complaints, 64 hex digits.
    """

    name: str
    language: str
    task_name: str
    task: TextTask
    system: str
    exchange: str
    forms: Mapping[str, str]
    answer: Mapping[str, AnswerKey]
    complaints: Mapping[str, str]
    digest: str
    examples: Examples

    @property
    def variables(self) -> tuple[str, ...]:
        """The variables of all forms, each once; `form(name).variables` are those of one form."""
        return tuple(dict.fromkeys(name for form in self.forms for name in self.form(form).variables))

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON schema of the answer: all keys required, no others allowed."""
        return {
            "type": "object",
            "properties": {name: {"type": key.type} for name, key in self.answer.items()},
            "required": list(self.answer),
            "additionalProperties": False,
        }

    def form(self, name: str) -> TaskForm:
        """Return what the form of that name takes. Raises UserError if the template has no such form."""
        if name not in self.forms:
            raise UserError(f"{self} has no form {name!r}; it has {', '.join(self.forms)}")
        return self.task.forms[name]

    def messages(self, request: TextRequest) -> tuple[ChatMessage, ...]:
        """Render the system and the user message. Raises UserError if the request does not fit the form."""
        form = self.form(request.form)
        self._check(request, form)
        untrusted = {name: request.variables[name] for name in form.variables}
        if form.history:
            untrusted[_HISTORY] = "\n".join(
                _fill(self.exchange, {"question": question, "answer": answer}) for question, answer in request.history
            )
        options = self._options(request)
        return (
            ChatMessage("system", _fill(self.system, options)),
            ChatMessage("user", _fill(self.forms[request.form], {**options, **delimit(untrusted)})),
        )

    def complaint(self, complaint: Complaint) -> str:
        """Render what the model is told about its answer, with the template's own names for the fields.

        Raises LawBroken for a kind that has no wording, or for values that the wording lacks.
        """
        values = {name: " ".join(defuse(value[:LONGEST_VALUE]).split()) for name, value in complaint.values.items()}
        if "field" in values:
            values["field"] = self._key_of(values["field"])
        try:
            return _fill(self.complaints[complaint.kind], values)
        except KeyError as error:
            raise LawBroken(f"{self}, complaint {complaint.kind}: there is no {error}") from None

    def _check(self, request: TextRequest, form: TaskForm) -> None:
        if request.task != self.task_name:
            raise UserError(f"{self} is for the task {self.task_name}, not {request.task}")
        if set(request.variables) != set(form.variables):
            wanted, given = (", ".join(sorted(names)) or "none" for names in (form.variables, request.variables))
            raise UserError(f"{self}, form {request.form}: its variables are {wanted}; given are {given}")
        if bool(request.history) != form.history:
            needs = "needs a history" if form.history else "takes no history"
            raise UserError(f"{self}, form {request.form}: it {needs}")

    def _options(self, request: TextRequest) -> dict[str, str]:
        wanted = (_identifiers(self.system) | _identifiers(self.forms[request.form])) & self.task.options
        if missing := wanted - set(request.options):
            raise UserError(f"{self}: no option {', '.join(sorted(missing))} is given")
        return {name: str(request.options[name]) for name in wanted}

    def _key_of(self, field: str) -> str:
        return next((name for name, key in self.answer.items() if key.field == field), field)

    def __str__(self) -> str:
        return f"template {self.name} ({self.language})"


@lru_cache(maxsize=256)
def load_template(name: str, language: str, root: Path | None = None) -> Template:
    """Load the template of that name and version ("ke-rewrite/v2"), from the store at `root` or the one that ships.

    Each is read once per process. Raises UserError, one line with every problem of the file, if it is missing or
    unfit.
    """
    stem, version = split_name(name)
    prompt = load_prompt(stem, language, version, root)
    file = _read(prompt, TypeAdapter(TemplateFile))
    _refuse(prompt, _problems(file))
    wording = load_prompt("complaints", language, file.complaints, root)
    complaints = _read(wording, TypeAdapter(dict[str, str]))
    _refuse(wording, _wording_problems(complaints))
    task = TASKS[file.task]
    keys = {named: task.key_named(named) for named in file.answer}
    return Template(
        name=name,
        language=language,
        task_name=file.task,
        task=task,
        system=file.system,
        exchange=file.exchange,
        forms={form: text.strip() for form, text in file.forms.items()},
        answer={named: key for named, key in keys.items() if key},
        complaints={kind: text.strip() for kind, text in complaints.items()},
        digest=hashlib.sha256(f"{prompt.sha256} {wording.sha256}".encode()).hexdigest(),
        examples=find_examples({"system": file.system, **file.forms}),
    )


def delimit(texts: Mapping[str, str]) -> dict[str, str]:
    """Put each text, defused, between marks. All texts of one call share a tag that none of them contains."""
    defused = {name: defuse(text) for name, text in texts.items()}
    digest = hashlib.sha256("\x00".join(defused.values()).encode("utf-8")).hexdigest()
    while any(digest[:TAG_DIGITS] in text for text in defused.values()):
        digest = hashlib.sha256(digest.encode()).hexdigest()
    tag = digest[:TAG_DIGITS]
    return {name: f"<<<{tag}\n{text}\n{tag}>>>" for name, text in defused.items()}


def defuse(text: str) -> str:
    """Put a space inside everything that a tokenizer could take for a control token of a chat format.

    The patterns are wider than the list of known tokens: a space inside `<b>` does no harm, an unknown token might.
    Control characters other than newline and tab are removed; lone surrogates, which UTF-8 cannot hold, become U+FFFD.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = _SURROGATES.sub("\ufffd", _UNPRINTABLE.sub("", text))
    return _CONTROL_TOKEN.sub(" ", text)


def _fill(text: str, values: Mapping[str, str]) -> str:
    return string.Template(text).substitute(values)


def _identifiers(text: str) -> frozenset[str]:
    return frozenset(string.Template(text).get_identifiers())


class TemplateFile(BaseModel):
    """The keys of a template's file; `docs/prompts.md` explains them."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    task: str
    complaints: str
    system: str
    exchange: str = ""
    forms: dict[str, str]
    answer: dict[str, str]


def _read(prompt: Prompt, shape: TypeAdapter[T]) -> T:
    try:
        data: Any = load_yaml(prompt.text)
    except ValueError as error:
        raise UserError(f"prompt {prompt.name}: not valid YAML: {error}") from None
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


def _form_problems(file: TemplateFile, task: TextTask) -> Iterator[str]:
    for name, form in task.forms.items():
        if name not in file.forms:
            if form.required:
                yield f"form {name} is missing"
            continue
        needed = frozenset(form.variables) | ({_HISTORY} if form.history else frozenset())
        yield from _text_problems(f"form {name}", file.forms[name], needed | task.options, needed)
    for name in file.forms.keys() - task.forms.keys():
        yield f"task {file.task} has no form {name!r}"


def _exchange_problems(file: TemplateFile, task: TextTask) -> Iterator[str]:
    if any(task.forms[name].history for name in file.forms if name in task.forms) and not file.exchange:
        yield "a form with $history needs the text of an exchange"
    if file.exchange:
        yield from _text_problems("exchange", file.exchange, _EXCHANGE_VALUES)
        if string.Template(file.exchange).is_valid() and not _identifiers(file.exchange):
            yield "exchange must use $question or $answer"


def _answer_problems(file: TemplateFile, task: TextTask) -> Iterator[str]:
    for name, kind in file.answer.items():
        key = task.key_named(name)
        if key is None:
            yield f"answer: task {file.task} has no key {name!r}"
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
        yield f"{where}: write a dollar that starts no name as $$"
    else:
        for name in sorted(_identifiers(text) - allowed):
            yield f"{where}: ${name} has no meaning here"
        for name in sorted(needed - _identifiers(text)):
            yield f"{where} must use ${name}"


def _names(text: str, key: str) -> bool:
    """Tell whether the key stands in the text as a word of its own, also directly beside Chinese characters."""
    return re.search(rf"(?<![$A-Za-z0-9_{{]){re.escape(key)}(?![A-Za-z0-9_])", text) is not None
