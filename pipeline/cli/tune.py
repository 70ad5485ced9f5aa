"""Defines `parley tune`. It contains no logic."""

from typing import Any

import click

from pipeline.cli.options import input_options, recipe_settings
from pipeline.cli.output import show


@click.command()
@click.argument("recipe")
@input_options
@click.option("--rows", type=click.IntRange(1), help="Rows to run; default: eight blocks.")
@recipe_settings
@click.option("--ray-address", metavar="ADDRESS", help="Address of a running Ray cluster; default: this machine.")
@click.option("--scratch", metavar="DIR", help="Directory for what is made meanwhile; every node must see it.")
@click.option("--check", is_flag=True, help="Run the rows again as proposed, and say whether that was faster.")
def tune(recipe: str, overrides: tuple[str, ...], **options: Any) -> None:
    """Run a few rows of RECIPE, and propose workers and batches for its pools, as `--set` takes them.

    Everything that the rows cost is spent: servers are asked, engines loaded. What they make is thrown away.
    """
    from pipeline.cli.tune_commands import tune as tuned

    show(tuned(recipe, overrides, options))
