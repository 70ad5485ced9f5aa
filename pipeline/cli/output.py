"""The one door by which the commands' texts reach a terminal: data to stdout, everything else to stderr.

Names, texts and reasons in a corpus or a bank may come from a stranger, and messages may quote an address with a
password: neither passes here.
"""

import click

from manifests.credentials import without_secrets
from manifests.terminal import printable

_LAYOUT = "\n\t"


def show(text: str, end: str = "\n") -> None:
    """Print data to stdout."""
    click.echo(printable(text, keep=_LAYOUT) + end, nl=False)


def tell(text: str) -> None:
    """Print a message to stderr, on as many lines as it has."""
    click.echo(message(text), err=True)


def message(text: str) -> str:
    """Return a message as it may be shown: nothing in it steers the terminal, and it holds no keys or passwords."""
    return printable(without_secrets(text), keep=_LAYOUT)
