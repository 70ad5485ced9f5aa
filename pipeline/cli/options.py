"""Options that several commands share, and what they stand for."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:  # the command must not load pyarrow to print its help
    from pipeline.job.runner.tasks import Runner

Command = Callable[..., Any]

recipe_settings = click.option(
    "--set", "overrides", multiple=True, metavar="KEY.PATH=VALUE", help="Override a value of the recipe (YAML)."
)
out_option = click.option("--out", required=True, metavar="DIR", help="Directory, local or on an object store.")
accept_changes = click.option(
    "--accept-changes", is_flag=True, help="Go on although recipe, engines or input have changed."
)


def job_options(command: Command) -> Command:
    """The options that say what goes into a job."""
    options = [
        click.option("--input", "inputs", multiple=True, required=True, metavar="FILE", help="May be repeated."),
        click.option(
            "--format", "format_", help="Format of the input; detected without it (see `parley formats list`)."
        ),
        click.option("--language", help="Language of all rows; detected for each row without it."),
        click.option("--dataset", help="Name of the data set, for ids and sources; the file's name without it."),
        click.option("--license", help="License of the input, kept with every row."),
        click.option("--limit", type=click.IntRange(min=1), help="Take only so many rows."),
        click.option("--seed", type=int, default=0, show_default=True, help="Of every random choice."),
    ]
    return _with(command, options)


def runner_options(command: Command) -> Command:
    """The options that say where the work runs, see `open_runner`."""
    options = [
        click.option("--runner", type=click.Choice(["ray", "local"]), default="ray", show_default=True),
        click.option("--ray-address", metavar="ADDRESS", help="A running Ray cluster; without it, this machine."),
    ]
    return _with(command, options)


def answers_option(command: Command) -> Command:
    option = click.option(
        "--answers", metavar="DIR", help="Where language models' answers are stored; without it, in --out."
    )
    return option(command)


def open_runner(options: Mapping[str, Any]) -> "Runner":
    """The runner that `runner_options` name."""
    if options["runner"] == "local":
        from pipeline.job.runner.local import LocalRunner

        return LocalRunner()
    from pipeline.job.runner.ray import RayRunner

    return RayRunner(options["ray_address"])


def _with(command: Command, options: Sequence[Callable[[Command], Command]]) -> Command:
    for option in reversed(options):
        command = option(command)
    return command
