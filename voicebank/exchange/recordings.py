"""Recordings of voices, each with its words, as several programs exchange them: read with care, and written."""

import hashlib
import io
import unicodedata
from typing import Any

import numpy as np

from manifests.errors import CorpusError
from manifests.storage import Place
from voicebank.exchange.entry import ImportReason, VoiceEntry, VoiceReject, entry_problem
from voicebank.file_names import existing_file
from voicebank.voice import Voice

SILENT_PEAK = 0.001
"""A clip without a sample above this (-60 dB of full scale) holds no speech: a synthesizer would clone silence."""
TAKEN_S = (3.0, 30.0)
"""Outside this a clip is refused: CosyVoice takes no prompt over 30 s; under 3 s there is too little of a voice."""


def recorded_entry(
    place: Place, name: str, text: str | None, engine: str, seen: set[str]
) -> tuple[VoiceEntry, float] | VoiceReject:
    """Read the clip `name` of a directory, with its words, as an entry; returns also its length in seconds.

    A name that is a path is never followed. `seen` has the names and hashes of the clips before it.
    """
    words = (text or "").strip()
    if not _is_plain(name):
        return VoiceReject(_shown(name), ImportReason.BAD_NAME, "a path, not a name")
    stem = unicodedata.normalize("NFC", name.rsplit(".", 1)[0])
    if stem in seen:
        return VoiceReject(name, ImportReason.DUPLICATE, "an earlier clip has the same name")
    seen.add(stem)
    if not words:
        return VoiceReject(name, ImportReason.TEXT_MISSING)
    clip = _clip(place, name)
    if isinstance(clip, VoiceReject):
        return clip
    data, seconds = clip
    digest = hashlib.sha256(data).hexdigest()
    if digest in seen:
        return VoiceReject(name, ImportReason.DUPLICATE, "an earlier entry is the same clip under another name")
    seen.add(digest)
    entry = VoiceEntry(stem, engine, stem, prompt_text=words, prompt_audio=data)
    if problem := entry_problem(entry):
        return VoiceReject(name, ImportReason.BAD_METADATA, problem)
    return entry, seconds


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
        samples, rate = _decoded(data)
        if not np.isfinite(samples).all():
            return VoiceReject(name, ImportReason.UNREADABLE, "it holds NaN or infinite samples")
        if np.max(np.abs(samples), initial=0) <= SILENT_PEAK:
            return VoiceReject(name, ImportReason.SILENT)
        return encode_recording(samples, rate, "FLAC"), len(samples) / rate
    except (soundfile.SoundFileError, OSError) as error:
        return VoiceReject(_shown(name), ImportReason.UNREADABLE, type(error).__name__)


def recording_of(voice: Voice) -> tuple[Any, int]:
    """Return the voice's recording, float32 [T], and its rate in Hz. Raises CorpusError where it cannot be read."""
    import soundfile

    try:
        return _decoded(voice.prompt_audio or b"")
    except soundfile.LibsndfileError as error:
        raise CorpusError(f"voice {voice.voice_id}: its prompt is not a readable clip") from error


def _decoded(data: bytes) -> tuple[Any, int]:
    """Decode a clip to the mean of its channels, float32 [T], and the rate in Hz."""
    import soundfile

    samples, rate = soundfile.read(io.BytesIO(data), dtype="float32", always_2d=True)
    return samples.mean(axis=1), int(rate)


def encode_recording(samples: Any, rate: int, kind: str) -> bytes:
    """Encode float32 samples [T] as a 16-bit file, "WAV" or "FLAC"."""
    import soundfile

    pcm = np.clip(np.rint(samples * 32768), -32768, 32767).astype(np.int16)
    buffer = io.BytesIO()
    soundfile.write(buffer, pcm, rate, format=kind, subtype="PCM_16")
    return buffer.getvalue()
