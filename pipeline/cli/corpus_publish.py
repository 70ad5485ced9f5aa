"""Defines the commands of `parley corpus` that hand a corpus on. They contain no logic."""

import sys
from datetime import datetime
from typing import Any

import click

from pipeline.cli.corpus import corpus
from pipeline.cli.options import open_runner, out_option, runner_options, view_options
from pipeline.cli.output import show, tell


@corpus.command()
@click.argument("directory")
@out_option
@click.option("--name", metavar="ORGANIZATION/NAME", help="Name on the hub; needed by --push.")
@click.option("--title", metavar="TEXT", help="Title of the card; default: the name, or that of the recipe.")
@click.option("--license", metavar="NAME", help="License of the publication; default: not stated.")
@click.option("--license-link", metavar="URL", help="Where the text of that license is.")
@click.option(
    "--layout",
    type=click.Choice(["flat", "nested"]),
    default="flat",
    show_default=True,
    help="A row for each turn, which a viewer plays, or for each dialogue.",
)
@click.option("--bank", metavar="DIR", help="Voice bank of the corpus; default: the one that ships, if it was.")
@click.option(
    "--date", "published", type=click.DateTime(["%Y-%m-%d"]), help="Date of the publication; default: today (UTC)."
)
@click.option("--push", is_flag=True, help="Upload to the hub; the token is taken from HF_TOKEN.")
@click.option("--private", is_flag=True, help="With --push: make a data set that others do not see.")
@view_options
@runner_options
def publish(directory: str, out: str, published: datetime | None, push: bool, private: bool, **options: Any) -> None:
    """Write a corpus as a hub shows it: Parquet that plays, a card and a Croissant file computed from the corpus.

    Splits and subsets of the corpus become splits and configs of the data set; no row is stored twice. A killed
    command continues where it ended when it is started again, the upload too.
    """
    from pipeline.cli import publish as publishing

    runner = open_runner({name: options.pop(name) for name in ("runner", "ray_address")})
    views = {name: options.pop(name) for name in ("subset", "split", "view")}
    show(publishing.publish(directory, out, published, views, options, runner))
    if push:
        show(publishing.push(out, options["name"], private, tell))


@corpus.command()
@click.argument("directory")
@out_option
@click.option("--certificate", required=True, metavar="FILE", help="Certificate chain (PEM), the signer's first.")
@click.option(
    "--key",
    required=True,
    metavar="FILE",
    help="Private key (PEM, without a password), or a pkcs11: address whose PIN is in PARLEY_PKCS11_PIN.",
)
@click.option("--timestamp-server", metavar="URL", help="Time-stamping authority (RFC 3161); default: no time stamp.")
@runner_options
def sign(directory: str, out: str, certificate: str, key: str, timestamp_server: str | None, **runner: Any) -> None:
    """Write a copy of a corpus whose clips are signed: a C2PA manifest in each says that it is synthetic.

    The samples stay the same, and this is checked for each clip. A killed command continues where it ended.
    """
    from pipeline.cli import publish as publishing

    show(publishing.sign(directory, out, certificate, key, timestamp_server, open_runner(runner)))


@corpus.command("verify-signatures")
@click.argument("directory")
@click.option("--trust", metavar="FILE", help="Certificates (PEM) that the signer's chain must lead to.")
@click.option("--unsigned", metavar="DIR", help="The corpus before it was signed: compare clip by clip.")
@runner_options
def verify_signatures(directory: str, trust: str | None, unsigned: str | None, **runner: Any) -> None:
    """Check the C2PA manifest of every clip of a signed corpus; exit with code 3 if one is missing or wrong."""
    from pipeline.cli import publish as publishing

    text, passed = publishing.verify(directory, trust, unsigned, open_runner(runner))
    show(text)
    sys.exit(0 if passed else 3)
