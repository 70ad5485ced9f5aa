"""A voice bank to cast from: `voices.jsonl` (by hand, one voice per line) or `voices.parquet`, and `card.json`.

Banks that ship lie in `voicebank/voices/<name>`; others are named by their directory, local or remote.
"""

import hashlib
import json
import os
from collections.abc import Collection, Sequence
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any, get_type_hints

from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from manifests.errors import CorpusError, RecipeError
from manifests.row_groups import label
from manifests.storage import Place, open_place
from voicebank.tables import CARD_FILE, SPEAKERS_FILE, VOICES_TABLE, has_raw_embeddings, read_card, stored_voices
from voicebank.voice import Gender, Voice, voice_problem

__all__ = ["CARD_FILE", "VOICES_FILE", "Bank", "bank_place", "load_bank", "load_card", "shipped_banks"]

VOICES_FILE = "voices.jsonl"

_SHIPPED = Path(__file__).parent / "voices"
_BINARY = ("embedding", "prompt_audio")
"""Fields that JSON cannot hold; voices that have them are in `voices.parquet`."""
_PLAIN = tuple(f.name for f in fields(Voice) if f.name not in _BINARY)


def _line_model() -> type[BaseModel]:
    """Return the model of one line of `voices.jsonl`: the plain fields of `Voice`, in strict types."""
    kinds = get_type_hints(Voice)
    keys: dict[str, Any] = {
        f.name: (kinds[f.name], ... if f.default is MISSING else f.default) for f in fields(Voice) if f.name in _PLAIN
    }
    return create_model("line", __config__=ConfigDict(extra="forbid", strict=True, str_min_length=1), **keys)


_LINE = _line_model()


@dataclass(frozen=True, slots=True)
class Bank:
    """Voices in the order of the file. `digest` is the SHA-256 of what the voices are, whatever the file's form;
    `raw` says that embeddings are as their encoder gave them, of any length."""

    name: str
    digest: str
    voices: tuple[Voice, ...]
    raw: bool = False

    def select(
        self,
        *,
        language: str | None = None,
        engines: Collection[str] | None = None,
        agent: bool | None = None,
        gender: Gender | None = None,
    ) -> tuple[Voice, ...]:
        """The voices that fit every condition given, in the bank's order; maybe none."""
        return tuple(
            voice
            for voice in self.voices
            if (language is None or voice.language == language)
            and (engines is None or voice.engine in engines)
            and (agent is None or voice.agent == agent)
            and (gender is None or voice.gender == gender)
        )


def shipped_banks() -> tuple[str, ...]:
    return tuple(sorted(p.parent.name for p in _SHIPPED.glob(f"*/{VOICES_FILE}")))


def load_bank(path_or_name: str | os.PathLike[str]) -> Bank:
    """The bank of that name, if one ships, else the one in that directory.

    `RecipeError` where there is no such bank, `CorpusError` where its content is wrong.
    """
    place = bank_place(path_or_name)
    voices = _read_table(place) if (place / VOICES_TABLE).is_file() else _read_voices(place / VOICES_FILE)
    if not voices:
        raise CorpusError(f"{place.name}: the voice bank is empty")
    return Bank(read_card(place)["name"], _digest(voices), voices, has_raw_embeddings(place))


def load_card(path_or_name: str | os.PathLike[str]) -> dict[str, Any]:
    """The bank's card: where its voices come from, their licenses, how variants were made."""
    return read_card(bank_place(path_or_name))


def bank_place(path_or_name: str | os.PathLike[str]) -> Place:
    """Where the bank of that name or directory is. Raises like `load_bank`."""
    if path_or_name in shipped_banks():
        return open_place(_SHIPPED / path_or_name)
    place = open_place(path_or_name)
    forms = [name for name in (VOICES_FILE, VOICES_TABLE) if (place / name).is_file()]
    if len(forms) == 2:
        raise CorpusError(f"{place.name}: the voice bank has both {VOICES_FILE} and {VOICES_TABLE}; remove one")
    if not forms and (place / SPEAKERS_FILE).is_file():
        raise RecipeError(f"voice bank {place.name!r} holds real speakers only: blend it first")
    if not forms:
        expected = f"neither a directory with {VOICES_FILE} or {VOICES_TABLE} nor {', '.join(shipped_banks())}"
        raise RecipeError(f"no voice bank {place.name!r}: {expected}")
    return place


def _read_table(directory: Place) -> tuple[Voice, ...]:
    return tuple(stored_voices(directory))


def _read_voices(file: Place) -> tuple[Voice, ...]:
    voices: dict[str, Voice] = {}
    for number, line in enumerate(_lines(file), start=1):
        try:
            voice = _voice_of(line)
        except ValueError as error:
            raise CorpusError(f"{label(file)} line {number}: {error}") from error
        if voice.voice_id in voices:
            raise CorpusError(f"{label(file)} line {number}: voice_id {voice.voice_id!r} is there twice")
        voices[voice.voice_id] = voice
    return tuple(voices.values())


def _lines(file: Place) -> list[bytes]:
    data = file.read_bytes()
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise CorpusError(f"{label(file)}: not valid UTF-8: {error}") from error
    return data.splitlines()


def _voice_of(line: bytes) -> Voice:
    """Return the voice that a line holds. Raises ValueError, which says in a few words what is wrong with it."""
    try:
        voice = Voice(**vars(_LINE.model_validate_json(line)))
    except ValidationError as error:
        raise ValueError(_problem(error)) from error
    if problem := voice_problem(voice):
        raise ValueError(problem)
    return voice


def _problem(error: ValidationError) -> str:
    """Say in one line what pydantic found: all unknown keys, else all missing ones, else the first bad value."""
    found = error.errors(include_url=False, include_context=False)
    for kind, what in (("extra_forbidden", "unknown"), ("missing", "missing")):
        if keys := sorted(str(entry["loc"][0]) for entry in found if entry["type"] == kind):
            return f"{what} keys {', '.join(keys)}"
    first = found[0]
    if not first["loc"]:
        return (
            first["msg"].replace("at line 1 column", "at column")
            if first["type"] == "json_invalid"
            else "not a JSON object"
        )
    key = ".".join(map(str, first["loc"]))
    return f"bad {key} {first['input']!r}: {first['msg']}"


def _digest(voices: Sequence[Voice]) -> str:
    """Of all fields, in the order of the voices: a bank's first agent voice is the one that recipes may single out."""
    plain = json.dumps([[getattr(voice, name) for name in _PLAIN] for voice in voices], ensure_ascii=True)
    sha256 = hashlib.sha256(f"{_PLAIN}\n{plain}".encode("ascii"))
    for number, voice in enumerate(voices):
        if voice.embedding is not None:
            sha256.update(b"\nembedding %d %d\n" % (number, voice.embedding.size))
            sha256.update(voice.embedding.astype("<f4", copy=False).tobytes())
        if (recording := voice.prompt_audio) is not None:
            sha256.update(b"\nprompt %d %d\n" % (number, len(recording)))
            sha256.update(recording)
    return sha256.hexdigest()
