"""`parley voicebank import` and `export`."""

import click

from voicebank.exchange.formats import format_names

_format = click.option("--format", "format_", type=click.Choice(format_names()), required=True, help="Whose files.")


@click.command("import")
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
    from pipeline.cli import bank_exchange_commands as exchange_commands

    overrides = exchange_commands.overrides_of(genders, gender, language, license)
    text, notes = exchange_commands.import_voices(format_, source, out, name, overrides, engine)
    for note in notes:
        click.echo(note, err=True)
    click.echo(text)


@click.command("export")
@click.option("--bank", required=True, metavar="NAME|DIR", help="A bank that ships, or a directory.")
@_format
@click.option("--out", required=True, metavar="PATH", help="The file, or cleans2s's directory; must not be there.")
def export(bank: str, format_: str, out: str) -> None:
    """Write a bank's voices as another program reads them, and a side table with what its files cannot hold."""
    from pipeline.cli import bank_exchange_commands as exchange_commands

    text, notes = exchange_commands.export_voices(bank, format_, out)
    for note in notes:
        click.echo(note, err=True)
    click.echo(text)


COMMANDS: tuple[click.Command, ...] = (import_, export)
