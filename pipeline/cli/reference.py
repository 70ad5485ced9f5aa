"""Makes the reference pages of docs/ from the code: `python -m pipeline.cli.reference docs` writes them.

A test compares the pages with the output of this module, so that no table of flags, keys or reasons becomes outdated.
"""

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import click
from pydantic import BaseModel

from manifests.reasons import Reason
from pipeline.cli.main import cli
from pipeline.cli.settings import REQUIRED, setting_rows
from pipeline.engines.registry import ENGINES
from pipeline.readers import formats as input_formats
from pipeline.recipe import Recipe
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
        "come under its name: `--set gate.wer_limit=0.05`. Naming a stage that the recipe does not list "
        "switches it on (`--set assess={}`), and `--set NAME=null` switches it off.\n\n"
    )
    parts = [("What a recipe holds", "", _keys(Recipe))]
    parts += [
        (f"Stage `{stage.name}`", stage.about, _keys(stage.settings, f"{stage.name}.")) for stage in STAGES.all()
    ]
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
        "The order of stages in a recipe depends on what they read and write: a stage may read only what "
        "an earlier one writes, and may not spoil what an earlier one wrote. Fields belong to rows, turns, or "
        "takes. [recipe-keys.md](recipe-keys.md) lists the settings.\n\n"
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
    intro = (
        "The format of a file is told by the keys of its rows, or named by `--format`. [inputs.md](inputs.md) says "
        "which files, folders and shapes of rows are read.\n\n"
    )
    rows = [f"| `{name}` | {entry.about} |" for name, entry in input_formats().items()]
    examples = [f"`{name}`:\n\n```json\n{_json(entry.example)}\n```\n" for name, entry in input_formats().items()]
    table = _table("format", "what it is", rows)
    return f"# Input formats\n\n{_NOTE}{intro}{table}\n## A row of each\n\n" + "\n".join(examples)


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


def _json(row: Any) -> str:
    return json.dumps(row, ensure_ascii=False)


def _keys(settings: type[BaseModel], path: str = "") -> list[str]:
    """Return a table row for each key of the settings, including nested settings."""
    elsewhere = ("models.", "stages.") if settings is Recipe else ("\n",)  # they have sections of their own
    return [
        f"| `{key}` | {'' if default == REQUIRED else f'`{default}`'} | {meaning} |"
        for key, default, meaning in setting_rows(settings, path)
        if not key.startswith(elsewhere)
    ]


def _fields(names: Iterable[str]) -> str:
    return " ".join(f"`{name}`" for name in sorted(names))


def _helps(command: click.Command, name: str) -> Iterator[tuple[str, str]]:
    context = click.Context(command, info_name=name, terminal_width=100)
    yield name, command.get_help(context)
    for child in sorted(getattr(command, "commands", {})):
        yield from _helps(command.commands[child], f"{name} {child}")  # type: ignore[attr-defined]


if __name__ == "__main__":
    for page_name, make in PAGES.items():
        Path(sys.argv[1], page_name).write_text(make(), encoding="utf-8")
