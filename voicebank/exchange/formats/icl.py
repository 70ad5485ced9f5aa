"""References for synthesizers that clone in context (CosyVoice, Qwen3-TTS, MOSS-TTS): each voice's clip and its words.

A directory with `references.jsonl`, {"name", "ref_audio", "ref_text", "language"} on each line, and the clips in
`clips/`, mono WAV at their own rate. `ref_audio` and `ref_text` are what Qwen3-TTS's `create_voice_clone_prompt` and
the requests of vLLM-Omni and sglang-omni call them; CosyVoice's `inference_zero_shot` takes them as `prompt_wav` and
`prompt_text`. Beside them lie `wav.scp` and `text` by the same names, lists as Kaldi has them.
"""

import json
from collections.abc import Sequence

from manifests.errors import InputError
from manifests.json_text import parse_json
from manifests.storage import Place
from voicebank.exchange.entry import FoundVoices, ImportReason, VoiceEntry, VoiceReject
from voicebank.exchange.format import ExchangeFormat
from voicebank.exchange.recordings import encode_recording, recorded_entry, recording_of
from voicebank.voice import Voice

REFERENCES = "references.jsonl"
CLIPS = "clips"
LONGEST_S = 30.0
"""CosyVoice takes no longer prompt."""


def export_in_context(directory: Place, voices: Sequence[Voice]) -> list[str]:
    """Write the directory; all voices must have a recording and its words. Returns notes for people."""
    notes, lines, files, words = [], [], [], []
    for voice in voices:
        samples, rate = recording_of(voice)
        if len(samples) > LONGEST_S * rate:
            notes.append(f"{voice.voice_id}: {len(samples) / rate:.1f} s; CosyVoice takes {LONGEST_S:g} at most")
        file = f"{CLIPS}/{voice.voice_id}.wav"
        (directory / CLIPS / f"{voice.voice_id}.wav").write_bytes(encode_recording(samples, rate, "WAV"))
        text = " ".join((voice.prompt_text or "").split())
        row = {"name": voice.voice_id, "ref_audio": file, "ref_text": text, "language": voice.language}
        lines.append(json.dumps(row, ensure_ascii=False))
        files.append(f"{voice.voice_id} {file}")
        words.append(f"{voice.voice_id} {text}")
    for name, content in (("wav.scp", files), ("text", words), (REFERENCES, lines)):
        (directory / name).write_text("".join(f"{line}\n" for line in content))
    return notes


def read_in_context(directory: Place, engine: str) -> FoundVoices:
    """Read such a directory as entries for a synthesizer that clones. InputError where it has no readable list."""
    entries: list[VoiceEntry] = []
    rejects: list[VoiceReject] = []
    seen: set[str] = set()
    for line in _lines(directory):
        found = _entry(directory, line, engine, seen)
        (rejects if isinstance(found, VoiceReject) else entries).append(found)  # type: ignore[arg-type]
    return FoundVoices(tuple(entries), tuple(rejects), (), real_people=None)


def _lines(directory: Place) -> list[str]:
    try:
        return (directory / REFERENCES).read_bytes().decode("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{directory.name}: no readable {REFERENCES} ({type(error).__name__})") from error


def _entry(directory: Place, line: str, engine: str, seen: set[str]) -> VoiceEntry | VoiceReject:
    try:
        row = parse_json(line)
    except ValueError:
        row = None
    audio = row.get("ref_audio") if isinstance(row, dict) else None
    if not isinstance(audio, str):
        return VoiceReject(line[:80].encode("utf-8", "replace").decode(), ImportReason.BAD_METADATA, "no ref_audio")
    text = row.get("ref_text")
    name = audio.removeprefix(f"{CLIPS}/")
    found = recorded_entry(directory / CLIPS, name, text if isinstance(text, str) else None, engine, seen)
    return found if isinstance(found, VoiceReject) else found[0]


FORMAT = ExchangeFormat(
    origin="references for cloning in context (references.jsonl)",
    requires="with a recording and its words",
    can_hold=lambda voice: voice.is_recorded and bool((voice.prompt_text or "").strip()),
    read=read_in_context,
    write=export_in_context,
    is_directory=True,
)
