"""A voice bank on disk: `voices.jsonl`, one voice per line, and `card.json`, where the voices come from.

Banks that ship lie in `voicebank/voices/<name>`; others are named by their directory, local or remote.
"""

import hashlib
import json
import math
import os
import re
from collections.abc import Collection
from dataclasses import MISSING, asdict, dataclass, fields
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_type_hints

from manifests.errors import CorpusError, RecipeError
from manifests.storage import Place, open_place
from voicebank.voice import Gender, Voice

VOICES_FILE = "voices.jsonl"
CARD_FILE = "card.json"

_SHIPPED = Path(__file__).parent / "voices"
_VOICE_ID = re.compile(r"[a-z0-9][a-z0-9_-]*")
_TYPES = get_type_hints(Voice)
_REQUIRED = frozenset(f.name for f in fields(Voice) if f.default is MISSING)


@dataclass(frozen=True, slots=True)
class Bank:
    """Voices in the order of the file. `digest` is the SHA-256 of what the voices are, whatever the file's layout."""

    name: str
    digest: str
    voices: tuple[Voice, ...]

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
    place = _place_of(path_or_name)
    voices = _read_voices(place / VOICES_FILE)
    name = _read_card(place / CARD_FILE)["name"]
    return Bank(name=name, digest=_digest(voices), voices=voices)


def load_card(path_or_name: str | os.PathLike[str]) -> dict[str, Any]:
    """The bank's card: where its voices come from, their licences, how variants were made."""
    return _read_card(_place_of(path_or_name) / CARD_FILE)


def _place_of(path_or_name: str | os.PathLike[str]) -> Place:
    if path_or_name in shipped_banks():
        return open_place(_SHIPPED / path_or_name)
    place = open_place(path_or_name)
    if not (place / VOICES_FILE).is_file():
        shipped = ", ".join(shipped_banks())
        raise RecipeError(f"no voice bank {str(path_or_name)!r}: neither a directory with {VOICES_FILE} nor {shipped}")
    return place


def _read_card(file: Place) -> dict[str, Any]:
    if not file.is_file():
        raise CorpusError(f"{file}: the voice bank has no card")
    try:
        card = json.loads(file.read_text())
    except ValueError as error:
        raise CorpusError(f"{file}: not valid JSON: {error}") from error
    if not isinstance(card, dict) or not isinstance(card.get("name"), str) or not card["name"]:
        raise CorpusError(f"{file}: the card has no name")
    return card


def _read_voices(file: Place) -> tuple[Voice, ...]:
    voices: dict[str, Voice] = {}
    for number, line in enumerate(_lines(file), start=1):
        try:
            voice = _voice_of(json.loads(line))
        except ValueError as error:
            raise CorpusError(f"{file} line {number}: {error}") from error
        if voice.voice_id in voices:
            raise CorpusError(f"{file} line {number}: voice_id {voice.voice_id!r} is there twice")
        voices[voice.voice_id] = voice
    if not voices:
        raise CorpusError(f"{file}: the voice bank is empty")
    return tuple(voices.values())


def _lines(file: Place) -> list[str]:
    try:
        return file.read_text().splitlines()
    except UnicodeDecodeError as error:
        raise CorpusError(f"{file}: not valid UTF-8: {error}") from error


def _voice_of(row: object) -> Voice:
    """The voice that a line holds. `ValueError` says, in a few words, what is wrong with it."""
    if not isinstance(row, dict):
        raise ValueError("not a JSON object")
    if unknown := sorted(row.keys() - _TYPES.keys()):
        raise ValueError(f"unknown keys {', '.join(unknown)}")
    if missing := sorted(_REQUIRED - row.keys()):
        raise ValueError(f"missing keys {', '.join(missing)}")
    for key, value in row.items():
        if not _fits(value, _TYPES[key]):
            raise ValueError(f"bad {key} {value!r}")
    if not _VOICE_ID.fullmatch(row["voice_id"]):
        raise ValueError(f"bad voice_id {row['voice_id']!r}: lower-case letters, digits, - and _")
    values: dict[str, Any] = {k: float(value) if _TYPES[k] is float else value for k, value in row.items()}
    return Voice(**values)


def _fits(value: object, kind: Any) -> bool:
    """Whether a JSON value can stand in a field of that type. Numbers here are factors: finite and above zero."""
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value > 0
    if kind is str:
        return isinstance(value, str) and bool(value)
    if isinstance(kind, type):
        return isinstance(value, kind)
    if isinstance(kind, UnionType):
        return any(_fits(value, member) for member in get_args(kind))
    return value in get_args(kind)  # a Literal


def _digest(voices: tuple[Voice, ...]) -> str:
    canonical = json.dumps([asdict(voice) for voice in voices], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(canonical.encode("utf-8")).hexdigest()
