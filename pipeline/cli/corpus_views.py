"""Defines the commands of `parley corpus` that choose rows of a corpus. They contain no logic."""

from typing import Any

import click

from pipeline.cli.corpus import corpus
from pipeline.cli.output import show

_SEED = click.option("--seed", type=int, default=0, show_default=True, help="Seed of every random choice.")
_BANK = click.option(
    "--bank", metavar="DIR", help="Voice bank that the corpus was made with; default: the one that ships, if it was."
)
_DROP = click.option("--drop", metavar="NAME", help="Make a view of this name without the rows that were found.")
_OUT = click.option("--out", metavar="DIR", help="Also write the report to this directory, outside the corpus.")


@corpus.command()
@click.argument("directory")
@click.option(
    "--sizes",
    default="XS=1h,S=10h,M=100h,L=all",
    show_default=True,
    metavar="NAME=SIZE,...",
    help="Sizes of speech, growing: a number with h, min, s or %, or all.",
)
@_SEED
@click.option(
    "--balance",
    type=click.Choice(["corpus", "equal"]),
    default="corpus",
    show_default=True,
    help="Shares of the languages and of the users' genders: the corpus's own, or equal.",
)
@_BANK
@click.option("--within", metavar="VIEW", help="Choose from the rows of this view only, or of VIEW/PART.")
def subsets(directory: str, **options: Any) -> None:
    """Choose nested subsets of a corpus: each has every voice, and the shares of languages and genders."""
    from pipeline.cli import views

    show(views.subsets(directory, **options))


@corpus.command()
@click.argument("directory")
@click.option("--validation", default="5%", show_default=True, metavar="SHARE", help="Share of the speech; 0: none.")
@click.option("--test", default="5%", show_default=True, metavar="SHARE", help="Share of the speech; 0: none.")
@click.option("--part", "more", multiple=True, metavar="NAME=SHARE", help="A further split; may be repeated.")
@_SEED
@click.option(
    "--ignore",
    multiple=True,
    type=click.Choice(["source", "duplicates", "voice", "parents"]),
    help="Let the splits share this; may be repeated.",
)
@_BANK
@click.option(
    "--similarity",
    type=click.FloatRange(0.1, 1),
    default=0.7,
    show_default=True,
    help="Jaccard similarity from which two questions are duplicates.",
)
def splits(directory: str, validation: str, test: str, **options: Any) -> None:
    """Cut a corpus into train, validation and test, which share no row, question, user voice or person behind it."""
    from pipeline.cli import views

    show(views.splits(directory, {"validation": validation, "test": test}, **options))


@corpus.command()
@click.argument("directory")
@click.option(
    "--for",
    "use",
    type=click.Choice(["commercial", "research"]),
    help="Make a view of the rows that this use is allowed of, under this name.",
)
@click.option("--terms", metavar="FILE", help="Your own table of terms (YAML), over the one that ships.")
@_BANK
@_OUT
@click.option("--json", "as_json", is_flag=True)
def licenses(directory: str, **options: Any) -> None:
    """Show the licenses of what the rows are made of: text, models, voices; what is unknown is never free."""
    from pipeline.cli import views

    show(views.licenses(directory, **options))


@corpus.command()
@click.argument("directory")
@click.option(
    "--against",
    multiple=True,
    required=True,
    metavar="FILE",
    help="List of texts: text lines, JSON, JSON lines or Parquet; may be repeated.",
)
@click.option(
    "--field",
    "fields",
    multiple=True,
    metavar="KEY",
    help="Key of the texts, with dots into objects; may be repeated.",
)
@click.option(
    "--similarity",
    type=click.FloatRange(0.1, 1),
    default=0.7,
    show_default=True,
    help="Jaccard similarity from which two texts are nearly the same.",
)
@click.option(
    "--ngram", type=click.IntRange(3), default=8, show_default=True, help="Words in a row that two may share."
)
@click.option(
    "--shortest", type=click.IntRange(1), default=3, show_default=True, help="Skip listed texts of fewer words."
)
@_DROP
@_OUT
@click.option("--json", "as_json", is_flag=True)
def decontaminate(
    directory: str,
    against: tuple[str, ...],
    fields: tuple[str, ...],
    drop: str | None,
    out: str | None,
    as_json: bool,
    **settings: Any,
) -> None:
    """Look for texts of benchmarks among a corpus's questions and answers: the same, nearly the same, or in part."""
    from pipeline.cli import views

    show(views.decontaminate(directory, against, fields, settings, drop, out, as_json))


@corpus.command()
@click.argument("directory")
@_DROP
@_OUT
@click.option("--json", "as_json", is_flag=True)
def pii(directory: str, **options: Any) -> None:
    """Look for personal data in a corpus's texts: e-mail, phone, card, account and identity numbers."""
    from pipeline.cli import views

    show(views.pii(directory, **options))


@corpus.command()
@click.argument("directory")
@click.option("--json", "as_json", is_flag=True)
def views(directory: str, as_json: bool) -> None:
    """List the views of a corpus: subsets, splits and other choices of its rows."""
    from pipeline.cli import views as view_commands

    show(view_commands.views(directory, as_json))
