"""Defines the command line. Commands contain no logic; data goes to stdout, everything else to stderr.

Exit codes: 0 done, 2 the user can fix it, 3 the data on disk is wrong, 4 an engine cannot work, 70 a bug in Parley,
130 interrupted, 143 terminated.
"""

import io
import os
import sys
import traceback
from typing import Any

import click

from manifests.errors import LawBroken, ParleyError, RayEnded, UserError
from pipeline.cli import corpus_publish, corpus_tokens, corpus_views  # noqa: F401  they add their commands to `corpus`
from pipeline.cli.corpus import corpus
from pipeline.cli.models import models
from pipeline.cli.options import (
    accept_changes,
    answers_option,
    job_options,
    out_option,
    recipe_settings,
    runner_options,
)
from pipeline.cli.output import show, tell
from pipeline.cli.servers import servers
from pipeline.cli.timing import timing
from pipeline.cli.tune import tune
from pipeline.cli.voicebank import voicebank
from pipeline.ending import end_process, say, say_stopped, watch_signals
from pipeline.environment import environment_error

DEMO_RECIPE = "ke-speechchat-neural"


@click.group()
@click.version_option(package_name="parley")
def cli() -> None:
    """Parley turns text instruction sets into verified, watermarked spoken-dialogue corpora."""


@cli.command()
@click.argument("recipe")
@job_options
@out_option
@recipe_settings
@runner_options
@answers_option
@accept_changes
def run(recipe: str, out: str, overrides: tuple[str, ...], **options: Any) -> None:
    """Run a whole RECIPE (a name or a file), from the input to the corpus; continues an unfinished run."""
    from pipeline.cli import commands

    show(commands.run(recipe, overrides, out, options))


@cli.command()
@click.option("--out", default="demo", show_default=True, metavar="DIR")
@click.option(
    "--recipe",
    default=DEMO_RECIPE,
    show_default=True,
    metavar="RECIPE",
    help="Another one, such as ke-speechchat-offline, which needs no model files and no network.",
)
@click.option(
    "--rows",
    type=click.IntRange(1),
    default=24,
    show_default=True,
    help="Rows of the English and of the Chinese sample.",
)
@recipe_settings
@runner_options
@answers_option
def demo(out: str, recipe: str, rows: int, overrides: tuple[str, ...], **options: Any) -> None:
    """Fetch the models of a recipe, once, and run it on a sample that Parley ships: English and Chinese, no GPU.

    With the default recipe, two dialogues in which the user breaks in follow, in DIR-duplex.
    """
    from pipeline.cli import commands

    show(commands.demo(out, recipe, rows, overrides, options, two_at_once=recipe == DEMO_RECIPE))


@cli.command()
@click.argument("recipe")
@job_options
@out_option
@recipe_settings
@runner_options
def ingest(recipe: str, out: str, overrides: tuple[str, ...], **options: Any) -> None:
    """Cut the input into blocks, for `parley stage`."""
    from pipeline.cli import commands

    show(commands.ingest(recipe, overrides, out, options))


@cli.command()
@click.argument("name", metavar="NAME")
@click.option("--recipe", required=True, help="A name or a file.")
@click.option("--in", "source", required=True, metavar="DIR", help="Directory of blocks.")
@out_option
@recipe_settings
@runner_options
@answers_option
def stage(name: str, recipe: str, source: str, out: str, overrides: tuple[str, ...], **options: Any) -> None:
    """Run one stage over a directory of blocks. All stages in turn make the same corpus as `run`."""
    from pipeline.cli import commands

    show(commands.stage(name, recipe, overrides, source, out, options))


@cli.group()
def recipes() -> None:
    """Look at the recipes: which stages, engines and thresholds build a corpus."""


@recipes.command("list")
def list_recipes() -> None:
    """List the recipes that Parley ships."""
    from pipeline.cli import commands

    show(commands.list_recipes())


@recipes.command("show")
@click.argument("name", metavar="RECIPE")
def show_recipe(name: str) -> None:
    """Print a RECIPE (a name or a file) as it is written, comments included."""
    from pipeline.cli import commands

    show(commands.show_recipe(name), end="")


@cli.group()
def formats() -> None:
    """Look at the input formats."""


@formats.command("list")
def list_formats() -> None:
    """List the input formats."""
    from pipeline.cli import commands

    show(commands.list_formats())


@formats.command("show")
@click.argument("name")
def show_format(name: str) -> None:
    """Describe a format: its keys and an example row."""
    from pipeline.cli import commands

    show(commands.show_format(name))


@cli.group()
def engines() -> None:
    """Look at the engines, which do the heavy work of the stages."""


@engines.command("list")
def list_engines() -> None:
    """List the engines: which work on this machine, and what each of the others needs."""
    from pipeline.cli import commands

    show(commands.list_engines())


@engines.command("show")
@click.argument("name")
def show_engine(name: str) -> None:
    """Describe an engine: whether it works on this machine, and its settings in a recipe's `models`."""
    from pipeline.cli import commands

    show(commands.show_engine(name))


@cli.group()
def prompts() -> None:
    """Look at the prompts: the wording that language models and the rules work with."""


@prompts.command("list")
@click.option("--language", "languages", multiple=True, help="List only this language; may be repeated.")
def list_prompts(languages: tuple[str, ...]) -> None:
    """List the prompts: name, languages, version, task, variables, hash."""
    from pipeline.cli import prompts as prompt_commands

    show(prompt_commands.list_prompts(languages))


@prompts.command()
@click.argument("name", metavar="NAME/vN")
@click.option("--language", required=True, help="Language of the prompt, as `parley prompts list` shows it.")
@click.option("--form", help="Form of the template; default: its first.")
@click.option(
    "--var",
    "variables",
    multiple=True,
    metavar="NAME=TEXT",
    help="Set a variable; NAME=@FILE reads a file. May be repeated.",
)
@click.option(
    "--option", "options", multiple=True, metavar="NAME=VALUE", help="Set a setting of the recipe. May be repeated."
)
@click.option("--history", multiple=True, metavar="QUESTION|ANSWER", help="Add an earlier exchange. May be repeated.")
def render(name: str, **values: Any) -> None:
    """Show the exact messages that a model gets."""
    from pipeline.cli import prompts as prompt_commands

    show(prompt_commands.render(name, **values))


@cli.group()
def exporters() -> None:
    """Look at the exporters, which write a corpus in other programs' formats."""


@exporters.command("list")
def list_exporters() -> None:
    """Print a line for each exporter: name, what it writes."""
    from pipeline.cli import commands

    show(commands.list_exporters())


@exporters.command("show")
@click.argument("name")
def show_exporter(name: str) -> None:
    """Describe what an exporter writes."""
    from pipeline.cli import commands

    show(commands.show_exporter(name))


@cli.group()
def stages() -> None:
    """Look at the stages: the steps that a recipe can list."""


@stages.command("list")
def list_stages() -> None:
    """Print a line for each stage: name, what it does."""
    from pipeline.cli import commands

    show(commands.list_stages())


@stages.command("show")
@click.argument("name")
def show_stage(name: str) -> None:
    """Describe a stage: what it does, reads and writes, and its settings."""
    from pipeline.cli import commands

    show(commands.show_stage(name))


cli.add_command(corpus)
cli.add_command(models)
cli.add_command(servers)
cli.add_command(timing)
cli.add_command(tune)
cli.add_command(voicebank)


def command() -> None:
    """Run the command, and exit: errors become one line and an exit code; only bugs in Parley show a traceback.

    Errors of the environment, such as a full disk, are among the lines (`pipeline.environment`).
    """
    try:
        _take_any_text()
        cli(standalone_mode=False)
    except click.ClickException as error:
        error.show(shown := io.StringIO())
        tell(shown.getvalue().rstrip())
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(say_stopped())
    except LawBroken as error:
        tell(f"parley: a bug of Parley: {error}")
        sys.exit(error.exit_code)
    except RayEnded as error:
        say(str(error))
        sys.exit(error.exit_code)
    except ParleyError as error:
        tell(f"parley: {' '.join(str(error).split())}")
        sys.exit(error.exit_code)
    except Exception as error:  # noqa: BLE001  the last resort of the process
        if _reader_has_gone(error):
            sys.exit(1)
        known = environment_error(error)
        if known is None:
            tell(traceback.format_exc().rstrip())
            sys.exit(LawBroken.exit_code)
        tell(f"parley: {known}")
        sys.exit(known.exit_code)


def _take_any_text() -> None:
    """Print escapes for characters that the terminal cannot show; refuse arguments that are no text.

    Raises UserError: under a locale without UTF-8, Python hands half characters on, which no file can hold.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    for argument in sys.argv[1:]:
        try:
            argument.encode("utf-8")
        except UnicodeEncodeError:
            shown = argument.encode("utf-8", "backslashreplace").decode("utf-8")
            raise UserError(
                f"the argument {shown!r} is not UTF-8 text; where it looks right, set PYTHONUTF8=1 or LC_ALL=C.UTF-8"
            ) from None


def _reader_has_gone(error: BaseException) -> bool:
    """Tell whether the program that reads our stdout has ended, as `head` does: nothing can be said to it any more."""
    if not isinstance(error, BrokenPipeError):
        return False
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        # The interpreter flushes again on exit, and would complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return True
    return False


def main() -> None:
    """Run the `parley` command as a process of its own, which ends however the command does."""
    watch_signals()
    try:
        command()
    except SystemExit as end:
        end_process(end.code)


if __name__ == "__main__":
    main()
