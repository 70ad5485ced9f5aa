"""What `pack` looks at in a row: what is counted, and what metadata.json says. All else it copies as columns."""

from dataclasses import dataclass

import pyarrow as pa

from manifests.schema import Role
from manifests.used_columns import rows_of_columns


@dataclass(frozen=True, slots=True)
class PackedAudio:
    """Holds what is counted of a clip: the fields are those of `Audio`."""

    path: str | None
    sample_rate: int
    num_samples: int


@dataclass(frozen=True, slots=True)
class PackedTake:
    audio: PackedAudio | None


@dataclass(frozen=True, slots=True)
class PackedTurn:
    role: Role
    original_text: str
    text: str | None
    take: PackedTake | None

    @property
    def audio(self) -> PackedAudio | None:
        return self.take.audio if self.take else None


@dataclass(frozen=True, slots=True)
class PackedTrack:
    audio: PackedAudio


@dataclass(frozen=True, slots=True)
class PackedTimeline:
    sample_rate: int
    num_samples: int
    tracks: tuple[PackedTrack, ...]


@dataclass(frozen=True, slots=True)
class PackedRow:
    """Holds fields of a `Dialogue`, under their own names."""

    dialogue_id: str
    language: str
    turns: tuple[PackedTurn, ...]
    recipe: str | None
    user_voice: str | None
    agent_voice: str | None
    status: str
    reason: str | None
    background_voice: str | None
    timeline: PackedTimeline | None


def packed_rows(table: pa.Table) -> list[PackedRow]:
    """Return the rows of a table of dialogues, with whatever columns."""
    return rows_of_columns(table, PackedRow)
