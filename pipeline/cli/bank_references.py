"""`parley voicebank reference-embeddings`."""

import sys
from contextlib import redirect_stdout

import click


@click.command("reference-embeddings")
@click.argument("bank")
@click.option("--recipe", required=True, help="The corpus recipe whose speech engines speak: a name or a file.")
@click.option("--set", "overrides", multiple=True, metavar="KEY.PATH=VALUE", help="Override a value of the recipe.")
@click.option("--encoder", help="Speaker encoder, or a model of the recipe; without it, the recipe's assess.speaker.")
def reference_embeddings(bank: str, recipe: str, overrides: tuple[str, ...], encoder: str | None) -> None:
    """Let every voice of BANK speak, and keep beside it what a speaker encoder hears; exit code 3 if one cannot."""
    from pipeline.bank.reference_embedding import embed_bank

    with redirect_stdout(sys.stderr):  # some engines' libraries talk on stdout, which is for data
        text, complete = embed_bank(bank, recipe, overrides, encoder)
    click.echo(text)
    sys.exit(0 if complete else 3)


COMMANDS: tuple[click.Command, ...] = (reference_embeddings,)
