"""Implements `parley prompts`: lists the store, and shows the messages that a model gets."""

from collections.abc import Sequence
from pathlib import Path

from manifests.errors import UserError
from pipeline.engines.contract import ChatMessage, TextRequest
from pipeline.engines.text._chat.template import Template, load_template
from pipeline.prompts import PromptName, complaints_version, load_prompt, named_digest, prompt_names, split_name

HASH_DIGITS = 16
"""Hexadecimal digits of a hash, as many as a row's provenance shows."""


def list_prompts(languages: Sequence[str] = (), root: Path | None = None) -> str:
    """Return a line for each prompt: name, languages, version, task, variables and hash, separated by tabs.

    Task and variables are "-" if the prompt is not a template. `languages` restricts the list, and also the hashes:
    they are then the hashes in a corpus of these languages.
    """
    found = [(name, _among(name.languages, languages)) for name in prompt_names(root)]
    return "\n".join(_line(name, chosen, root) for name, chosen in found if chosen)


def render(
    name: str,
    language: str,
    form: str | None,
    variables: Sequence[str] = (),
    options: Sequence[str] = (),
    history: Sequence[str] = (),
    root: Path | None = None,
) -> str:
    """Return the messages of one request, each under its role.

    `variables` and `options` read "name=value"; a variable's value "@file" is the text of that file. `history` items
    read "question|answer". The default form is the template's first. Raises UserError if they do not fit the template.
    """
    template = _template(name, language, root)
    request = TextRequest(
        task=template.task_name,
        language=language,
        variables={key: _text(value) for key, value in map(_pair, variables)},
        seed=0,
        options=_options(template, options),
        history=tuple(_exchange(item) for item in history),
        prompt=name,
        form=form or next(iter(template.forms)),
    )
    return "\n\n".join(_under_role(message) for message in template.messages(request))


def _among(available: Sequence[str], wanted: Sequence[str]) -> tuple[str, ...]:
    return tuple(language for language in available if not wanted or language in wanted)


def _line(name: PromptName, languages: Sequence[str], root: Path | None) -> str:
    task, variables = "-", "-"
    if complaints_version(load_prompt(name.task, languages[0], name.version, root)):
        template = load_template(str(name), languages[0], root)
        task, variables = template.task_name, ",".join(template.variables) or "-"
    digest = named_digest(str(name), languages, root)[:HASH_DIGITS]
    return "\t".join([name.task, ",".join(languages), name.version, task, variables, digest])


def _template(name: str, language: str, root: Path | None) -> Template:
    task, version = split_name(name)
    if complaints_version(load_prompt(task, language, version, root)) is None:
        raise UserError(f"prompt {name} is not a template: no model gets it as messages (see `parley prompts list`)")
    return load_template(name, language, root)


def _under_role(message: ChatMessage) -> str:
    return f"=== {message.role} ===\n{message.content}"


def _options(template: Template, pairs: Sequence[str]) -> dict[str, str]:
    options = dict(map(_pair, pairs))
    known = template.task.options
    if unknown := sorted(options.keys() - known):
        there_are = ", ".join(sorted(known)) or "none"
        raise UserError(f"{template.task_name} has no option {', '.join(unknown)}; its options are {there_are}")
    return options


def _pair(argument: str) -> tuple[str, str]:
    name, separator, value = argument.partition("=")
    if not separator or not name:
        raise UserError(f"{argument!r} must read name=value")
    return name, value


def _text(value: str) -> str:
    if not value.startswith("@"):
        return value
    try:
        # The final line break of a text file is not part of the text.
        return Path(value[1:]).read_text("utf-8").removesuffix("\n")
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise UserError(f"cannot read {value[1:]}: {getattr(error, 'strerror', None) or 'not UTF-8 text'}") from None


def _exchange(item: str) -> tuple[str, str]:
    question, separator, answer = item.partition("|")
    if not separator:
        raise UserError(f"history {item!r} must read question|answer")
    return question, answer
