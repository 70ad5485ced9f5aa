"""Voices from another program's files into a bank, and from a bank into such files."""

from collections import Counter
from dataclasses import dataclass
from typing import Any, Literal

from manifests.errors import InputError, UserError
from manifests.storage import Place
from voicebank.bank import VOICES_FILE, Bank
from voicebank.card import check_card
from voicebank.exchange import chattts, cleans2s, cosyvoice
from voicebank.exchange.entry import Found, Reject, Told, complete, side_table
from voicebank.tables import CARD_FILE, SPEAKERS_FILE, VOICES_TABLE, VoiceWriter, write_card
from voicebank.voice import Voice

Format = Literal["cosyvoice", "cleans2s", "chattts"]

SIDE_TABLE = "genders.csv"

_GROUP = 1024
"""Voices in a row group: some hundred MB at most, were all of them clips."""


@dataclass(frozen=True, slots=True)
class Imported:
    voices: int
    rejects: tuple[Reject, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Exported:
    voices: int
    left_out: int
    notes: tuple[str, ...]


def import_voices(
    format: Format, source: Place, out: Place, told: Told, name: str | None = None, engine: str = cosyvoice.ENGINE
) -> Imported:
    """Make a bank at `out` of the voices at `source`; its card counts the rejects by reason.

    `engine` is the one that is to speak after the clips of CleanS2S. InputError where gender or language of a voice
    is not known, or where nothing is left; UserError where `out` holds a bank.
    """
    if any((out / file).exists() for file in (VOICES_FILE, VOICES_TABLE, SPEAKERS_FILE, CARD_FILE)):
        raise UserError(f"{out.name} holds a voice bank already; name another directory")
    if not source.exists():
        raise InputError(f"{source.name}: there is no such file or directory")
    found = _read(format, source, engine)
    if not found.entries:
        why = ", ".join(f"{reason} {count}" for reason, count in _by_reason(found).items())
        raise InputError(f"{source.name}: no voice in it can be taken ({why or 'it is empty'})")
    voices = complete(found.entries, told)
    card = _card(format, source, name or out.name, found, voices)
    check_card(card)
    with VoiceWriter(out) as writer:
        for start in range(0, len(voices), _GROUP):
            writer.write(voices[start : start + _GROUP])
    write_card(out, card)
    unused = sorted(set(told.side) - {entry.name for entry in found.entries})
    notes = (
        [f"the side table names {unused[0]!r}, which did not become a voice ({len(unused)} such)"] if unused else []
    )
    return Imported(len(voices), found.rejects, (*found.notes, *notes))


def export_voices(format: Format, bank: Bank, out: Place) -> Exported:
    """Write those of the bank's voices that the format can hold, and beside them a side table for coming back.

    `out` is a file, or a directory for CleanS2S. UserError where something is there, or where no voice fits.
    """
    if out.exists():
        raise UserError(f"{out.name} is there already")
    voices = [voice for voice in bank.voices if _fits(format, voice)]
    if not voices:
        raise UserError(f"bank {bank.name!r} has no voice that {format} could hold: {_NEEDS[format]}")
    notes: list[str] = []
    if format == "cosyvoice":
        out.write_bytes(cosyvoice.export_spk2info(voices))
    elif format == "cleans2s":
        notes = cleans2s.export_references(out, voices)
    else:
        out.write_text(chattts.export_speakers(voices, tsv=out.name.lower().endswith(".tsv")))
    side = out / SIDE_TABLE if format == "cleans2s" else Place(out.filesystem, f"{out.path}.{SIDE_TABLE}")
    side.write_text(side_table(voices))
    return Exported(len(voices), len(bank.voices) - len(voices), tuple(notes))


_NEEDS: dict[Format, str] = {
    "cosyvoice": "it takes voices with an embedding",
    "cleans2s": "it takes voices with a prompt, its audio and its text",
    "chattts": "it takes voices of the engine chattts",
}


def _fits(format: Format, voice: Voice) -> bool:
    if format == "cosyvoice":
        return voice.embedding is not None
    if format == "cleans2s":
        return voice.prompt_audio is not None and voice.prompt_text is not None
    return voice.engine == chattts.ENGINE


def _read(format: Format, source: Place, engine: str) -> Found:
    if format == "cosyvoice":
        return cosyvoice.read_spk2info(source)
    if format == "cleans2s":
        return cleans2s.read_references(source, engine)
    return chattts.read_speakers(source)


def _by_reason(found: Found) -> dict[str, int]:
    return dict(sorted(Counter(reject.reason.value for reject in found.rejects).items()))


def _card(format: Format, source: Place, name: str, found: Found, voices: list[Voice]) -> dict[str, Any]:
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
        "description": f"Voices imported from {_MADE_BY[format]}.",
        "real_people": found.real_people,
        "sources": [
            {"format": format, "dataset": source.name, "license": license}
            for license in sorted({voice.license for voice in voices}, key=lambda license: license or "")
        ],
        "counts": counts,
        "embedding": {"dimension": widths.pop()} if widths else None,
    }


_MADE_BY: dict[Format, str] = {
    "cosyvoice": "the speakers of a CosyVoice model (spk2info.pt)",
    "cleans2s": "reference recordings of the CleanS2S kind",
    "chattts": "speaker strings of ChatTTS",
}
