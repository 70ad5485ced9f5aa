"""Imports voices from another program's files into a bank, and exports a bank's voices to such files."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from manifests.errors import InputError, UserError
from manifests.storage import Place
from voicebank.bank import VOICES_FILE, Bank
from voicebank.card import check_card
from voicebank.exchange.entry import FoundVoices, MetadataOverrides, VoiceReject, complete, side_table
from voicebank.exchange.format import ExchangeFormat
from voicebank.exchange.formats import exchange_format
from voicebank.tables import CARD_FILE, SPEAKERS_FILE, VOICES_TABLE, VoiceWriter, write_card
from voicebank.voice import Voice

SIDE_TABLE = "genders.csv"

_GROUP = 1024
"""Voices in a row group: some hundred MB at most, if all of them have clips."""


@dataclass(frozen=True, slots=True)
class Imported:
    voices: int
    rejects: tuple[VoiceReject, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Exported:
    voices: int
    left_out: int
    notes: tuple[str, ...]


def import_voices(
    format: str,
    source: Place,
    out: Place,
    overrides: MetadataOverrides,
    name: str | None = None,
    engine: str = "cosyvoice",
) -> Imported:
    """Make a bank at `out` of the voices at `source`; its card counts the rejects by reason.

    `engine` is the one that is to speak after the clips of CleanS2S. InputError where the gender or language of a
    voice is not known, or where nothing is left; UserError for an unknown format and where `out` holds a bank.
    """
    if any((out / file).exists() for file in (VOICES_FILE, VOICES_TABLE, SPEAKERS_FILE, CARD_FILE)):
        raise UserError(f"{out.name} holds a voice bank already; name another directory")
    if not source.exists():
        raise InputError(f"{source.name}: there is no such file or directory")
    kind = exchange_format(format)
    found = kind.read(source, engine)
    if not found.entries:
        why = ", ".join(f"{reason} {count}" for reason, count in _by_reason(found).items())
        raise InputError(f"{source.name}: none of its voices can be imported ({why or 'it is empty'})")
    voices = complete(found.entries, overrides)
    card = {**_card(name or out.name, kind, found, voices), "sources": _sources(format, source, voices)}
    check_card(card)
    with VoiceWriter(out, found.raw) as writer:
        for start in range(0, len(voices), _GROUP):
            writer.write(voices[start : start + _GROUP])
    write_card(out, card)
    unused = sorted(set(overrides.by_name) - {entry.name for entry in found.entries})
    notes = (
        [f"the side table names {unused[0]!r}, which did not become a voice ({len(unused)} such)"] if unused else []
    )
    return Imported(len(voices), found.rejects, (*found.notes, *notes))


def export_voices(format: str, bank: Bank, out: Place) -> Exported:
    """Write the voices of a bank that the format can hold, and a side table with which they can be imported again.

    `out` is a file, or a directory for CleanS2S. UserError where something is there, or where no voice fits.
    """
    if out.exists():
        raise UserError(f"{out.name} is there already")
    kind = exchange_format(format)
    voices = [voice for voice in bank.voices if kind.can_hold(voice)]
    if not voices:
        raise UserError(f"bank {bank.name!r} has no voice that {format} could hold: it takes voices {kind.requires}")
    notes = kind.write(out, voices)
    side = out / SIDE_TABLE if kind.is_directory else Place(out.filesystem, f"{out.path}.{SIDE_TABLE}")
    side.write_text(side_table(voices))
    return Exported(len(voices), len(bank.voices) - len(voices), tuple(notes))


def _by_reason(found: FoundVoices) -> dict[str, int]:
    return dict(sorted(Counter(reject.reason.value for reject in found.rejects).items()))


def _sources(format: str, source: Place, voices: Sequence[Voice]) -> list[dict[str, Any]]:
    """One source for each license that the voices are under."""
    licenses = sorted({voice.license for voice in voices}, key=lambda license: license or "")
    return [{"format": format, "dataset": source.name, "license": license} for license in licenses]


def _card(name: str, kind: ExchangeFormat, found: FoundVoices, voices: Sequence[Voice]) -> dict[str, Any]:
    counts = {
        "entries": len(found.entries) + len(found.rejects),
        "voices": len(voices),
        "genders": dict(sorted(Counter(voice.gender for voice in voices).items())),
        "languages": dict(sorted(Counter(voice.language for voice in voices).items())),
        "rejects": _by_reason(found),
    }
    widths = {voice.embedding.size for voice in voices if voice.embedding is not None}
    return {
        "name": name,
        "kind": "voices",
        "description": f"Voices imported from {kind.origin}.",
        "real_people": found.real_people,
        "counts": counts,
        "embedding": {"dimension": widths.pop(), "raw": found.raw} if widths else None,
    }
