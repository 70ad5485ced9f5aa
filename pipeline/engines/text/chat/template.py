"""Templates: what a language model is told, as data in the prompt store.

A template is checked whole when it is loaded, so that a slip of the pen ends a job before its first row. Rendering is
one pass of `string.Template`: a dollar or a brace in foreign text means nothing.
"""

import hashlib
import string
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from manifests.errors import LawBroken, UserError
from pipeline.engines.contract import ChatMessage, Complaint, TextRequest
from pipeline.engines.text.chat.spotlighting import defuse, fence
from pipeline.engines.text.chat.tasks import TASKS, Form, Key, Task
from pipeline.engines.text.chat.template_file import HISTORY, identifiers, read_complaints, read_template
from pipeline.prompts import load_prompt, split_name

LONGEST_VALUE = 200
"""Characters of a complaint's value that the model is told."""


@dataclass(frozen=True, slots=True)
class Template:
    """A template of the store, checked.

    `forms` gives each form's text, `answer` the keys that it asks for, in order, `complaints` the wording of each
    kind. `digest` is the SHA-256 over the template's file and that of its complaints, 64 hex digits.
    """

    name: str
    language: str
    task_name: str
    system: str
    exchange: str
    forms: Mapping[str, str]
    answer: Mapping[str, Key]
    complaints: Mapping[str, str]
    digest: str

    @property
    def task(self) -> Task:
        return TASKS[self.task_name]

    @property
    def variables(self) -> tuple[str, ...]:
        """The variables of all its forms, each once; `form(name).variables` are those of one."""
        return tuple(dict.fromkeys(name for form in self.forms for name in self.form(form).variables))

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON schema of the answer: all keys required, no others."""
        return {
            "type": "object",
            "properties": {name: {"type": key.type} for name, key in self.answer.items()},
            "required": list(self.answer),
            "additionalProperties": False,
        }

    def form(self, name: str) -> Form:
        """What that form takes. UserError where the template has none of that name."""
        if name not in self.forms:
            raise UserError(f"{self} has no form {name!r}; it has {', '.join(self.forms)}")
        return self.task.forms[name]

    def messages(self, request: TextRequest) -> tuple[ChatMessage, ...]:
        """System and user message. UserError where the request is not what the form takes."""
        form = self.form(request.form)
        self._check(request, form)
        foreign = {name: request.variables[name] for name in form.variables}
        if form.history:
            foreign[HISTORY] = "\n".join(
                _fill(self.exchange, {"question": question, "answer": answer}) for question, answer in request.history
            )
        options = self._options(request)
        return (
            ChatMessage("system", _fill(self.system, options)),
            ChatMessage("user", _fill(self.forms[request.form], {**options, **fence(foreign)})),
        )

    def complaint(self, complaint: Complaint) -> str:
        """What the model is told of its answer; a field is called as the template calls it.

        LawBroken for a kind, or a lack of values, that no wording was written for.
        """
        values = {name: _short(value) for name, value in complaint.values.items()}
        if "field" in values:
            values["field"] = self._key_of(values["field"])
        try:
            return _fill(self.complaints[complaint.kind], values)
        except KeyError as error:
            raise LawBroken(f"{self}, complaint {complaint.kind}: there is no {error}") from None

    def _check(self, request: TextRequest, form: Form) -> None:
        if request.task != self.task_name:
            raise UserError(f"{self} is for the task {self.task_name}, not {request.task}")
        if set(request.variables) != set(form.variables):
            wanted, given = (", ".join(sorted(names)) or "none" for names in (form.variables, request.variables))
            raise UserError(f"{self}, form {request.form}: its variables are {wanted}; given are {given}")
        if bool(request.history) != form.history:
            needs = "needs a history" if form.history else "takes no history"
            raise UserError(f"{self}, form {request.form}: it {needs}")

    def _options(self, request: TextRequest) -> dict[str, str]:
        wanted = (identifiers(self.system) | identifiers(self.forms[request.form])) & self.task.options
        if missing := wanted - set(request.options):
            raise UserError(f"{self}: no option {', '.join(sorted(missing))} is given")
        return {name: str(request.options[name]) for name in wanted}

    def _key_of(self, field: str) -> str:
        return next((name for name, key in self.answer.items() if key.field == field), field)

    def __str__(self) -> str:
        return f"template {self.name} ({self.language})"


@lru_cache(maxsize=256)
def load_template(name: str, language: str, root: Path | None = None) -> Template:
    """The template of that name and version ("ke-rewrite/v1"), from the store at `root` or the one that ships.

    Read once for each process. UserError, one line with every problem of the file, where it is not there or not sound.
    """
    stem, version = split_name(name)
    prompt = load_prompt(stem, language, version, root)
    file = read_template(prompt)
    wording = load_prompt("complaints", language, file.complaints, root)
    keys = {named: TASKS[file.task].key_named(named) for named in file.answer}
    return Template(
        name=name,
        language=language,
        task_name=file.task,
        system=file.system,
        exchange=file.exchange,
        forms={form: text.strip() for form, text in file.forms.items()},
        answer={named: key for named, key in keys.items() if key},
        complaints=read_complaints(wording),
        digest=hashlib.sha256(f"{prompt.sha256} {wording.sha256}".encode()).hexdigest(),
    )


def _fill(text: str, values: Mapping[str, str]) -> str:
    return string.Template(text).substitute(values)


def _short(value: str) -> str:
    """A value as part of a sentence: one line, harmless, not long."""
    return " ".join(defuse(value[:LONGEST_VALUE]).split())
