"""The reference pages of docs/, made from the code: `python -m pipeline.cli.reference docs` writes them again.

A test holds the pages equal to what this module makes, so that no table of flags, keys or reasons can go false.
"""

import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, get_args, get_origin

import click
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from manifests.reasons import Reason
from pipeline.cli.main import cli
from pipeline.engines.registry import ENGINES
from pipeline.readers import formats as input_formats
from pipeline.recipe import Pool, Recipe
from pipeline.stages.registry import STAGES

_NOTE = "<!-- Made by `python -m pipeline.cli.reference docs`; do not edit. -->\n\n"


def reasons_page() -> str:
    rows = [f"| `{reason}` | {reason.kind} | {reason.meaning} |" for reason in Reason]
    return f"# Reasons\n\n{_NOTE}Why a row does not reach the corpus.\n\n" + _table(
        "reason", "the row is", "meaning", rows
    )


def recipe_page() -> str:
    intro = (
        "Every key of a recipe, as `--set` takes it. A key without a default must be given. The settings of a stage "
        "stand under its name: `--set gate.wer_limit=0.05`; naming one that the recipe does not list switches it on "
        "(`--set assess={}`), and `--set NAME=null` switches it off.\n\n"
    )
    parts = [("What a recipe holds", "", _keys(Recipe))]
    parts += [
        (f"Stage `{stage.name}`", stage.about, _keys(stage.settings, f"{stage.name}.")) for stage in STAGES.all()
    ]
    parts.append(("A pool", "", _keys(Pool, "pools.NAME.")))
    parts += [
        (f"A model of engine `{engine.name}`", engine.about, _keys(engine.settings, "models.NAME."))
        for engine in ENGINES.all()
        if engine.settings
    ]
    sections = [
        f"## {title}\n\n"
        + (f"{about[0].upper()}{about[1:]}.\n\n" if about else "")
        + _table("key", "default", "meaning", rows)
        for title, about, rows in parts
    ]
    return f"# Recipe keys\n\n{_NOTE}{intro}" + "\n".join(sections)


def _sentence(about: str) -> str:
    return f"{about[0].upper()}{about[1:]}.\n\n" if about else ""


def stages_page() -> str:
    intro = (
        "What each stage reads and writes decides in which orders a recipe may list them: a stage may read only what "
        "an earlier one writes, and may not spoil what an earlier one wrote. Fields are of the row, of its turns, or "
        "of their takes. [recipe-keys.md](recipe-keys.md) has the settings.\n\n"
    )
    rows = [
        f"| `{stage.name}` | {stage.about} | {_fields(stage.reads)} | {_fields(stage.writes)} | "
        f"{_fields(stage.spoils)} | {stage.pool} |"
        for stage in STAGES.all()
    ]
    return f"# Stages\n\n{_NOTE}{intro}" + _table("stage", "what it does", "reads", "writes", "spoils", "pool", rows)


def engines_page() -> str:
    rows = [f"| {engine.kind} | `{engine.name}` | {engine.about} |" for engine in ENGINES.all()]
    return f"# Engines\n\n{_NOTE}" + _table("kind", "name", "what it is", rows)


def formats_page() -> str:
    rows = [f"| `{name}` | {entry.about} |" for name, entry in input_formats().items()]
    return f"# Input formats\n\n{_NOTE}" + _table("format", "what it is", rows)


def cli_page() -> str:
    sections = [f"## {name}\n\n```\n{text}\n```\n" for name, text in _helps(cli, "parley")]
    return f"# The command\n\n{_NOTE}" + "\n".join(sections)


PAGES: dict[str, Callable[[], str]] = {
    "reasons.md": reasons_page,
    "recipe-keys.md": recipe_page,
    "stages.md": stages_page,
    "engines.md": engines_page,
    "formats.md": formats_page,
    "cli.md": cli_page,
}


def _table(*parts: Any) -> str:
    *heads, rows = parts
    return "\n".join([f"| {' | '.join(heads)} |", "|---" * len(heads) + "|", *rows]) + "\n"


def _keys(model: type[BaseModel], path: str = "") -> list[str]:
    """A table row for each key of the settings and of the settings within them."""
    return [
        f"| `{name}` | {_default(field)} | {field.description or ''} |"
        for name, field in _settings_fields(model, path)
    ]


def _settings_fields(model: type[BaseModel], path: str) -> Iterator[tuple[str, FieldInfo]]:
    for name, field in model.model_fields.items():
        yield f"{path}{name}", field
        for inner, mark in _models_in(field.annotation):
            if model is not Recipe or name not in ("stages", "models", "pools"):  # they have sections of their own
                yield from _settings_fields(inner, f"{path}{name}{mark}.")


def _models_in(annotation: Any, mark: str = "") -> Iterator[tuple[type[BaseModel], str]]:
    """The settings that a value of the annotation holds, with how a path goes into them: "[]" for lists."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation, mark
    is_list = get_origin(annotation) in (tuple, list)
    for argument in get_args(annotation):
        yield from _models_in(argument, "[]" if is_list else mark)


def _fields(names: Iterable[str]) -> str:
    return " ".join(f"`{name}`" for name in sorted(names))


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
