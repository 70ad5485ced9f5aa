"""What `parley voicebank import` and `export` do, and its outcome in words."""

from typing import cast

from manifests.storage import open_place
from voicebank.bank import load_bank
from voicebank.exchange import transfer
from voicebank.exchange.entry import MetadataOverrides, VoiceReject, read_side_table
from voicebank.voice import Gender

_REJECTS_SHOWN = 50


def overrides_of(
    genders: str | None, gender: str | None, language: str | None, license: str | None
) -> MetadataOverrides:
    """What the user states about the voices; `genders` names the side table."""
    side = read_side_table(open_place(genders)) if genders else {}
    return MetadataOverrides(cast("Gender | None", gender), language or None, license or None, side)


def import_voices(
    format: str, source: str, out: str, name: str | None, overrides: MetadataOverrides, engine: str
) -> tuple[str, list[str]]:
    """The outcome, and what else is to be said."""
    result = transfer.import_voices(format, open_place(source), open_place(out), overrides, name, engine)
    notes = [*result.notes, *map(_line, result.rejects[:_REJECTS_SHOWN])]
    if len(result.rejects) > _REJECTS_SHOWN:
        notes.append(f"... and {len(result.rejects) - _REJECTS_SHOWN} more rejects")
    return f"{result.voices} voices, {len(result.rejects)} rejects", notes


def export_voices(bank: str, format: str, out: str) -> tuple[str, list[str]]:
    """The outcome, and what else is to be said."""
    result = transfer.export_voices(format, load_bank(bank), open_place(out))
    return f"{result.voices} voices, {result.left_out} left out", list(result.notes)


def _line(reject: VoiceReject) -> str:
    return f"{reject.name}: {reject.reason}: {reject.detail or reject.reason.meaning}"
