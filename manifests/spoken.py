"""Light rows for training: the clip and the text of each turn, without what was measured on them.

Clips stay encoded until their row is given out: encoded, they take a fifth of the memory.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import compress, islice
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from manifests import table as tables
from manifests.arrow_values import items_of, plain_values
from manifests.audio import decode
from manifests.errors import CorpusError
from manifests.resampling import resample, resampled_length
from manifests.schema import Audio, Role

LIGHT_COLUMNS = (
    "dialogue_id",
    "language",
    "turns.role",
    "turns.text",
    "turns.start_sample",
    "turns.take.voice_id",
    "turns.take.audio",
)
"""The columns that `encoded_dialogues` reads."""


def _nothing() -> npt.NDArray[np.float32]:
    return np.zeros(0, np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class SpokenTurn:
    """Holds the text and the samples of one turn.

    `samples`, float32 [num_samples] in -1..1, are empty where the stream does not decode; `encoded` is the clip then.
    A turn without a clip, which no kept row has, has 0 samples at 0 Hz.
    """

    role: Role
    text: str | None
    voice_id: str | None
    start_sample: int | None
    sample_rate: int
    num_samples: int
    samples: npt.NDArray[np.float32] = field(default_factory=_nothing, repr=False)
    encoded: Audio | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Position:
    """Says where a row stands in a stream: it is number `row`, from 1, of one of `workers` in an epoch."""

    epoch: int
    worker: int
    workers: int
    row: int


NOWHERE = Position(0, 0, 1, 0)
"""The position of a row that is not given out yet."""


@dataclass(frozen=True, slots=True, eq=False)
class SpokenDialogue:
    """Holds one row as training code wants it; `columns` has what else was asked for, nested as in the row."""

    dialogue_id: str
    language: str
    turns: tuple[SpokenTurn, ...]
    columns: dict[str, Any]
    position: Position

    @property
    def num_samples(self) -> int:
        """The samples of all turns together, whether they are decoded or not."""
        return sum(turn.num_samples for turn in self.turns)


@dataclass(frozen=True, slots=True)
class _Clip:
    """The columns of `Audio` without the bytes."""

    path: str | None
    codec: str
    sample_rate: int
    num_samples: int


@dataclass(frozen=True, slots=True)
class _Take:
    voice_id: str
    audio: _Clip | None


@dataclass(frozen=True, slots=True)
class _Turn:
    role: Role
    text: str | None
    start_sample: int | None
    take: _Take | None


@dataclass(frozen=True, slots=True)
class _Row:
    dialogue_id: str
    language: str
    turns: tuple[_Turn, ...]


@dataclass(frozen=True, slots=True)
class EncodedDialogue:
    """Holds a row whose clips are still encoded: `clips` has the bytes of each turn, empty where it has no clip."""

    row: _Row
    clips: Sequence[bytes]
    columns: dict[str, Any]

    def described(self, sample_rate: int | None, position: Position = NOWHERE) -> SpokenDialogue:
        """Return the dialogue without samples; numbers of samples are those at `sample_rate`, if it is given."""
        turns = tuple(_described(turn, sample_rate) for turn in self.row.turns)
        return SpokenDialogue(self.row.dialogue_id, self.row.language, turns, self.columns, position)

    def encoded(self) -> list[Audio | None]:
        """Return the clip of each turn; None for a turn without one."""
        return [
            Audio(clip, audio.path, audio.codec, audio.sample_rate, audio.num_samples)
            if turn.take and (audio := turn.take.audio)
            else None
            for turn, clip in zip(self.row.turns, self.clips, strict=True)
        ]


def _described(turn: _Turn, sample_rate: int | None) -> SpokenTurn:
    voice_id, audio = (turn.take.voice_id, turn.take.audio) if turn.take else (None, None)
    if audio is None:
        return SpokenTurn(turn.role, turn.text, voice_id, turn.start_sample, 0, 0)
    rate = sample_rate or audio.sample_rate
    num_samples = resampled_length(audio.num_samples, audio.sample_rate, rate)
    start = turn.start_sample
    if start is not None:
        start = resampled_length(start, audio.sample_rate, rate)
    return SpokenTurn(turn.role, turn.text, voice_id, start, rate, num_samples)


def with_samples(dialogue: SpokenDialogue, clips: Sequence[Audio | None]) -> SpokenDialogue:
    """Decode and resample the clips of a dialogue; raises a CorpusError that names it."""
    try:
        turns = tuple(_spoken(turn, clip) for turn, clip in zip(dialogue.turns, clips, strict=True))
    except CorpusError as error:
        raise CorpusError(f"dialogue {dialogue.dialogue_id}: {error}") from error
    return replace(dialogue, turns=turns)


def _spoken(turn: SpokenTurn, clip: Audio | None) -> SpokenTurn:
    if clip is None:
        return turn
    samples, sample_rate = decode(clip)
    return replace(turn, samples=resample(samples, sample_rate, turn.sample_rate))


def with_clips(dialogue: SpokenDialogue, clips: Sequence[Audio | None]) -> SpokenDialogue:
    """Put the encoded clips into a dialogue."""
    turns = (replace(turn, encoded=clip) for turn, clip in zip(dialogue.turns, clips, strict=True))
    return replace(dialogue, turns=tuple(turns))


def encoded_dialogues(table: pa.Table, columns: Sequence[dict[str, Any]] = ()) -> list[EncodedDialogue]:
    """Return the rows of a table of the light columns; `columns` are further columns of the same rows.

    Turns that are not heard are left out: in a row with a timeline, those that have no place in it.
    """
    clips = _clips(table)
    return [
        _heard(EncodedDialogue(row, tuple(islice(clips, len(row.turns))), columns[number] if columns else {}))
        for number, row in enumerate(tables.from_table(table, _Row, partial=True))
    ]


def _heard(dialogue: EncodedDialogue) -> EncodedDialogue:
    """Leave out the turns that have no place in the timeline of a row that has one, from its columns too."""
    heard = [turn.start_sample is not None for turn in dialogue.row.turns]
    if all(heard) or not any(heard):
        return dialogue
    columns = dict(dialogue.columns)
    if columns.get("turns"):
        columns["turns"] = list(compress(columns["turns"], heard))
    row = replace(dialogue.row, turns=tuple(compress(dialogue.row.turns, heard)))
    return EncodedDialogue(row, tuple(compress(dialogue.clips, heard)), columns)


def _clips(table: pa.Table) -> Iterator[bytes]:
    """Yield the encoded clip of each turn of the table, empty for a turn without one.

    They are copies: views would keep a whole row group in memory until the last of its rows is given out, and memory
    that is new to the process costs more than a copy into memory that is not.
    """
    for batch in table.to_batches():
        turns, _ = items_of(batch.column("turns"))
        clips = plain_values(turns.field("take").field("audio").field("bytes"))
        yield from (clip or b"" for clip in clips)
