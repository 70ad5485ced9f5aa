"""What the commands of `parley voicebank build` and `list` do: run the build, put banks and their cards into words."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import redirect_stdout
from typing import Any

from manifests.storage import open_place
from pipeline.bank.build import BankJob, build_bank
from pipeline.bank.corpus import open_corpus
from pipeline.bank.recipe import load_bank_recipe
from pipeline.cli.bank_progress import BankProgress
from pipeline.job.runner.local import LocalRunner
from pipeline.job.runner.tasks import Runner
from pipeline.show.text import Fact, fact_lines, printable
from voicebank.bank import load_bank, load_card, shipped_banks
from voicebank.reasons import BankReason
from voicebank.tables import CARD_FILE, read_card


def build(recipe: str, overrides: Sequence[str], out: str, options: Mapping[str, Any]) -> str:
    corpus = open_corpus(options["source"], options["layout"], options["dataset"], options["license"])
    job = BankJob(load_bank_recipe(recipe, overrides), corpus, options["limit_groups"])
    # Ray and some engines' libraries talk on stdout, which is for data.
    with redirect_stdout(sys.stderr), BankProgress() as progress:
        card = build_bank(job, open_place(out), _runner(options), progress, options["accept_changes"])
    return summary(card)


def summary(card: Mapping[str, Any]) -> str:
    """The outcome for people: every clip and every group accounted for."""
    counts = card["counts"]
    facts = []
    for what in ("groups", "clips"):
        for key, words in (("listed", "in"), ("kept", "kept"), ("rejected", "rejected")):
            beneath = counts[what]["reasons"] if key == "rejected" else {}
            reasons = [(n, f"{reason}: {reason.meaning}") for reason in BankReason if (n := beneath.get(reason))]
            facts.append(Fact(f"{what} {words}", f"{counts[what][key]:,}", reasons))
    for what in ("gender", "language"):
        named = ", ".join(f"{count:,} {name}" for name, count in counts[f"by_{what}"].items())
        facts.append(Fact(f"by {what}", named))
    return "\n".join(fact_lines([*facts, Fact("speech", f"{counts['speech_s'] / 3600:.3f} h")]))


def list_banks() -> str:
    """A line for each bank that ships: name, voices, languages, description."""
    return "\n".join(
        "\t".join([name, str(len(bank.voices)), ",".join(sorted({v.language for v in bank.voices})), _about(name)])
        for name in shipped_banks()
        for bank in [load_bank(name)]
    )


def describe_bank(path_or_name: str) -> str:
    """The bank's card, a line for each value: its dotted name, a tab, the value."""
    place = open_place(path_or_name)
    is_shipped = path_or_name in shipped_banks()
    card = read_card(place) if not is_shipped and (place / CARD_FILE).is_file() else load_card(path_or_name)
    return "\n".join(f"{name}\t{value}" for name, value in _flat(card))


def _about(name: str) -> str:
    return str(load_card(name).get("description", ""))


def _flat(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Dotted names and printable values. What a foreign card holds never moves a terminal's cursor."""
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _flat(inner, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list) and value:
        for number, inner in enumerate(value):
            yield from _flat(inner, f"{name}.{number}")
    else:
        text = "-" if value in (None, [], {}) else str(value)
        yield printable(name), printable(text)


def _runner(options: Mapping[str, Any]) -> Runner:
    if options["runner"] == "local":
        return LocalRunner()
    from pipeline.job.runner.ray import RayRunner

    return RayRunner(options["ray_address"])
