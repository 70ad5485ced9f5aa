"""`parley voicebank`: its commands. They hold no logic."""

import click

from pipeline.cli import bank_build as cli_build
from pipeline.cli import bank_exchange as cli_exchange
from pipeline.cli import bank_references as cli_references
from pipeline.cli import bank_virtual as cli_virtual


@click.group()
def voicebank() -> None:
    """Build banks of voices that belong to nobody, and look at them."""


for module in (cli_build, cli_virtual, cli_exchange, cli_references):
    for command in module.COMMANDS:
        voicebank.add_command(command)
