"""`parley voicebank build` and `list`."""

from typing import Any

import click


@click.command()
@click.option("--input", "source", required=True, metavar="CORPUS", help="Directory, local or on an object store.")
@click.option("--layout", required=True, help="How the corpus lies there: a name, such as librispeech or manifest.")
@click.option("--out", required=True, metavar="BANK", help="Directory, local or on an object store.")
@click.option("--recipe", default="ke-bank", show_default=True, help="A name that ships, or a file.")
@click.option(
    "--set", "overrides", multiple=True, metavar="KEY.PATH=VALUE", help="Override a value of the recipe (YAML)."
)
@click.option("--dataset", help="Begins every speaker's id; the layout's name without it.")
@click.option("--license", help="License of the recordings; the layout's without it.")
@click.option("--runner", type=click.Choice(["ray", "local"]), default="ray", show_default=True)
@click.option("--ray-address", metavar="ADDRESS", help="A running Ray cluster; without it, this machine.")
@click.option("--limit-groups", type=click.IntRange(min=1), help="Take only so many groups, the first by their ids.")
@click.option("--accept-changes", is_flag=True, help="Go on although engines have changed.")
def build(recipe: str, overrides: tuple[str, ...], out: str, **options: Any) -> None:
    """Make a bank of real speakers out of a corpus of recordings; continues what is unfinished."""
    from pipeline.cli import bank_commands as commands

    click.echo(commands.build(recipe, overrides, out, options))


@click.command("list")
@click.argument("bank", required=False)
def list_(bank: str | None) -> None:
    """List the banks that ship; or what the card of BANK, a name or a directory, says and counts."""
    from pipeline.cli import bank_commands as commands

    click.echo(commands.describe_bank(bank) if bank else commands.list_banks())


COMMANDS: tuple[click.Command, ...] = (build, list_)
