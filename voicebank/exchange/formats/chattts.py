"""ChatTTS's speaker strings, as `sample_random_speaker` gives them. They are kept letter by letter.

A file holds one voice per line: JSON objects with the keys `name`, `speaker` (the string), `gender` and `language`,
or, where its name ends in .tsv, these four columns with a header. Gender and language may be missing.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any, get_args

from manifests.errors import InputError, UserError
from manifests.json_text import parse_json
from manifests.storage import Place
from voicebank.exchange.entry import FoundVoices, ImportReason, VoiceEntry, VoiceReject, entry_problem
from voicebank.exchange.format import ExchangeFormat
from voicebank.voice import Gender, Voice

ENGINE = "chattts"

_KEYS = ("name", "speaker", "gender", "language")


def read_speakers(file: Place) -> FoundVoices:
    """Read the voices of a file. InputError where it is not text or, for TSV, does not have these columns."""
    entries: list[VoiceEntry] = []
    rejects: list[VoiceReject] = []
    seen: set[str] = set()
    for number, row in _rows(file):
        found = _entry(row, f"line {number}")
        if isinstance(found, VoiceEntry) and found.name in seen:
            found = VoiceReject(found.name, ImportReason.DUPLICATE)
        if isinstance(found, VoiceReject):
            rejects.append(found)
        else:
            seen.add(found.name)
            entries.append(found)
    return FoundVoices(tuple(entries), tuple(rejects))


def export_speakers(voices: Sequence[Voice], tsv: bool) -> str:
    """Return the text of the file. UserError for a string that a TSV file cannot hold."""
    rows = [(voice.voice_id, voice.speaker, voice.gender, voice.language) for voice in voices]
    if not tsv:
        return "".join(json.dumps(dict(zip(_KEYS, row, strict=True)), ensure_ascii=False) + "\n" for row in rows)
    for row in rows:
        if any(sign in cell for cell in row for sign in "\t\n\r"):
            raise UserError(f"{row[0]}: its speaker string has a tab or a line break; write a .jsonl file instead")
    return "".join("\t".join(row) + "\n" for row in (_KEYS, *rows))


def _rows(file: Place) -> Iterator[tuple[int, Any]]:
    """Yield line numbers with the line's object; None for a line that is not a row."""
    try:
        # Not splitlines: it breaks lines at characters that a string may hold.
        lines = file.read_bytes().decode("utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{file.name}: not readable as UTF-8 text ({type(error).__name__})") from error
    is_tsv = file.name.lower().endswith(".tsv")
    header = lines[0].rstrip("\r").split("\t") if is_tsv else []
    if is_tsv and (not {"name", "speaker"} <= set(header) or set(header) - set(_KEYS)):
        raise InputError(f"{file.name}: the first line must name the columns: name, speaker[, gender, language]")
    for number, line in enumerate(lines, start=1):
        if not line.strip() or (is_tsv and number == 1):
            continue
        yield number, _cells(line.rstrip("\r"), header) if is_tsv else _object(line)


def _cells(line: str, header: Sequence[str]) -> dict[str, str] | None:
    cells = line.split("\t")
    return dict(zip(header, cells, strict=True)) if len(cells) == len(header) else None


def _object(line: str) -> Any:
    try:
        return parse_json(line)
    except ValueError:
        return None


def _entry(row: Any, where: str) -> VoiceEntry | VoiceReject:
    if not isinstance(row, dict) or not all(isinstance(value, str | None) for value in row.values()):
        return VoiceReject(where, ImportReason.BAD_METADATA, "not an object of texts")
    name, speaker = row.get("name") or "", row.get("speaker") or ""
    gender = row.get("gender") or None
    if not name or not speaker:
        return VoiceReject(name or where, ImportReason.BAD_METADATA, "no name, or no speaker string")
    if gender is not None and gender not in get_args(Gender):
        return VoiceReject(name, ImportReason.BAD_METADATA, f"gender {gender!r} is neither female nor male"[:80])
    entry = VoiceEntry(name, ENGINE, speaker, gender=gender, language=row.get("language") or None)
    problem = entry_problem(entry)
    return VoiceReject(where, ImportReason.BAD_METADATA, problem) if problem else entry


def _write(file: Place, voices: Sequence[Voice]) -> Sequence[str]:
    file.write_text(export_speakers(voices, tsv=file.name.lower().endswith(".tsv")))
    return ()


FORMAT = ExchangeFormat(
    origin="speaker strings of ChatTTS",
    requires="of the engine chattts",
    can_hold=lambda voice: voice.engine == ENGINE,
    read=lambda file, _: read_speakers(file),
    write=_write,
)
