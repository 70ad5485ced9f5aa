"""Defines the commands of `parley corpus` that have to do with speech tokens. They contain no logic."""

from collections.abc import Sequence
from typing import Any

import click

from pipeline.cli.corpus import corpus
from pipeline.cli.options import open_runner, runner_options
from pipeline.cli.output import show


@corpus.command()
@click.argument("directory")
@click.option(
    "--with",
    "engine",
    required=True,
    metavar="NAME",
    help="The tokenizer: an engine, or a model that --set describes (see `parley engines list`).",
)
@click.option("--name", metavar="NAME", help="Name of the token set; default: that of the tokenizer.")
@click.option(
    "--of",
    type=click.Choice(["turns", "tracks", "both"]),
    default="turns",
    show_default=True,
    help="What gets tokens: the turns' clips, the tracks of mixed dialogues, or both.",
)
@click.option(
    "--role", type=click.Choice(["both", "user", "agent"]), default="both", show_default=True, help="Whose turns."
)
@click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="models.NAME.KEY=VALUE",
    help="Describe a model (YAML), such as models.mine={engine: snac, model: DIR}.",
)
@click.option("--workers", type=click.IntRange(0), default=0, show_default=True, help="Workers; 0: one for each core.")
@click.option("--gpus", type=click.FloatRange(0), default=0.0, show_default=True, help="GPUs that each worker claims.")
@runner_options
def tokenize(directory: str, overrides: Sequence[str], **options: Any) -> None:
    """Make speech tokens of the kept rows of a finished corpus, in files beside its shards.

    `Corpus(DIRECTORY, tokens=NAME)` and `parley corpus export --tokens NAME` read the rows with them. A killed command
    continues where it ended when it is started again.
    """
    from pipeline.cli import tokens

    runner = open_runner({name: options.pop(name) for name in ("runner", "ray_address")})
    show(tokens.tokenize(directory, overrides, runner=runner, **options))


@corpus.command("tokens")
@click.argument("directory")
@click.option("--json", "as_json", is_flag=True)
def list_tokens(directory: str, as_json: bool) -> None:
    """List the token sets of a corpus: tokenizer, revision, license, and how many clips have tokens."""
    from pipeline.cli import tokens

    show(tokens.list_sets(directory, as_json))
