"""Defines the commands of `parley corpus`. They contain no logic."""

import sys
from collections.abc import Sequence
from typing import Any

import click

from manifests.manifest import FINAL_STATUSES
from manifests.storage import open_place
from pipeline.cli.options import (
    exporter_settings,
    open_runner,
    out_option,
    recipe_settings,
    runner_options,
    token_option,
    view_options,
)
from pipeline.cli.output import show, tell


@click.group()
def corpus() -> None:
    """Look at a finished corpus."""


@corpus.command()
@click.argument("directory")
@click.option("--deep", is_flag=True, help="Check every hash and decode every clip.")
@runner_options
def validate(directory: str, deep: bool, **options: Any) -> None:
    """Check that a corpus is complete and intact; print each problem and exit with code 3 if it is not."""
    from pipeline.cli import commands

    text, sound = commands.validate(directory, deep, open_runner(options))
    show(text)
    sys.exit(0 if sound else 3)


@corpus.command()
@click.argument("directory")
@click.option("--row", metavar="ID", help="Show only this row: its takes, and their transcripts word for word.")
@click.option("--json", "as_json", is_flag=True)
@runner_options
def stats(directory: str, row: str | None, as_json: bool, **options: Any) -> None:
    """Show rows, reasons, yield, hours and error rates of a corpus, or one row."""
    from manifests import rows
    from pipeline.cli import commands

    if row is not None:
        found = rows.find_row(open_place(directory), row)
        show(rows.row_json(found) if as_json else rows.format_row(found))
        return
    show(commands.stats(directory, as_json, open_runner(options)))


@corpus.command()
@click.argument("directory")
@click.option("--to", "exporter", required=True, metavar="NAME", help="The exporter (see `parley exporters list`).")
@out_option
@click.option(
    "--status", type=click.Choice(FINAL_STATUSES), default="kept", show_default=True, help="Which rows to export."
)
@view_options
@token_option
@exporter_settings
@runner_options
def export(directory: str, exporter: str, out: str, status: str, overrides: Sequence[str], **options: Any) -> None:
    """Write a corpus in another program's format; rows that it would spoil are refused and counted.

    A corpus that has splits is written split by split. A killed export continues where it ended when it is started
    again.
    """
    from pipeline.cli import commands

    views = {name: options.pop(name) for name in ("subset", "split", "view", "tokens")}
    show(commands.export(directory, exporter, out, status, overrides, views, open_runner(options)))


@corpus.command()
@click.argument("directory")
@click.option(
    "--out",
    required=True,
    metavar="FILE_OR_DIR",
    help="A file that ends in .html, or a directory; outside the corpus.",
)
@click.option(
    "--clips",
    type=click.Choice(["beside", "inside", "none"]),
    default="beside",
    show_default=True,
    help="Where the clips go: into a directory beside the page, into the page itself, or nowhere.",
)
@click.option(
    "--rows",
    type=click.IntRange(min=1),
    default=2000,
    show_default=True,
    metavar="N",
    help="Show at most N dialogues, borderline and dropped ones among them; the numbers are those of all rows.",
)
@click.option(
    "--bank", metavar="BANK", help="Voice bank that tells the voices' genders; default: the corpus's, if it ships."
)
def report(directory: str, out: str, **options: Any) -> None:
    """Write a page to look at a corpus and listen to it: yield, error rates, cost, and the dialogues word by word.

    The page opens from disk, needs no server and loads nothing from elsewhere.
    """
    from pipeline.cli import commands

    show(commands.report(directory, out, options))


@corpus.command()
@click.argument("directory")
@click.option("--out", metavar="DIR", help="Write report.json and report.html to this directory, outside the corpus.")
@click.option(
    "--sample",
    type=click.IntRange(min=1),
    metavar="N",
    help="Measure N clips; default: all clips for the watermark, 200 for everything else.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the sample.")
@click.option("--controls", metavar="DIR", help="Directory of unmarked recordings; default: resynthesized clips.")
@click.option(
    "--tokenizer",
    "tokenizers",
    multiple=True,
    metavar="NAME",
    help="Also look for the mark in clips that this tokenizer encoded and decoded; may be repeated.",
)
@recipe_settings
@click.option(
    "--trust-recipe", is_flag=True, help="Load the models and the voice bank that the corpus's recipe names."
)
@click.option("--json", is_flag=True, help="Print the report as JSON.")
@runner_options
def audit(directory: str, runner: str, ray_address: str | None, **options: Any) -> None:
    """Measure a corpus again, from its files alone; exit with code 3 if they contradict its claims.

    Measures hashes, the watermark and the attacks that it survives, error rates and speakers. A corpus does not choose
    what runs here: for the models of its recipe give `--trust-recipe`, or name yours, `--set models.NAME={...}`.
    `--set` also gives settings that the manifest cannot hold, such as `models.NAME.model=PATH` for a local checkpoint.
    """
    from pipeline.cli import audit as audit_commands

    workers = open_runner({"runner": runner, "ray_address": ray_address})
    text, passed = audit_commands.audit(directory, say=tell, runner=workers, **options)
    show(text)
    sys.exit(0 if passed else 3)
