"""Defines the commands of `parley voicebank` that make, test and rank virtual voices. They contain no logic."""

import sys
from collections.abc import Sequence
from typing import Any

import click

from manifests.terminal import printable
from pipeline.cli.options import accept_changes, recipe_settings, runner_options
from pipeline.cli.output import show, tell

bank_option = click.option("--bank", required=True, metavar="DIR", help="Directory, local or on an object store.")


@click.command()
@bank_option
@click.option("--count", type=click.IntRange(min=1), required=True, help="Number of user voices, without the agents.")
@click.option(
    "--out", required=True, metavar="DIR", help="Directory for the voices, with card, leak.json and report.html."
)
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of every random choice.")
@click.option(
    "--parents", type=click.IntRange(min=2), default=2, show_default=True, help="Real speakers blended into a voice."
)
@click.option(
    "--weights",
    type=float,
    nargs=2,
    default=(0.3, 0.7),
    show_default=True,
    help="Lowest and highest weight of a parent.",
)
@click.option("--engine", default="cosyvoice", show_default=True, help="Synthesizer that will speak with them.")
@click.option(
    "--leak-limit",
    type=float,
    help="Highest similarity to a real speaker; default: from the similarity of its speakers' own halves.",
)
@click.option("--twin-limit", type=float, help="Highest similarity to another voice; default: the leak limit.")
@click.option(
    "--agents",
    type=click.Choice(["2", "0"]),
    default="2",
    show_default=True,
    help="Number of agent voices: a woman and a man, or none.",
)
@click.option(
    "--language",
    "languages",
    multiple=True,
    metavar="CODE[=SHARE]",
    help="Language of voices; may be repeated; default: all.",
)
@click.option(
    "--balance", type=click.Choice(["gender", "corpus"]), default="gender", show_default=True,
    help="Genders of the voices: as many women as men, or as among the speakers.",
)  # fmt: skip
@click.option("--report/--no-report", default=True, show_default=True, help="Write report.html (needs matplotlib).")
def blend(bank: str, out: str, **options: Any) -> None:
    """Blend the speakers of a bank into voices that belong to nobody, each tested against all speakers."""
    from pipeline.cli import virtual_voices

    text, notes = virtual_voices.blend_voices(bank, out, options)
    report(text, notes)


@click.command()
@bank_option
@click.option("--real", required=True, metavar="DIR", help="The bank of speakers that the voices come from.")
@click.option(
    "--sample",
    type=click.IntRange(min=1),
    help="Number of voices to search for twins, and to speak with --audio (20).",
)
@click.option(
    "--audio", is_flag=True, help="Speak probe sentences, and measure the similarity of the audio to the speakers."
)
@click.option("--recipe", help="With --audio: corpus recipe whose speech engines speak.")
@recipe_settings
@click.option("--bank-recipe", help="With --audio: bank recipe whose encoder measures.")
@click.option("--out", metavar="DIR", help="With --audio: directory for audio.json and audio.html.")
def check(**options: Any) -> None:
    """Test a bank of voices again, from its files; exit with code 3 if it fails."""
    from pipeline.cli import virtual_voices

    text, sound = virtual_voices.check_voices(options)
    show(text)
    sys.exit(0 if sound else 3)


@click.command()
@click.option("--bank", "banks", multiple=True, required=True, metavar="DIR", help="Voices to hear; may be repeated.")
@click.option(
    "--sentences",
    metavar="FILE",
    help="YAML file of what they say: a list of sentences for each language; default: Parley's own.",
)
@click.option(
    "--real",
    multiple=True,
    metavar="DIR",
    help="The bank of speakers that they come from, one for each language; may be repeated.",
)
@click.option("--recipe", required=True, help="Corpus recipe whose engines speak and hear.")
@recipe_settings
@click.option("--bank-recipe", required=True, help="Bank recipe whose encoder and quality predictor measure.")
@click.option(
    "--count",
    type=click.IntRange(min=1),
    help="Keep so many user voices of each language and gender in a bank; default: only rank.",
)
@click.option(
    "--extend",
    metavar="NAME|DIR",
    help="With --count: a bank whose voices are heard first and keep their names; others fill the places left.",
)
@click.option(
    "--listen",
    type=click.IntRange(min=0),
    default=30,
    show_default=True,
    help="Voices of each language whose clips the page of the ranking has.",
)
@click.option(
    "--agents",
    type=click.Choice(["1", "0"]),
    default="1",
    show_default=True,
    help="Agent voices of each language and gender, beyond the users.",
)
@click.option(
    "--error-margin",
    type=float,
    default=0.1,
    show_default=True,
    help="How far a voice's error rate may be above its worst parent's.",
)
@click.option(
    "--quality-margin",
    type=float,
    default=0.3,
    show_default=True,
    help="How far a voice's predicted quality may be below its worst parent's (MOS).",
)
@click.option(
    "--leak-limit",
    type=float,
    help="Highest similarity to a real voice; default: from the similarity of the real voices' clips to themselves.",
)
@click.option("--twin-limit", type=float, help="Highest similarity to another voice; default: the leak limit.")
@click.option("--hear", type=click.IntRange(min=1), help="Hear only this many voices of each bank, the first.")
@click.option(
    "--keep-unheard", is_flag=True, help="Fill places that are left with voices that were not heard; the card says so."
)
@click.option(
    "--out", required=True, metavar="DIR", help="Directory for the ranking, or for the bank of the voices that stay."
)
def audition(**options: Any) -> None:
    """Let voices speak, and rank them and their engines, or keep those that are clear, good, and nobody's.

    Continues what broke off.
    """
    from pipeline.cli import audition

    show(audition.audition_voices(options))


@click.command("voice-prompts")
@click.option(
    "--bank", required=True, metavar="NAME|DIR", help="Bank of virtual voices that their engine can speak with."
)
@click.option(
    "--real", metavar="DIR", help="The bank of speakers that the voices come from, which no clip may sound like."
)
@click.option("--untested", is_flag=True, help="Make clips without --real: nobody is compared, and the card says so.")
@click.option("--recipe", required=True, help="Corpus recipe whose engines speak and hear.")
@recipe_settings
@click.option("--bank-recipe", help="Bank recipe whose encoder compares, with which --real was built.")
@click.option("--out", required=True, metavar="DIR", help="Directory for the bank with clips.")
@click.option("--takes", type=click.IntRange(min=1), default=2, show_default=True, help="Most takes of a voice.")
@click.option("--error-limit", type=float, help="Highest WER or CER of a clip; default: the recipe's gate's.")
@click.option(
    "--leak-limit",
    type=float,
    help="Highest similarity of a clip to a real speaker; default: from clips that real voices speak.",
)
@click.option(
    "--real-voices",
    type=click.IntRange(min=3),
    default=40,
    show_default=True,
    help="Real voices of each language that speak to measure the leak limit.",
)
@runner_options
@accept_changes
def voice_prompts(**options: Any) -> None:
    """Give virtual voices clips, each heard and compared, so that any engine that clones can speak with them."""
    from pipeline.cli import voice_prompts as commands

    show(commands.make_voice_prompts(options))


def report(text: str, notes: Sequence[str]) -> None:
    """Show the outcome of a command, and its notes on stderr."""
    for note in notes:
        tell(printable(note))
    show(text)
