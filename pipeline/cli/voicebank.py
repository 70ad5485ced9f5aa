"""Defines the commands of `parley voicebank`. They contain no logic."""

import sys
from contextlib import redirect_stdout
from typing import Any

import click

from pipeline.cli.options import accept_changes, recipe_settings, runner_options
from pipeline.cli.output import show
from pipeline.cli.voicebank_virtual import audition, blend, check, report, voice_prompts
from voicebank.exchange.formats import format_names

_format = click.option(
    "--format", "format_", type=click.Choice(format_names()), required=True, help="The other program's format."
)


@click.group()
def voicebank() -> None:
    """Build and look at banks of voices, among them voices that belong to nobody."""


@voicebank.command()
@click.option("--input", "source", required=True, metavar="CORPUS", help="Directory, local or on an object store.")
@click.option("--layout", required=True, help="Layout of the corpus, such as librispeech or manifest.")
@click.option("--out", required=True, metavar="BANK", help="Directory, local or on an object store.")
@click.option(
    "--recipe", default="ke-bank", show_default=True, help="Bank recipe: a name that Parley ships, or a file."
)
@recipe_settings
@click.option(
    "--encoder",
    metavar="NAME|ENGINE=MODEL",
    help="Encoder of the embeddings that a synthesizer is conditioned on, such as qwen3-tts=DIR.",
)
@click.option("--dataset", help="Data set, the start of every speaker's id; default: the layout's name.")
@click.option("--license", help="License of the recordings; default: the layout's.")
@runner_options
@click.option("--limit-groups", type=click.IntRange(min=1), help="Take only this many groups, the first by their ids.")
@accept_changes
def build(recipe: str, overrides: tuple[str, ...], out: str, **options: Any) -> None:
    """Make a bank of real speakers from a corpus of recordings; continues an unfinished run."""
    from pipeline.cli import voicebank_commands as commands

    show(commands.build(recipe, overrides, out, options))


@voicebank.command()
@click.option("--recipe", required=True, help="Corpus recipe, a name or a file, that has the synthesizer as a model.")
@recipe_settings
@click.option("--engine", required=True, help="The synthesizer's name in that recipe.")
@click.option("--language", required=True, metavar="CODE", help="Language to speak.")
@click.option("--any-language", is_flag=True, help="Record the voices of other languages too.")
@click.option("--out", required=True, metavar="DIR", help="Directory for the corpus, local or on an object store.")
def record(**options: Any) -> None:
    """Let a synthesizer's own voices speak into a corpus, for `build --layout manifest`."""
    from pipeline.cli import virtual_voices

    show(virtual_voices.record_voices(options))


@voicebank.command("list")
@click.argument("bank", required=False)
def list_(bank: str | None) -> None:
    """List the banks that Parley ships, or print the card of BANK, a name or a directory."""
    from pipeline.cli import voicebank_commands as commands

    show(commands.describe_bank(bank) if bank else commands.list_banks())


@voicebank.command("import")
@_format
@click.option(
    "--from", "source", required=True, metavar="PATH", help="spk2info.pt, a reference directory, or a .jsonl or .tsv."
)
@click.option("--out", required=True, metavar="DIR", help="Directory for the bank, local or on an object store.")
@click.option("--name", help="Name of the bank; default: the directory's.")
@click.option("--genders", metavar="FILE.csv", help="Side table of voices: name, gender[, language, role, license].")
@click.option("--gender", type=click.Choice(["female", "male"]), help="Gender of voices without one.")
@click.option("--language", help="Language of voices without one; mul: any language.")
@click.option("--license", help="License of voices without one.")
@click.option(
    "--engine",
    default="cosyvoice",
    show_default=True,
    help="Synthesizer that will speak with the voices of cleans2s's clips.",
)
def import_(
    format_: str,
    source: str,
    out: str,
    name: str | None,
    genders: str | None,
    gender: str | None,
    language: str | None,
    license: str | None,
    engine: str,
) -> None:
    """Make a bank from another program's voices. Facts that are not in the files are never guessed."""
    from pipeline.cli import voicebank_commands as commands

    overrides = commands.overrides_of(genders, gender, language, license)
    text, notes = commands.import_voices(format_, source, out, name, overrides, engine)
    report(text, notes)


@voicebank.command("export")
@click.option("--bank", required=True, metavar="NAME|DIR", help="A bank that ships, or a directory.")
@_format
@click.option("--out", required=True, metavar="PATH", help="File, or directory for cleans2s; must not exist yet.")
def export(bank: str, format_: str, out: str) -> None:
    """Write a bank's voices for another program, and a side table of facts that its files cannot hold."""
    from pipeline.cli import voicebank_commands as commands

    text, notes = commands.export_voices(bank, format_, out)
    report(text, notes)


@voicebank.command("reference-embeddings")
@click.argument("bank")
@click.option("--recipe", required=True, help="Corpus recipe whose speech engines speak: a name or a file.")
@recipe_settings
@click.option("--encoder", help="Speaker encoder, or a model of the recipe; default: the recipe's assess.speaker.")
def reference_embeddings(bank: str, recipe: str, overrides: tuple[str, ...], encoder: str | None) -> None:
    """Let every voice of BANK speak, and store its reference embedding; exit with code 3 if a voice cannot."""
    from pipeline.bank.reference_embedding import embed_bank
    from pipeline.cli.progress import counted

    # The libraries of some engines print to stdout, which is for data.
    with redirect_stdout(sys.stderr), counted("voices that have spoken", "voice") as progress:
        text, complete = embed_bank(bank, recipe, overrides, encoder, progress)
    show(text)
    sys.exit(0 if complete else 3)


for _command in (audition, blend, check, voice_prompts):
    voicebank.add_command(_command)
