"""vLLM-Omni's `custom_voice_dir` for Qwen3-TTS: voices that a server knows by name from its start.

A directory holds `custom_voice_manifest.json`, {"schema_version": 1, "model_type": "qwen3_tts", "voices": {name:
{"name", "file", "mode", "embedding_dim", ...}}}, and a file of tensors (safetensors) for each voice:
`speaker_embedding` [D] for the mode `xvec`, and for `icl` also `ref_code`, the codec's tokens of a recording whose
text is `ref_text`. Parley's voices are their embeddings, so `xvec` is written; of `icl` the embedding is read. The
server reads the length of the vector, so nothing is scaled.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from manifests.errors import InputError, UserError
from manifests.json_text import parse_json
from manifests.libraries import extra, library
from manifests.storage import Place
from voicebank.exchange.entry import FoundVoices, ImportReason, VoiceEntry, VoiceReject, entry_problem
from voicebank.exchange.format import ExchangeFormat
from voicebank.file_names import existing_file
from voicebank.vectors import are_unit, matrix_problem
from voicebank.voice import Vector, Voice

MANIFEST = "custom_voice_manifest.json"
SCHEMA_VERSION, MODEL_TYPE = 1, "qwen3_tts"
EMBEDDING, CODES = "speaker_embedding", "ref_code"
ENGINE = "openai-speech"

CACHE_BYTES = 512 * 1024**2
"""What the server keeps of its voices; of more, it forgets the first."""

_MODES = ("xvec", "icl")


def export_custom_voices(directory: Place, voices: Sequence[Voice]) -> list[str]:
    """Write the directory; all voices must have raw embeddings of one width. Returns notes for people.

    Raises UserError for embeddings that have all been scaled to length 1.
    """
    save = library("safetensors.numpy", "custom_voice_dir", extra("voicebank")).save
    vectors = [np.ascontiguousarray(voice.embedding, "<f4") for voice in voices if voice.embedding is not None]
    if are_unit(np.stack(vectors)):
        raise UserError(
            "all embeddings have length 1, where raw ones are wanted: Qwen3-TTS reads the length, so build the bank "
            "with --encoder qwen3-tts=MODEL"
        )
    entries = {}
    for voice, vector in zip(voices, vectors, strict=True):
        file = f"{voice.voice_id}.safetensors"
        (directory / file).write_bytes(save({EMBEDDING: vector}))
        entries[voice.voice_id] = {
            "name": voice.voice_id,
            "file": file,
            "mode": "xvec",
            "embedding_dim": vector.size,
            "speaker_description": f"{voice.gender} voice, {voice.language}",
        }
    manifest = {"schema_version": SCHEMA_VERSION, "model_type": MODEL_TYPE, "voices": entries}
    (directory / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n")
    size = sum(vector.nbytes for vector in vectors)
    note = f"the server keeps {CACHE_BYTES // 2**20} MB of voices, and these are {size / 2**20:.0f}"
    return [note] if size > CACHE_BYTES else []


def read_custom_voices(directory: Place) -> FoundVoices:
    """Read the voices of a directory. InputError where its manifest is missing, broken, or of another model."""
    listed = _manifest(directory)
    entries: list[VoiceEntry] = []
    rejects: list[VoiceReject] = []
    coded = 0
    for key, info in listed.items():
        name = str(info.get("name") or key).strip() if isinstance(info, Mapping) else key
        found = _entry(directory, name, info)
        if isinstance(found, VoiceReject):
            rejects.append(found)
            continue
        entries.append(found)
        coded += info.get("mode") == "icl"
    usual = Counter(entry.embedding.size for entry in entries if entry.embedding is not None).most_common(1)
    odd = [entry for entry in entries if entry.embedding is not None and entry.embedding.size != usual[0][0]]
    rejects += [VoiceReject(entry.name, ImportReason.BAD_EMBEDDING, f"not {usual[0][0]} wide") for entry in odd]
    kept = tuple(entry for entry in entries if entry not in odd)
    notes = (f"left out: {CODES} of {coded} entries",) if coded else ()
    return FoundVoices(kept, tuple(rejects), notes, real_people=None, raw=True)


def _manifest(directory: Place) -> Mapping[str, Any]:
    file = directory / MANIFEST
    try:
        manifest = parse_json(file.read_bytes().decode("utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{directory.name}: no readable {MANIFEST} ({type(error).__name__})") from error
    voices = manifest.get("voices") if isinstance(manifest, Mapping) else None
    if not isinstance(voices, Mapping):
        raise InputError(f"{MANIFEST}: it lists no voices")
    model = manifest.get("model_type", MODEL_TYPE)
    if model != MODEL_TYPE:
        raise InputError(f"{MANIFEST}: its voices are of {model}, not of {MODEL_TYPE}")
    return voices


def _entry(directory: Place, name: str, info: Any) -> VoiceEntry | VoiceReject:
    shown = name[:80]
    if not isinstance(info, Mapping) or info.get("mode", "xvec") not in _MODES or not name:
        return VoiceReject(shown, ImportReason.BAD_METADATA, "not an entry of the mode xvec or icl")
    file = info.get("file") or f"{name.lower()}.safetensors"
    if not isinstance(file, str) or set(file) & set("/\\:") or not file.isprintable():
        return VoiceReject(shown, ImportReason.BAD_NAME, "a path, not a name")
    place = existing_file(directory, file)
    if place is None:
        return VoiceReject(shown, ImportReason.NO_EMBEDDING, f"there is no {file[:80]}")
    vector = _embedding(place)
    if isinstance(vector, str):
        return VoiceReject(shown, ImportReason.BAD_EMBEDDING, vector)
    entry = VoiceEntry(name, ENGINE, name, embedding=vector)
    problem = entry_problem(entry)
    return VoiceReject(shown, ImportReason.BAD_METADATA, problem) if problem else entry


def _embedding(file: Place) -> Vector | str:
    """Return the embedding in a file, float32 [D], or what is wrong with it."""
    safetensors = _safetensors()
    try:
        tensors = dict(safetensors.deserialize(file.read_bytes()))
    except (OSError, safetensors.SafetensorError) as error:
        return f"not a file of tensors ({type(error).__name__})"
    if EMBEDDING not in tensors:
        return f"it holds no {EMBEDDING}"
    vector = _numbers(tensors[EMBEDDING])
    if vector is None or vector.size == 0:
        return f"{EMBEDDING} does not hold floating-point numbers"
    return matrix_problem(vector[None], raw=True) or vector


def _numbers(tensor: Mapping[str, Any]) -> npt.NDArray[np.float32] | None:
    """Return the numbers of a tensor in a row; None for a tensor of another type."""
    data, kind = bytes(tensor["data"]), tensor["dtype"]
    if kind == "BF16":  # the upper half of a float32
        return (np.frombuffer(data, "<u2").astype("<u4") << 16).view("<f4")
    types = {"F64": "<f8", "F32": "<f4", "F16": "<f2"}
    return np.frombuffer(data, types[kind]).astype(np.float32) if kind in types else None


def _safetensors() -> Any:
    return library("safetensors", "custom_voice_dir", extra("voicebank"))


FORMAT = ExchangeFormat(
    origin="voices of a vLLM-Omni server (custom_voice_dir)",
    requires="with an embedding",
    can_hold=lambda voice: voice.embedding is not None,
    read=lambda directory, _: read_custom_voices(directory),
    write=export_custom_voices,
    is_directory=True,
)
