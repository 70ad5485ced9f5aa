"""`parley voicebank build` and `list`."""

import click

COMMANDS: tuple[click.Command, ...] = ()
