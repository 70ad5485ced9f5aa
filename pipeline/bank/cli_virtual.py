"""`parley voicebank blend` and `check`."""

import click

COMMANDS: tuple[click.Command, ...] = ()
