"""CleanS2S's reference voices: clips of 10 to 20 s of clear speech, each with its text.

Two forms are read: a directory with `ref.json` (a list of {"ref_wav_path", "prompt_text"}) and the clips in
`ref_wav/`, and a plain directory of `*.wav`, each with a `.txt` of the same name. Names in `ref.json` are names, not
paths: one with a directory in it is never followed. The voices are those of the people recorded.
"""

import hashlib
import io
import json
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from manifests.errors import CorpusError, InputError
from manifests.json_text import parse_json
from manifests.storage import Place
from voicebank.exchange.entry import FoundVoices, ImportReason, VoiceEntry, VoiceReject, entry_problem
from voicebank.exchange.format import ExchangeFormat
from voicebank.file_names import existing_file
from voicebank.voice import Voice

REF_FILE = "ref.json"
REF_CLIPS = "ref_wav"

ASKED_S = (10.0, 20.0)
"""The length of a clip that CleanS2S asks for, in seconds."""
SILENT_PEAK = 0.001
"""A clip without a sample above this (-60 dB of full scale) holds no speech: a synthesizer would clone silence."""
TAKEN_S = (3.0, 30.0)
"""Outside this a clip is refused: CosyVoice takes no prompt over 30 s; under 3 s there is too little of a voice."""


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
        samples, rate = _prompt_of(voice)
        notes += _notes(voice.voice_id, len(samples) / rate)
        (directory / REF_CLIPS / f"{voice.voice_id}.wav").write_bytes(_encode(samples, rate, "WAV"))
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
    name, text = named.name, (named.text or "").strip()
    if not _is_plain(name):
        return VoiceReject(_shown(name), ImportReason.BAD_NAME, "a path, not a name")
    stem = unicodedata.normalize("NFC", name.rsplit(".", 1)[0])
    if stem in seen:
        return VoiceReject(name, ImportReason.DUPLICATE, "an earlier clip has the same name")
    seen.add(stem)
    if not text:
        return VoiceReject(name, ImportReason.TEXT_MISSING)
    clip = _clip(place, name)
    if isinstance(clip, VoiceReject):
        return clip
    data, seconds = clip
    digest = hashlib.sha256(data).hexdigest()
    if digest in seen:
        return VoiceReject(name, ImportReason.DUPLICATE, "an earlier entry is the same clip under another name")
    seen.add(digest)
    entry = VoiceEntry(stem, engine, stem, prompt_text=text, prompt_audio=data)
    if problem := entry_problem(entry):
        return VoiceReject(name, ImportReason.BAD_METADATA, problem)
    notes += _notes(name, seconds)
    return entry


def _shown(name: str) -> str:
    """Return the beginning of a name, fit to be printed and stored."""
    return name[:80].encode("utf-8", "replace").decode()


def _is_plain(name: str) -> bool:
    return name.isprintable() and bool(name.strip()) and not name.startswith(".") and not set(name) & set("/\\:")


def _clip(directory: Place, name: str) -> tuple[bytes, float] | VoiceReject:
    """Read a clip as mono FLAC at its own rate; returns also its length in seconds."""
    import soundfile

    try:
        file = existing_file(directory, name)
        if file is None:
            return VoiceReject(_shown(name), ImportReason.AUDIO_MISSING)
        data = file.read_bytes()
        seconds = soundfile.info(io.BytesIO(data)).duration
        if not TAKEN_S[0] <= seconds <= TAKEN_S[1]:
            detail = f"{seconds:.1f} s, not {TAKEN_S[0]:g} to {TAKEN_S[1]:g}"
            return VoiceReject(name, ImportReason.BAD_DURATION, detail)
        samples, rate = _decode(data)
        if not np.isfinite(samples).all():
            return VoiceReject(name, ImportReason.UNREADABLE, "it holds NaN or infinite samples")
        if np.max(np.abs(samples), initial=0) <= SILENT_PEAK:
            return VoiceReject(name, ImportReason.SILENT)
        return _encode(samples, rate, "FLAC"), len(samples) / rate
    except (soundfile.SoundFileError, OSError) as error:
        return VoiceReject(_shown(name), ImportReason.UNREADABLE, type(error).__name__)


def _prompt_of(voice: Voice) -> tuple[Any, int]:
    import soundfile

    try:
        return _decode(voice.prompt_audio or b"")
    except soundfile.LibsndfileError as error:
        raise CorpusError(f"voice {voice.voice_id}: its prompt is not a readable clip") from error


def _decode(data: bytes) -> tuple[Any, int]:
    """Decode a clip to the mean of its channels, float32 [T], and the rate in Hz."""
    import soundfile

    samples, rate = soundfile.read(io.BytesIO(data), dtype="float32", always_2d=True)
    return samples.mean(axis=1), int(rate)


def _encode(samples: Any, rate: int, kind: str) -> bytes:
    import soundfile

    pcm = np.clip(np.rint(samples * 32768), -32768, 32767).astype(np.int16)
    buffer = io.BytesIO()
    soundfile.write(buffer, pcm, rate, format=kind, subtype="PCM_16")
    return buffer.getvalue()


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
