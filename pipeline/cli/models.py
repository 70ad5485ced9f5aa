"""Defines the commands of `parley models`. They contain no logic."""

import sys
from typing import Any

import click

from pipeline.cli.output import show

_cache = click.option(
    "--cache", metavar="DIR", help="Directory of the cache; default: PARLEY_CACHE, or the user's cache directory."
)
_names = click.argument("names", nargs=-1, required=True, metavar="MODEL|RECIPE...")


@click.group()
def models() -> None:
    """Bring model files into a cache, check them, and pack them for machines without a network."""


@models.command("list")
@_cache
def list_(cache: str | None) -> None:
    """List the models: license, size, whether it is in the cache, what it is."""
    from pipeline.cli import model_commands as commands

    show(commands.list_models(cache))


@models.command("show")
@click.argument("name", metavar="MODEL")
@_cache
def show_(name: str, cache: str | None) -> None:
    """Describe a MODEL: where it is from, its files with their hashes, and the places that hold them."""
    from pipeline.cli import model_commands as commands

    show(commands.show_model(name, cache))


@models.command()
@_names
@_cache
@click.option(
    "--for",
    "use",
    type=click.Choice(["commercial", "research"]),
    help="Bring nothing unless the license of every model allows this use.",
)
@click.option("--terms", metavar="FILE", help="Your own table of terms, over the one that ships.")
def fetch(names: tuple[str, ...], cache: str | None, use: Any, terms: str | None) -> None:
    """Bring into the cache what each MODEL or RECIPE needs; continues what broke off."""
    from pipeline.cli import model_commands as commands

    if use:
        commands.check_models(names, use, terms)
    show(commands.fetch_models(names, cache))


@models.command()
@click.argument("names", nargs=-1, metavar="[MODEL|RECIPE]...")
@_cache
def verify(names: tuple[str, ...], cache: str | None) -> None:
    """Hash the files of models again, of all that are in the cache by default; exit with code 3 if one is wrong."""
    from pipeline.cli import model_commands as commands

    text, sound = commands.verify_models(names, cache)
    show(text)
    sys.exit(0 if sound else 3)


@models.command()
@click.argument("name", metavar="MODEL")
@_cache
def path(name: str, cache: str | None) -> None:
    """Print the directory of a MODEL that is in the cache."""
    from pipeline.cli import model_commands as commands

    show(commands.path_of(name, cache))


@models.command()
@_names
@click.option("--out", required=True, metavar="FILE", help="The tar file to write.")
@_cache
def pack(**options: Any) -> None:
    """Write models to one tar file; unpacked into a cache (`tar -xf FILE -C CACHE`), they are in it."""
    from pipeline.cli import model_commands as commands

    show(commands.pack_models(**options))


@models.command()
@click.argument("name", metavar="MODEL|RECIPE")
@click.option("--port", type=click.IntRange(1, 65535), default=8080, show_default=True, help="Port on 127.0.0.1.")
@click.option(
    "--threads",
    type=click.IntRange(1),
    help="Threads that compute; default: one for each core but one. More than there are idle cores slow it down.",
)
@click.argument("command", nargs=-1, type=click.UNPROCESSED, metavar="[-- COMMAND...]")
def serve(name: str, port: int, threads: int | None, command: tuple[str, ...]) -> None:
    """Serve a language model, a GGUF file of the cache, to recipes on this machine, by llama.cpp's own server.

    With a COMMAND, such as `-- parley run ...`, until the command ends, with its exit code; without one, until it is
    interrupted.
    """
    from pipeline.cli import model_commands as commands

    sys.exit(commands.serve_model(name, port, threads, command))
