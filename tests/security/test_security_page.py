"""docs/security.md speaks of every command, and of every engine that takes a model."""

import re
from pathlib import Path

import click

from pipeline.cli.main import cli
from pipeline.engines.registry import ENGINES

PAGE = (Path(__file__).parents[2] / "docs" / "security.md").read_text(encoding="utf-8")


def first_column(title: str) -> list[str]:
    """The words in code marks in the first cells of the table below a heading."""
    part = PAGE.split(f"## {title}")[1].split("\n## ")[0]
    rows = [line.split("|")[1] for line in part.splitlines() if line.startswith("| `")]
    return [word for row in rows for word in re.findall(r"`([^`]+)`", row)]


def commands(group: click.Group, before: str = "") -> list[str]:
    found = []
    for name, command in group.commands.items():
        inner = f"{before}{name}"
        found += commands(command, f"{inner} ") if isinstance(command, click.Group) else [inner]
    return found


def test_every_command_is_in_the_table() -> None:
    assert sorted(first_column("What each command may reach")) == sorted(commands(cli))


def test_every_engine_with_a_model_is_in_the_table() -> None:
    assert sorted(first_column("How each engine loads a model")) == sorted(e.name for e in ENGINES.all() if e.settings)


def test_the_page_names_the_engines_whose_models_hold_code() -> None:
    rows = [line for line in PAGE.splitlines() if "**its code runs**" in line]
    named = {re.findall(r"`([^`]+)`", row)[0] for row in rows}
    assert named == {engine.name for engine in ENGINES.all() if engine.runs_model_code}
