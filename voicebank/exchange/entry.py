"""What a reader of another program's voices gives: entries that can become voices, and rejects with reasons.

A bank must say of each voice which gender it has and which language it speaks; other programs' files often do not.
Then the user says it, for all voices or in a side table: nothing is guessed.
"""

import csv
import hashlib
import io
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import get_args

from manifests.errors import InputError
from manifests.storage import Place
from voicebank.voice import Gender, Vector, Voice, is_voice_id, voice_problem

_COLUMNS = ("name", "gender", "language", "role", "license")
_NAMES_SHOWN = 5


class ImportReason(StrEnum):
    """Why an entry does not become a voice; closed."""

    BAD_METADATA = "bad_metadata"
    BAD_NAME = "bad_name"
    DUPLICATE = "duplicate"
    AUDIO_MISSING = "audio_missing"
    UNREADABLE = "unreadable"
    TEXT_MISSING = "text_missing"
    BAD_DURATION = "bad_duration"
    NO_EMBEDDING = "no_embedding"
    BAD_EMBEDDING = "bad_embedding"

    @property
    def meaning(self) -> str:
        return _MEANINGS[self]


_MEANINGS = {
    ImportReason.BAD_METADATA: "what stands for the entry is not of the format",
    ImportReason.BAD_NAME: "the name of the clip is a path, or no name at all",
    ImportReason.DUPLICATE: "an earlier entry has the same name or the same clip",
    ImportReason.AUDIO_MISSING: "there is no such clip",
    ImportReason.UNREADABLE: "the clip or its text cannot be read",
    ImportReason.TEXT_MISSING: "nothing says what is spoken in the clip",
    ImportReason.BAD_DURATION: "the clip is too short or too long to speak after",
    ImportReason.NO_EMBEDDING: "the entry holds no embedding",
    ImportReason.BAD_EMBEDDING: "the embedding is NaN, infinite, all zeros, or not as wide as the others",
}


@dataclass(frozen=True, slots=True)
class VoiceReject:
    name: str
    reason: ImportReason
    detail: str = ""


@dataclass(frozen=True, slots=True)
class VoiceEntry:
    """A voice to be. `name` is the other program's; gender, language and license are None where it does not say."""

    name: str
    engine: str
    speaker: str
    gender: Gender | None = None
    language: str | None = None
    license: str | None = None
    agent: bool = False
    prompt_text: str | None = None
    prompt_audio: bytes | None = field(default=None, repr=False)
    embedding: Vector | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class FoundVoices:
    """What a reader found. `notes` are for people. `real_people`: the voices are those of recordings; None: the file
    does not tell."""

    entries: tuple[VoiceEntry, ...]
    rejects: tuple[VoiceReject, ...]
    notes: tuple[str, ...] = ()
    real_people: bool | None = None


@dataclass(frozen=True, slots=True)
class MetadataOverrides:
    """What the user states about voices that the files do not: about all of them, and by name about single ones."""

    gender: Gender | None = None
    language: str | None = None
    license: str | None = None
    by_name: Mapping[str, "VoiceEntry"] = field(default_factory=dict)


def read_side_table(file: Place) -> dict[str, VoiceEntry]:
    """The rows of a CSV with the header `name,gender` and, if need be, `language`, `role` (user, agent), `license`.

    InputError names the first row that is wrong. An empty cell says nothing.
    """
    try:
        rows = csv.DictReader(io.StringIO(file.read_bytes().decode("utf-8-sig"), newline=""), strict=True)
        header = rows.fieldnames or []
        if "name" not in header or set(header) - set(_COLUMNS):
            raise InputError(f"{file.name}: the first line names the columns: name, gender[, language, role, license]")
        table: dict[str, VoiceEntry] = {}
        for row in rows:
            entry = _side_entry(row, f"{file.name} line {rows.line_num}")
            if entry.name in table:
                raise InputError(f"{file.name} line {rows.line_num}: {entry.name!r} is there twice")
            table[entry.name] = entry
        return table
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{file.name}: not a readable CSV file in UTF-8 ({type(error).__name__})") from error


def side_table(voices: Iterable[Voice]) -> str:
    """The side table of the voices, so that what other programs' files do not hold can come back."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for voice in voices:
        role = "agent" if voice.agent else "user"
        writer.writerow([voice.voice_id, voice.gender, voice.language, role, voice.license or ""])
    return text.getvalue()


def complete(entries: Sequence[VoiceEntry], overrides: MetadataOverrides) -> list[Voice]:
    """The voices, in order. InputError says of which the gender or the language is not known."""
    full = [_overridden(entry, overrides) for entry in entries]
    problems = []
    for what, option in (("gender", "--genders"), ("language", "--language")):
        unknown = [entry.name for entry in full if getattr(entry, what) is None]
        if unknown:
            more = f" and {len(unknown) - _NAMES_SHOWN} more" if len(unknown) > _NAMES_SHOWN else ""
            names = ", ".join(map(repr, unknown[:_NAMES_SHOWN]))
            problems.append(f"the {what} of {names}{more} is not known: say it with {option}")
    if problems:
        raise InputError("; ".join(problems))
    voices = [_voice(entry) for entry in full]
    if twice := [voice_id for voice_id, times in Counter(voice.voice_id for voice in voices).items() if times > 1]:
        raise InputError(f"two voices would both be {twice[0]!r}: rename one")
    return voices


def voice_id_of(name: str, prefix: str) -> str:
    """The name where it can be a voice_id, else what is left of it and a hash, so that no two names collide."""
    if is_voice_id(name):
        return name
    digest = hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=5).hexdigest()
    kept = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40]
    return f"{kept or prefix}-{digest}"


def entry_problem(entry: VoiceEntry) -> str | None:
    """What would be wrong with the voice, whatever its gender and language; None: nothing."""
    texts = (entry.name, entry.speaker, entry.prompt_text or "")
    if any("\ud800" <= character <= "\udfff" for text in texts for character in text):
        return "it holds broken Unicode (lone surrogates)"
    return voice_problem(_voice(replace(entry, gender="female", language="und")))


def _voice(entry: VoiceEntry) -> Voice:
    return Voice(
        voice_id=voice_id_of(entry.name, entry.engine),
        engine=entry.engine,
        speaker=entry.speaker,
        language=entry.language or "",
        gender=entry.gender or "female",
        agent=entry.agent,
        license=entry.license,
        prompt_text=entry.prompt_text,
        prompt_audio=entry.prompt_audio,
        embedding=entry.embedding,
    )


def _overridden(entry: VoiceEntry, overrides: MetadataOverrides) -> VoiceEntry:
    """The side table knows best, then the file itself, then what is said of all."""
    side = overrides.by_name.get(entry.name, VoiceEntry(entry.name, "", ""))
    return replace(
        entry,
        gender=side.gender or entry.gender or overrides.gender,
        language=side.language or entry.language or overrides.language,
        license=side.license or entry.license or overrides.license,
        agent=side.agent or entry.agent,
    )


def _side_entry(row: Mapping[str | None, str | None], where: str) -> VoiceEntry:
    if None in row or not row.get("name"):
        raise InputError(f"{where}: more cells than columns, or no name")
    gender, role = row.get("gender") or None, row.get("role") or "user"
    if gender is not None and gender not in get_args(Gender):
        raise InputError(f"{where}: gender {gender!r} is neither female nor male")
    if role not in ("user", "agent"):
        raise InputError(f"{where}: role {role!r} is neither user nor agent")
    return VoiceEntry(
        name=str(row["name"]),
        engine="",
        speaker="",
        gender="female" if gender == "female" else "male" if gender else None,
        language=row.get("language") or None,
        license=row.get("license") or None,
        agent=role == "agent",
    )
