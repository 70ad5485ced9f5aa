"""`parley voicebank`: its commands. They hold no logic."""

import click

from pipeline.bank import cli_build, cli_exchange, cli_fingerprint, cli_virtual


@click.group()
def voicebank() -> None:
    """Build banks of voices that belong to nobody, and look at them."""


for module in (cli_build, cli_virtual, cli_exchange, cli_fingerprint):
    for command in module.COMMANDS:
        voicebank.add_command(command)
