"""`parley voicebank`: its commands. They hold no logic."""

import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from typing import Any

import click

from pipeline.cli.options import accept_changes, recipe_settings, runner_options
from voicebank.exchange.formats import format_names

_format = click.option("--format", "format_", type=click.Choice(format_names()), required=True, help="Whose files.")
_bank = click.option("--bank", required=True, metavar="DIR", help="Directory, local or on an object store.")


@click.group()
def voicebank() -> None:
    """Build banks of voices that belong to nobody, and look at them."""


@voicebank.command()
@click.option("--input", "source", required=True, metavar="CORPUS", help="Directory, local or on an object store.")
@click.option("--layout", required=True, help="How the corpus lies there: a name, such as librispeech or manifest.")
@click.option("--out", required=True, metavar="BANK", help="Directory, local or on an object store.")
@click.option("--recipe", default="ke-bank", show_default=True, help="A name that ships, or a file.")
@recipe_settings
@click.option("--dataset", help="Begins every speaker's id; the layout's name without it.")
@click.option("--license", help="License of the recordings; the layout's without it.")
@runner_options
@click.option("--limit-groups", type=click.IntRange(min=1), help="Take only so many groups, the first by their ids.")
@accept_changes
def build(recipe: str, overrides: tuple[str, ...], out: str, **options: Any) -> None:
    """Make a bank of real speakers out of a corpus of recordings; continues what is unfinished."""
    from pipeline.cli import voicebank_commands as commands

    click.echo(commands.build(recipe, overrides, out, options))


@voicebank.command("list")
@click.argument("bank", required=False)
def list_(bank: str | None) -> None:
    """List the banks that ship; or what the card of BANK, a name or a directory, says and counts."""
    from pipeline.cli import voicebank_commands as commands

    click.echo(commands.describe_bank(bank) if bank else commands.list_banks())


@voicebank.command()
@_bank
@click.option("--count", type=click.IntRange(min=1), required=True, help="User voices; agents come on top.")
@click.option("--out", required=True, metavar="DIR", help="Where the voices go, with card, leak.json and report.html.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of every random choice.")
@click.option("--parents", type=click.IntRange(min=2), default=2, show_default=True, help="Speakers in a voice.")
@click.option("--weights", type=float, nargs=2, default=(0.3, 0.7), show_default=True, help="Lowest and highest.")
@click.option("--engine", default="cosyvoice", show_default=True, help="The synthesizer that is to speak with them.")
@click.option(
    "--leak-limit", type=float, help="Similarity to a real speaker; without it, as its speakers' own halves are."
)
@click.option("--twin-limit", type=float, help="Similarity to another voice; without it, the leak limit.")
@click.option("--agents", type=click.Choice(["2", "0"]), default="2", show_default=True, help="A woman and a man.")
@click.option(
    "--language", "languages", multiple=True, metavar="CODE[=SHARE]", help="May be repeated; without it, all."
)
@click.option(
    "--balance", type=click.Choice(["gender", "corpus"]), default="gender", show_default=True,
    help="As many women as men, or as the speakers are.",
)  # fmt: skip
@click.option("--report/--no-report", default=True, show_default=True, help="Write report.html (needs matplotlib).")
def blend(bank: str, out: str, **options: Any) -> None:
    """Blend the speakers of a bank into voices of nobody: weighted averages, each tested against all speakers."""
    from pipeline.cli import virtual_voices

    text, notes = virtual_voices.blend_voices(bank, out, options)
    _tell(text, notes)


@voicebank.command()
@_bank
@click.option("--real", required=True, metavar="DIR", help="The bank of speakers that the voices come from.")
@click.option("--sample", type=click.IntRange(min=1), help="Look for twins of so many voices; speak so many (20).")
@click.option(
    "--audio", is_flag=True, help="Speak probe sentences, and measure how near the audio is to the speakers."
)
@click.option("--recipe", help="With --audio: the corpus recipe whose speech engines speak.")
@recipe_settings
@click.option("--bank-recipe", help="With --audio: the bank recipe whose encoder measures.")
@click.option("--out", metavar="DIR", help="With --audio: where audio.json and audio.html go.")
def check(**options: Any) -> None:
    """Test a bank of voices again from its files; exit code 3 if it fails."""
    from pipeline.cli import virtual_voices

    text, sound = virtual_voices.check_voices(options)
    click.echo(text)
    sys.exit(0 if sound else 3)


@voicebank.command("import")
@_format
@click.option(
    "--from", "source", required=True, metavar="PATH", help="spk2info.pt, a reference directory, or a .jsonl or .tsv."
)
@click.option("--out", required=True, metavar="DIR", help="Where the bank goes, local or on an object store.")
@click.option("--name", help="Of the bank; that of the directory without it.")
@click.option("--genders", metavar="FILE.csv", help="Side table: name, gender[, language, role, license].")
@click.option("--gender", type=click.Choice(["female", "male"]), help="Of all voices that nothing else is said of.")
@click.option("--language", help="Of all voices that nothing else is said of; mul: they speak any.")
@click.option("--license", help="Of all voices that nothing else is said of.")
@click.option("--engine", default="cosyvoice", show_default=True, help="Which is to speak after cleans2s's clips.")
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
    """Make a bank of another program's voices. What the files do not say is never guessed."""
    from pipeline.cli import voicebank_commands as commands

    overrides = commands.overrides_of(genders, gender, language, license)
    text, notes = commands.import_voices(format_, source, out, name, overrides, engine)
    _tell(text, notes)


@voicebank.command("export")
@click.option("--bank", required=True, metavar="NAME|DIR", help="A bank that ships, or a directory.")
@_format
@click.option("--out", required=True, metavar="PATH", help="The file, or cleans2s's directory; must not be there.")
def export(bank: str, format_: str, out: str) -> None:
    """Write a bank's voices as another program reads them, and a side table with what its files cannot hold."""
    from pipeline.cli import voicebank_commands as commands

    text, notes = commands.export_voices(bank, format_, out)
    _tell(text, notes)


@voicebank.command("reference-embeddings")
@click.argument("bank")
@click.option("--recipe", required=True, help="The corpus recipe whose speech engines speak: a name or a file.")
@recipe_settings
@click.option("--encoder", help="Speaker encoder, or a model of the recipe; without it, the recipe's assess.speaker.")
def reference_embeddings(bank: str, recipe: str, overrides: tuple[str, ...], encoder: str | None) -> None:
    """Let every voice of BANK speak, and keep beside it what a speaker encoder hears; exit code 3 if one cannot."""
    from pipeline.bank.reference_embedding import embed_bank
    from pipeline.cli.progress import counted

    # Some engines' libraries talk on stdout, which is for data.
    with redirect_stdout(sys.stderr), counted("voices that have spoken", "voice") as progress:
        text, complete = embed_bank(bank, recipe, overrides, encoder, progress)
    click.echo(text)
    sys.exit(0 if complete else 3)


def _tell(text: str, notes: Sequence[str]) -> None:
    for note in notes:
        click.echo(note, err=True)
    click.echo(text)
