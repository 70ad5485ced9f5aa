"""Light rows: what training code needs of a row, without what was measured on it and without encoded bytes."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from manifests.schema import Dialogue, Role, Turn

LIGHT_COLUMNS = (
    "dialogue_id",
    "language",
    "turns.role",
    "turns.text",
    "turns.start_sample",
    "turns.take.voice_id",
    "turns.take.audio",
)
"""The columns of which light rows are made, and the bytes of the clips."""


@dataclass(frozen=True, slots=True)
class LightClip:
    """Holds the columns of `Audio` without the bytes.

    In the index of a shard, the bytes are `size` bytes of the file from byte `offset` on, and `crc32` is theirs; the
    three are None where a row was read from its columns, or where there are no bytes.
    """

    path: str | None
    codec: str
    sample_rate: int
    num_samples: int
    offset: int | None = None
    size: int | None = None
    crc32: int | None = None


@dataclass(frozen=True, slots=True)
class LightTake:
    voice_id: str
    audio: LightClip | None


@dataclass(frozen=True, slots=True)
class LightTurn:
    role: Role
    text: str | None
    start_sample: int | None
    take: LightTake | None

    @property
    def clip(self) -> LightClip | None:
        return self.take.audio if self.take else None


@dataclass(frozen=True, slots=True)
class LightRow:
    dialogue_id: str
    language: str
    turns: tuple[LightTurn, ...]


def light_row(dialogue: Dialogue) -> LightRow:
    """Return the light row of a dialogue; it does not say where the bytes of the clips are."""
    return LightRow(dialogue.dialogue_id, dialogue.language, tuple(map(_light_turn, dialogue.turns)))


def clips_of(dialogue: Dialogue) -> list[bytes]:
    """Return the bytes of the clip of each turn, empty for a turn without one."""
    return [turn.take.audio.bytes if turn.take and turn.take.audio else b"" for turn in dialogue.turns]


def with_places(row: LightRow, places: Iterable[tuple[int, int, int] | None]) -> LightRow:
    """Return the row with offset, size and CRC-32 of the clip of each turn, None for one without bytes."""
    pairs = zip(row.turns, places, strict=True)
    return replace(row, turns=tuple(_with_place(turn, place or (None, None, None)) for turn, place in pairs))


def without_places(row: LightRow) -> LightRow:
    return with_places(row, [None] * len(row.turns))


def _with_place(turn: LightTurn, place: tuple[int, int, int] | tuple[None, None, None]) -> LightTurn:
    clip = turn.clip
    if turn.take is None or clip is None:
        return turn
    placed = LightClip(clip.path, clip.codec, clip.sample_rate, clip.num_samples, *place)
    return LightTurn(turn.role, turn.text, turn.start_sample, LightTake(turn.take.voice_id, placed))


def _light_turn(turn: Turn) -> LightTurn:
    take = None
    if turn.take is not None:
        audio = turn.take.audio
        clip = LightClip(audio.path, audio.codec, audio.sample_rate, audio.num_samples) if audio else None
        take = LightTake(turn.take.voice_id, clip)
    return LightTurn(turn.role, turn.text, turn.start_sample, take)
