"""Writes `metadata.json`: a JSON array with one object per dialogue, the index that Ke-SpeechChat ships.

The paper (arXiv 2412.01078) names five facts for each dialogue: its id, speakers, their gender, text and audio paths.
It does not give the names of the keys; the names here are Parley's.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from manifests.manifest import MetadataFile
from manifests.packed_rows import PackedRow, PackedTurn
from manifests.schema import Dialogue, Turn
from manifests.storage import Place

BETWEEN = b",\n"

_ENCODER = json.JSONEncoder(ensure_ascii=False)


def write_metadata(place: Place, dialogues: Iterable[Dialogue], genders: Mapping[str, str]) -> MetadataFile:
    """Write the file `place`, one dialogue per line, and return its size and hash. Memory use does not grow with it.

    `genders` maps `voice_id` to gender; a voice that is not in it gets the gender null.
    """
    return join_metadata(place, (metadata_line(dialogue, genders) for dialogue in dialogues))


def join_metadata(place: Place, parts: Iterable[bytes]) -> MetadataFile:
    """Write the file `place` from the lines of dialogues, or from several of them in one part, joined by `BETWEEN`."""
    size, digest = 0, hashlib.sha256()
    with place.writing() as file:
        for data in _array(parts):
            file.write(data)
            digest.update(data)
            size += len(data)
    return MetadataFile(size, digest.hexdigest())


def metadata_line(dialogue: Dialogue | PackedRow, genders: Mapping[str, str]) -> bytes:
    """Return the line of one dialogue, without what stands between two of them."""
    return _ENCODER.encode(metadata_entry(dialogue, genders)).encode("utf-8")


def _array(parts: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the array piece by piece."""
    start = b"[\n"
    for part in parts:
        yield start + part
        start = BETWEEN
    yield b"[]\n" if start == b"[\n" else b"\n]\n"


def metadata_entry(dialogue: Dialogue | PackedRow, genders: Mapping[str, str]) -> dict[str, Any]:
    """Return the object of one dialogue. A clip's path is null where the corpus has no clip files."""
    speakers = {"user": dialogue.user_voice, "agent": dialogue.agent_voice}
    if dialogue.background_voice is not None:
        speakers["background"] = dialogue.background_voice
    return {
        "dialogue_id": dialogue.dialogue_id,
        "language": dialogue.language,
        "speakers": speakers,
        "gender": {role: None if voice is None else genders.get(voice) for role, voice in speakers.items()},
        "turns": [_turn(turn) for turn in dialogue.turns],
    }


def _turn(turn: Turn | PackedTurn) -> dict[str, Any]:
    text = turn.original_text if turn.text is None else turn.text
    return {"role": turn.role, "text": text, "audio": None if turn.audio is None else turn.audio.path}
