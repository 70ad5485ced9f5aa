"""Defines the commands of `parley voicebank`. They contain no logic."""

import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from typing import Any

import click

from manifests.terminal import printable
from pipeline.cli.options import accept_changes, recipe_settings, runner_options
from pipeline.cli.output import show, tell
from voicebank.exchange.formats import format_names

_format = click.option(
    "--format", "format_", type=click.Choice(format_names()), required=True, help="The other program's format."
)
_bank = click.option("--bank", required=True, metavar="DIR", help="Directory, local or on an object store.")


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


@voicebank.command()
@_bank
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
    _report(text, notes)


@voicebank.command()
@_bank
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


@voicebank.command()
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


@voicebank.command("voice-prompts")
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
    _report(text, notes)


@voicebank.command("export")
@click.option("--bank", required=True, metavar="NAME|DIR", help="A bank that ships, or a directory.")
@_format
@click.option("--out", required=True, metavar="PATH", help="File, or directory for cleans2s; must not exist yet.")
def export(bank: str, format_: str, out: str) -> None:
    """Write a bank's voices for another program, and a side table of facts that its files cannot hold."""
    from pipeline.cli import voicebank_commands as commands

    text, notes = commands.export_voices(bank, format_, out)
    _report(text, notes)


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


def _report(text: str, notes: Sequence[str]) -> None:
    for note in notes:
        tell(printable(note))
    show(text)
