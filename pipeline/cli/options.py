"""Defines the options that several commands share, and what they stand for."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from manifests.manifest import LARGEST

if TYPE_CHECKING:  # the command must not load pyarrow to print its help
    from pipeline.job.runner.tasks import Runner

Command = Callable[..., Any]


def _fits(context: click.Context, option: click.Parameter, value: int | None) -> int | None:
    """Check a number that the manifest will hold: its readers compute with 64 bits."""
    if value is not None and abs(value) > LARGEST:
        raise click.BadParameter(f"{str(value)[:40]} is too large a number", context, option)
    return value


recipe_settings = click.option(
    "--set", "overrides", multiple=True, metavar="KEY.PATH=VALUE", help="Override a value of the recipe (YAML)."
)
exporter_settings = click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="KEY=VALUE",
    help="Set a setting of the exporter (YAML; see `parley exporters show`).",
)
out_option = click.option("--out", required=True, metavar="DIR", help="Directory, local or on an object store.")
accept_changes = click.option(
    "--accept-changes", is_flag=True, help="Continue even if the recipe, engines or input have changed."
)


def input_options(command: Command) -> Command:
    """Add the options that name the input."""
    options = [
        click.option(
            "--input",
            "inputs",
            multiple=True,
            required=True,
            metavar="FILE",
            help="File, folder of a data set, pattern in quotes, or - for standard input; may be repeated.",
        ),
        click.argument("more", nargs=-1, metavar="[FILE]..."),
        click.option(
            "--format", "format_", help="Format of the input (see `parley formats list`); default: detected."
        ),
        click.option("--language", help="Language of all rows; default: detected for each row."),
        click.option(
            "--dataset",
            help="Name of the one data set that all inputs are; default: each is one, by its file's or folder's name.",
        ),
        click.option("--license", help="License of the input, stored in every row."),
    ]
    return _with(command, options)


def job_options(command: Command) -> Command:
    """Add the options that say what goes into a job."""
    options = [
        click.option("--limit", type=click.IntRange(min=1), callback=_fits, help="Take only this many rows."),
        click.option(
            "--seed", type=int, callback=_fits, default=0, show_default=True, help="Seed of every random choice."
        ),
    ]
    return input_options(_with(command, options))


def runner_options(command: Command) -> Command:
    """Add the options that say where the work runs, see `open_runner`."""
    options = [
        click.option("--runner", type=click.Choice(["ray", "local"]), default="ray", show_default=True),
        click.option(
            "--ray-address", metavar="ADDRESS", help="Address of a running Ray cluster; default: this machine."
        ),
    ]
    return _with(command, options)


def view_options(command: Command) -> Command:
    """Add the options that choose rows of a corpus by its views."""
    options = [
        click.option("--subset", metavar="NAME", help="Only the rows of this subset."),
        click.option("--split", metavar="NAME", help="Only the rows of this split."),
        click.option(
            "--view", multiple=True, metavar="NAME", help="Only the rows of this view, or VIEW/PART; may be repeated."
        ),
    ]
    return _with(command, options)


def token_option(command: Command) -> Command:
    """Add the option that opens a corpus with speech tokens made beside it."""
    option = click.option(
        "--tokens", multiple=True, metavar="NAME", help="With the speech tokens of this token set; may be repeated."
    )
    return option(command)


def answers_option(command: Command) -> Command:
    option = click.option(
        "--answers", metavar="DIR", help="Directory for stored answers of language models; default: in --out."
    )
    return option(command)


def open_runner(options: Mapping[str, Any]) -> "Runner":
    """Open the runner that `runner_options` name."""
    if options["runner"] == "local":
        from pipeline.job.runner.local import LocalRunner

        return LocalRunner()
    from pipeline.job.runner.ray import RayRunner

    return RayRunner(options["ray_address"])


def _with(command: Command, options: Sequence[Callable[[Command], Command]]) -> Command:
    for option in reversed(options):
        command = option(command)
    return command
