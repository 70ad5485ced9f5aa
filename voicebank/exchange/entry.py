"""Entries read from another program's files, and how they become voices.

A bank must state the gender and the language of each voice; other programs' files often do not. Then the user states
them, for all voices or in a side table: nothing is guessed.
"""

import csv
import hashlib
import io
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import get_args

from manifests.errors import InputError
from manifests.meanings import Meaningful
from manifests.storage import Place
from voicebank.voice import Gender, Vector, Voice, is_voice_id, voice_problem

_COLUMNS = ("name", "gender", "language", "role", "license")
_NAMES_SHOWN = 5


class ImportReason(Meaningful):
    """The closed list of reasons why an entry does not become a voice."""

    BAD_METADATA = "bad_metadata", "the entry is not in the form that the format asks for"
    BAD_NAME = "bad_name", "the name of the clip is a path or empty"
    DUPLICATE = "duplicate", "an earlier entry has the same name or the same clip"
    AUDIO_MISSING = "audio_missing", "the clip is missing"
    UNREADABLE = "unreadable", "the clip or its text cannot be read"
    TEXT_MISSING = "text_missing", "there is no text of what is spoken in the clip"
    BAD_DURATION = "bad_duration", "the clip is too short or too long to be a prompt"
    SILENT = "silent", "the clip holds no sound that could be speech"
    NO_EMBEDDING = "no_embedding", "the entry holds no embedding"
    BAD_EMBEDDING = "bad_embedding", "the embedding is NaN, infinite, all zeros, or not as wide as the others"


@dataclass(frozen=True, slots=True)
class VoiceReject:
    name: str
    reason: ImportReason
    detail: str = ""


@dataclass(frozen=True, slots=True)
class VoiceEntry:
    """An entry that can become a voice, under the other program's name for it.

    Gender, language and license are None where the program's files do not state them.
    """

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
    """What a reader found. `notes` are for people.

    `real_people` says whether the voices are those of people who were recorded; None where the file does not tell.
    `raw` says that embeddings keep the length that they have in the file.
    """

    entries: tuple[VoiceEntry, ...]
    rejects: tuple[VoiceReject, ...]
    notes: tuple[str, ...] = ()
    real_people: bool | None = None
    raw: bool = False


@dataclass(frozen=True, slots=True)
class MetadataOverrides:
    """What the user states about voices that the files do not: about all of them, and by name about single ones."""

    gender: Gender | None = None
    language: str | None = None
    license: str | None = None
    by_name: Mapping[str, "VoiceEntry"] = field(default_factory=dict)


def read_side_table(file: Place) -> dict[str, VoiceEntry]:
    """Read a CSV file with the columns `name`, `gender` and optionally `language`, `role` (user, agent), `license`.

    An empty cell states nothing. InputError names the first row that is wrong.
    """
    try:
        rows = csv.DictReader(io.StringIO(file.read_bytes().decode("utf-8-sig"), newline=""), strict=True)
        header = rows.fieldnames or []
        if "name" not in header or set(header) - set(_COLUMNS):
            raise InputError(
                f"{file.name}: the first line must name the columns: name, gender[, language, role, license]"
            )
        table: dict[str, VoiceEntry] = {}
        for row in rows:
            entry = _side_entry(row, f"{file.name} line {rows.line_num}")
            if entry.name in table:
                raise InputError(f"{file.name} line {rows.line_num}: {entry.name!r} appears twice")
            table[entry.name] = entry
        return table
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{file.name}: not a readable CSV file in UTF-8 ({type(error).__name__})") from error


def side_table(voices: Iterable[Voice]) -> str:
    """Write the side table of some voices: what other programs' files cannot hold, for a later import."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for voice in voices:
        role = "agent" if voice.agent else "user"
        writer.writerow([voice.voice_id, voice.gender, voice.language, role, voice.license or ""])
    return text.getvalue()


def complete(entries: Sequence[VoiceEntry], overrides: MetadataOverrides) -> list[Voice]:
    """Turn entries into voices, in order. InputError names those whose gender or language is unknown."""
    full = [_overridden(entry, overrides) for entry in entries]
    problems = []
    for what, option in (("gender", "--genders"), ("language", "--language")):
        unknown = [entry.name for entry in full if getattr(entry, what) is None]
        if unknown:
            more = f" and {len(unknown) - _NAMES_SHOWN} more" if len(unknown) > _NAMES_SHOWN else ""
            names = ", ".join(map(repr, unknown[:_NAMES_SHOWN]))
            problems.append(f"the {what} of {names}{more} is not known: give it with {option}")
    if problems:
        raise InputError("; ".join(problems))
    voices = [_voice(entry) for entry in full]
    if twice := [voice_id for voice_id, times in Counter(voice.voice_id for voice in voices).items() if times > 1]:
        raise InputError(f"two voices would both be {twice[0]!r}: rename one")
    return voices


def voice_id_of(name: str, prefix: str) -> str:
    """Return the name where it can be a voice_id, else its usable part with a hash, so that no two names collide."""
    if is_voice_id(name):
        return name
    digest = hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=5).hexdigest()
    kept = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40]
    return f"{kept or prefix}-{digest}"


def entry_problem(entry: VoiceEntry) -> str | None:
    """Say what would be wrong with the voice, whatever its gender and language; None where nothing would."""
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
    """Take each fact from the side table, else from the file itself, else from what is stated about all voices."""
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
        raise InputError(f"{where}: it has more cells than columns, or no name")
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
