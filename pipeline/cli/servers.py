"""Defines the commands of `parley servers`. They contain no logic."""

import click

from pipeline.cli.options import recipe_settings
from pipeline.cli.output import show


@click.group()
def servers() -> None:
    """Look at the dialects of speech servers, and see whether a server obeys what a recipe sends it."""


@servers.command()
@click.argument("recipe", metavar="RECIPE")
@recipe_settings
def check(recipe: str, overrides: tuple[str, ...]) -> None:
    """Ask the speech servers of a RECIPE (a name or a file) for a few clips, and say what they obey.

    Every run does the same before its first row. Exit code 4 if a server ignores something that the recipe sends.
    """
    from pipeline.cli import server_commands as commands

    text, problems = commands.check(recipe, overrides)
    show(text)
    if problems:
        from manifests.errors import EngineUnavailable

        raise EngineUnavailable("; ".join(problems))


@servers.command()
def dialects() -> None:
    """List the dialects: name, what it is for."""
    from pipeline.cli import server_commands as commands

    show(commands.list_dialects())


@servers.command()
@click.argument("name", metavar="DIALECT")
def dialect(name: str) -> None:
    """Print a DIALECT (a name or a file) as it is written, to copy and change."""
    from pipeline.cli import server_commands as commands

    show(commands.show_dialect(name), end="")
