"""`parley voicebank blend` and `check`."""

import sys
from typing import Any

import click

_bank = click.option("--bank", required=True, metavar="DIR", help="Directory, local or on an object store.")


@click.command()
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
    from pipeline.cli import bank_virtual_commands as virtual_commands

    text, notes = virtual_commands.blend_voices(bank, out, options)
    for note in notes:
        click.echo(note, err=True)
    click.echo(text)


@click.command()
@_bank
@click.option("--real", required=True, metavar="DIR", help="The bank of speakers that the voices come from.")
@click.option("--sample", type=click.IntRange(min=1), help="Look for twins of so many voices; speak so many (20).")
@click.option(
    "--audio", is_flag=True, help="Speak probe sentences, and measure how near the audio is to the speakers."
)
@click.option("--recipe", help="With --audio: the corpus recipe whose speech engines speak.")
@click.option("--set", "overrides", multiple=True, metavar="KEY.PATH=VALUE", help="Override a value of --recipe.")
@click.option("--bank-recipe", help="With --audio: the bank recipe whose encoder measures.")
@click.option("--out", metavar="DIR", help="With --audio: where audio.json and audio.html go.")
def check(**options: Any) -> None:
    """Test a bank of voices again from its files; exit code 3 if it fails."""
    from pipeline.cli import bank_virtual_commands as virtual_commands

    text, sound = virtual_commands.check_voices(options)
    click.echo(text)
    sys.exit(0 if sound else 3)


COMMANDS: tuple[click.Command, ...] = (blend, check)
