"""Implements `parley voicebank build`, `list`, `import` and `export`, and puts their outcome into words."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import redirect_stdout
from typing import Any, cast

from manifests.storage import open_place
from manifests.terminal import printable
from pipeline.bank.build import BankJob, build_bank
from pipeline.bank.corpus import open_corpus
from pipeline.bank.recipe import embedding_overrides, load_bank_recipe
from pipeline.cli.options import open_runner
from pipeline.cli.progress import Progress, bank_outcome
from pipeline.show.text import Fact, fact_lines
from voicebank.bank import load_bank, load_card, shipped_banks
from voicebank.exchange import transfer
from voicebank.exchange.entry import MetadataOverrides, VoiceReject, read_side_table
from voicebank.reasons import BankReason
from voicebank.tables import CARD_FILE, read_card
from voicebank.voice import Gender

_REJECTS_SHOWN = 50


def build(recipe: str, overrides: Sequence[str], out: str, options: Mapping[str, Any]) -> str:
    corpus = open_corpus(options["source"], options["layout"], options["dataset"], options["license"])
    chosen = embedding_overrides(recipe, options["encoder"]) if options["encoder"] else []
    job = BankJob(load_bank_recipe(recipe, [*chosen, *overrides]), corpus, options["limit_groups"])
    # Ray and the libraries of some engines print to stdout, which is for data.
    with redirect_stdout(sys.stderr), Progress("clip", bank_outcome) as progress:
        card = build_bank(job, open_place(out), open_runner(options), progress, options["accept_changes"])
    return summary(card)


def summary(card: Mapping[str, Any]) -> str:
    """Return the outcome for people, with every clip and every group accounted for."""
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
    """Return a line for each bank that Parley ships: name, voices, languages, description."""
    return "\n".join(
        "\t".join([name, str(len(bank.voices)), ",".join(sorted({v.language for v in bank.voices})), _about(name)])
        for name in shipped_banks()
        for bank in [load_bank(name)]
    )


def describe_bank(path_or_name: str) -> str:
    """Return the bank's card, a line for each value: its dotted name, a tab, the value."""
    place = open_place(path_or_name)
    is_shipped = path_or_name in shipped_banks()
    card = read_card(place) if not is_shipped and (place / CARD_FILE).is_file() else load_card(path_or_name)
    return "\n".join(f"{name}\t{value}" for name, value in _flat(card))


def overrides_of(
    genders: str | None, gender: str | None, language: str | None, license: str | None
) -> MetadataOverrides:
    """Return what the user states about the voices; `genders` names the side table."""
    side = read_side_table(open_place(genders)) if genders else {}
    return MetadataOverrides(cast("Gender | None", gender), language or None, license or None, side)


def import_voices(
    format: str, source: str, out: str, name: str | None, overrides: MetadataOverrides, engine: str
) -> tuple[str, list[str]]:
    """Import voices; return the outcome, and notes for people."""
    result = transfer.import_voices(format, open_place(source), open_place(out), overrides, name, engine)
    notes = [*result.notes, *map(_reject_line, result.rejects[:_REJECTS_SHOWN])]
    if len(result.rejects) > _REJECTS_SHOWN:
        notes.append(f"... and {len(result.rejects) - _REJECTS_SHOWN} more rejects")
    return f"{result.voices} voices, {len(result.rejects)} rejects", notes


def export_voices(bank: str, format: str, out: str) -> tuple[str, list[str]]:
    """Export voices; return the outcome, and notes for people."""
    result = transfer.export_voices(format, load_bank(bank), open_place(out))
    return f"{result.voices} voices, {result.left_out} left out", list(result.notes)


def _about(name: str) -> str:
    return str(load_card(name).get("description", ""))


def _flat(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Yield dotted names and printable values, so that no card can send control codes to the terminal."""
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _flat(inner, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list) and value:
        for number, inner in enumerate(value):
            yield from _flat(inner, f"{name}.{number}")
    else:
        text = "-" if value in (None, [], {}) else str(value)
        yield printable(name), printable(text)


def _reject_line(reject: VoiceReject) -> str:
    return f"{reject.name}: {reject.reason}: {reject.detail or reject.reason.meaning}"
