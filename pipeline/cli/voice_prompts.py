"""Implements `parley voicebank voice-prompts`: reads the options, works, puts the outcome into words."""

import sys
from collections.abc import Mapping
from contextlib import redirect_stdout
from typing import Any

from manifests.errors import UserError
from manifests.storage import open_place
from pipeline.bank.prompts import PromptJob, make_prompts
from pipeline.bank.recipe import load_bank_recipe
from pipeline.cli.options import open_runner
from pipeline.cli.progress import Progress
from pipeline.job.listener import Measure
from pipeline.recipes.load import load_recipe
from pipeline.show.text import Fact, fact_lines
from voicebank.prompts import PromptDrop


def make_voice_prompts(options: Mapping[str, Any]) -> str:
    """Make a bank with clips; return the outcome. `options` are those of the command."""
    if options["real"] and not options["bank_recipe"]:
        raise UserError("--real needs --bank-recipe, whose encoder compares the clips with the speakers")
    if not options["real"] and not options["untested"]:
        raise UserError("--real is missing: name the bank of the speakers that no clip may sound like, or --untested")
    job = PromptJob(
        options["bank"],
        load_recipe(options["recipe"], options["overrides"]),
        open_place(options["real"]) if options["real"] else None,
        load_bank_recipe(options["bank_recipe"]) if options["real"] else None,
        options["takes"],
        options["error_limit"],
        options["leak_limit"],
        options["real_voices"],
    )
    # Ray and the libraries of some engines print to stdout, which is for data.
    with redirect_stdout(sys.stderr), Progress("voice", _outcome) as progress:
        card = make_prompts(job, open_place(options["out"]), open_runner(options), progress, options["accept_changes"])
    return prompt_summary(card)


def prompt_summary(card: Mapping[str, Any]) -> str:
    """Return the outcome for people, with every voice accounted for."""
    made = card["prompts"]
    limit = made["limits"]["leak"]
    how = "measured on the real voices" if made["leak_limit_measured"] else "as given"
    reasons = [
        (number, f"{drop.value}: {drop.meaning}") for drop in PromptDrop if (number := made["dropped"].get(drop))
    ]
    return "\n".join(
        fact_lines(
            [
                Fact("voices", f"{made['voices']:,}"),
                Fact("dropped", f"{made['voices'] - made['kept']:,}", reasons),
                Fact("with a clip", f"{made['kept']:,}"),
                Fact("leak limit", "none: nobody was compared" if limit is None else f"{limit:g}, {how}"),
            ]
        )
    )


def _outcome(done: Measure) -> str:
    return f"{done.kept} with a clip"
