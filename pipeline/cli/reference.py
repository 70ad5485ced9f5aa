"""The reference pages of docs/, made from the code: `python -m pipeline.cli.reference docs` writes them again.

A test holds the pages equal to what this module makes, so that no table of flags, keys or reasons can go false.
"""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from manifests.reasons import Reason
from pipeline.cli.main import cli
from pipeline.engines.registry import ENGINES
from pipeline.readers import FORMATS
from pipeline.recipe import Recipe

_NOTE = "<!-- Made by `python -m pipeline.cli.reference docs`; do not edit. -->\n\n"


def reasons_page() -> str:
    rows = [f"| `{reason}` | {reason.kind} | {reason.meaning} |" for reason in Reason]
    return f"# Reasons\n\n{_NOTE}Why a row does not reach the corpus.\n\n" + _table(
        "reason", "the row is", "meaning", rows
    )


def recipe_page() -> str:
    rows = [f"| `{path}` | {_default(field)} | {field.description or ''} |" for path, field in _recipe_fields(Recipe)]
    intro = "Every key of a recipe, as `--set` takes it. A key without a default must be given.\n\n"
    return f"# Recipe keys\n\n{_NOTE}{intro}" + _table("key", "default", "meaning", rows)


def engines_page() -> str:
    rows = [f"| {kind} | `{name}` | {entry.about} |" for (kind, name), entry in ENGINES.items()]
    return f"# Engines\n\n{_NOTE}" + _table("kind", "name", "what it is", rows)


def formats_page() -> str:
    rows = [f"| `{name}` | {entry.about} |" for name, entry in FORMATS.items()]
    examples = [f"`{name}`:\n\n```json\n{_json(entry.example)}\n```\n" for name, entry in FORMATS.items()]
    table = _table("format", "what it is", rows)
    return f"# Input formats\n\n{_NOTE}{table}\n## A row of each\n\n" + "\n".join(examples)


def cli_page() -> str:
    sections = [f"## {name}\n\n```\n{text}\n```\n" for name, text in _helps(cli, "parley")]
    return f"# The command\n\n{_NOTE}" + "\n".join(sections)


PAGES: dict[str, Callable[[], str]] = {
    "reasons.md": reasons_page,
    "recipe-keys.md": recipe_page,
    "engines.md": engines_page,
    "formats.md": formats_page,
    "cli.md": cli_page,
}


def _table(*parts: Any) -> str:
    *heads, rows = parts
    return "\n".join([f"| {' | '.join(heads)} |", "|---" * len(heads) + "|", *rows]) + "\n"


def _json(row: Any) -> str:
    return json.dumps(row, ensure_ascii=False)


def _recipe_fields(model: type[BaseModel], path: str = "") -> Iterator[tuple[str, FieldInfo]]:
    for name, field in model.model_fields.items():
        annotation = field.annotation
        if isinstance(annotation, type) and issubclass(annotation, BaseModel) and field.is_required():
            yield from _recipe_fields(annotation, f"{path}{name}.")
        else:
            yield f"{path}{name}", field


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return ""
    value = field.default
    if isinstance(value, BaseModel):
        value = value.model_dump()
    return f"`{value}`"


def _helps(command: click.Command, name: str) -> Iterator[tuple[str, str]]:
    context = click.Context(command, info_name=name, terminal_width=100)
    yield name, command.get_help(context)
    for child in sorted(getattr(command, "commands", {})):
        yield from _helps(command.commands[child], f"{name} {child}")  # type: ignore[attr-defined]


if __name__ == "__main__":
    for page_name, make in PAGES.items():
        Path(sys.argv[1], page_name).write_text(make(), encoding="utf-8")
