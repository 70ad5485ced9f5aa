"""CleanS2S's reference voices: clips of 10 to 20 s of clear speech, each with its text.

Two forms are read: a directory with `ref.json` (a list of {"ref_wav_path", "prompt_text"}) and the clips in
`ref_wav/`, and a plain directory of `*.wav`, each with a `.txt` of the same name. Names in `ref.json` are names, not
paths: one with a directory in it is never followed. The voices are those of the people recorded.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from manifests.errors import InputError
from manifests.json_text import parse_json
from manifests.storage import Place
from voicebank.exchange.entry import FoundVoices, ImportReason, VoiceEntry, VoiceReject
from voicebank.exchange.format import ExchangeFormat
from voicebank.exchange.recordings import encode_recording, recorded_entry, recording_of
from voicebank.file_names import existing_file
from voicebank.voice import Voice

REF_FILE = "ref.json"
REF_CLIPS = "ref_wav"

ASKED_S = (10.0, 20.0)
"""The length of a clip that CleanS2S asks for, in seconds."""


@dataclass(frozen=True, slots=True)
class _Named:
    name: str
    text: str | None


def read_references(directory: Place, engine: str) -> FoundVoices:
    """Read the clips of a directory as entries for a synthesizer that is given a prompt.

    InputError where the directory is of neither form.
    """
    notes: list[str] = []
    entries: list[VoiceEntry] = []
    rejects: list[VoiceReject] = []
    seen: set[str] = set()
    for place, named in _listing(directory):
        found = named if isinstance(named, VoiceReject) else _entry(place, named, engine, seen, notes)
        if isinstance(found, VoiceReject):
            rejects.append(found)
        else:
            entries.append(found)
    return FoundVoices(tuple(entries), tuple(rejects), tuple(notes), real_people=True)


def export_references(directory: Place, voices: Sequence[Voice]) -> list[str]:
    """Write `ref.json` and `ref_wav/`; returns notes on clips that are shorter or longer than CleanS2S asks for."""
    notes, rows = [], []
    for voice in voices:
        samples, rate = recording_of(voice)
        notes += _notes(voice.voice_id, len(samples) / rate)
        (directory / REF_CLIPS / f"{voice.voice_id}.wav").write_bytes(encode_recording(samples, rate, "WAV"))
        rows.append({"ref_wav_path": f"{voice.voice_id}.wav", "prompt_text": voice.prompt_text})
    (directory / REF_FILE).write_text(json.dumps(rows, ensure_ascii=False, indent=2) + "\n")
    return notes


def _listing(directory: Place) -> Iterator[tuple[Place, _Named | VoiceReject]]:
    """Yield the directory of each clip, with its name and text, in order."""
    if (directory / REF_FILE).is_file():
        yield from ((directory / REF_CLIPS, _named(row)) for row in _rows(directory / REF_FILE))
        return
    clips = [place.name for place in directory.list() if place.name.lower().endswith(".wav")]
    if not clips:
        raise InputError(f"{directory.name}: it holds neither {REF_FILE} nor any .wav with its .txt")
    for name in clips:
        yield directory, _with_text(directory, name)


def _rows(file: Place) -> list[Any]:
    try:
        rows = parse_json(file.read_bytes().decode("utf-8-sig"))
    except (ValueError, OSError) as error:
        raise InputError(f"{file.name}: not readable as JSON ({type(error).__name__})") from error
    if not isinstance(rows, list):
        raise InputError(f"{file.name}: not a list of clips")
    return rows


def _named(row: Any) -> _Named | VoiceReject:
    name = row.get("ref_wav_path") if isinstance(row, dict) else None
    if not isinstance(name, str):
        return VoiceReject(str(name)[:80], ImportReason.BAD_METADATA, "no ref_wav_path")
    text = row.get("prompt_text")
    return _Named(name, text if isinstance(text, str) else None)


def _with_text(directory: Place, name: str) -> _Named | VoiceReject:
    file = existing_file(directory, f"{name[: -len('.wav')]}.txt")
    if file is None:
        return _Named(name, None)
    try:
        return _Named(name, file.read_bytes().decode("utf-8-sig"))
    except (OSError, UnicodeDecodeError):
        return VoiceReject(name, ImportReason.UNREADABLE, "its text is not UTF-8, or cannot be opened")


def _entry(place: Place, named: _Named, engine: str, seen: set[str], notes: list[str]) -> VoiceEntry | VoiceReject:
    found = recorded_entry(place, named.name, named.text, engine, seen)
    if isinstance(found, VoiceReject):
        return found
    entry, seconds = found
    notes += _notes(named.name, seconds)
    return entry


def _notes(name: str, seconds: float) -> list[str]:
    if ASKED_S[0] <= seconds <= ASKED_S[1]:
        return []
    return [f"{name}: {seconds:.1f} s of speech; CleanS2S asks for {ASKED_S[0]:g} to {ASKED_S[1]:g}"]


FORMAT = ExchangeFormat(
    origin="reference recordings of the CleanS2S kind",
    requires="with a prompt, its audio and its text",
    can_hold=lambda voice: voice.is_recorded and voice.prompt_text is not None,
    read=read_references,
    write=export_references,
    is_directory=True,
)
