"""`parley voicebank import` and `export`."""

import click

COMMANDS: tuple[click.Command, ...] = ()
