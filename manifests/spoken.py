"""Light rows for training: the clip and the text of each turn, without what was measured on them.

Clips stay encoded until their row is given out: encoded, they take a fifth of the memory.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import compress
from typing import Any

import numpy as np

from manifests.audio import decode, pcm16_of, samples_of
from manifests.errors import CorpusError
from manifests.light import LightTurn
from manifests.light_shards import StoredRow
from manifests.resampling import Samples, resample, resampled_length
from manifests.schema import Audio, Role

_NOTHING = np.zeros(0, np.float32)


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
    samples: Samples = field(default_factory=lambda: _NOTHING, repr=False)
    encoded: Audio | None = field(default=None, repr=False)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle samples that are 16-bit ones as such: on its way out of a worker a clip then has half the bytes."""
        head = (self.role, self.text, self.voice_id, self.start_sample, self.sample_rate, self.num_samples)
        pcm = pcm16_of(self.samples)
        return (_unpickled, (*head, self.samples if pcm is None else pcm.tobytes(), self.encoded))


def _unpickled(*fields: Any) -> SpokenTurn:
    values = list(fields)
    if isinstance(values[6], bytes):
        values[6] = samples_of(np.frombuffer(values[6], "<i2"))
    return SpokenTurn(*values)


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
class EncodedDialogue:
    """Holds a row whose clips are still encoded, and the turns of it that are heard."""

    stored: StoredRow
    heard: tuple[bool, ...]
    columns: dict[str, Any]

    def described(self, sample_rate: int | None, position: Position = NOWHERE) -> SpokenDialogue:
        """Return the dialogue without samples; numbers of samples are those at `sample_rate`, if it is given."""
        row = self.stored.row
        turns = tuple(_described(turn, sample_rate) for turn in compress(row.turns, self.heard))
        return SpokenDialogue(row.dialogue_id, row.language, turns, self.columns, position)

    def spoken(self, sample_rate: int | None, decoded: bool, position: Position = NOWHERE) -> SpokenDialogue:
        """Read the clips, and decode and resample them, or leave them encoded.

        Raises a CorpusError that names the dialogue, for damaged bytes and for clips that cannot be decoded.
        """
        row = self.stored.row
        pairs = compress(zip(row.turns, self.stored.read_clips(), strict=True), self.heard)
        try:
            turns = tuple(_spoken(turn, data, sample_rate, decoded) for turn, data in pairs)
        except CorpusError as error:
            raise CorpusError(f"dialogue {row.dialogue_id}: {error}") from error
        return SpokenDialogue(row.dialogue_id, row.language, turns, self.columns, position)


def _described(
    turn: LightTurn, sample_rate: int | None, samples: Samples = _NOTHING, encoded: Audio | None = None
) -> SpokenTurn:
    voice_id = turn.take.voice_id if turn.take else None
    audio, start = turn.clip, turn.start_sample
    if audio is None:
        return SpokenTurn(turn.role, turn.text, voice_id, start, 0, 0)
    rate, num_samples = audio.sample_rate, audio.num_samples
    if sample_rate and sample_rate != rate:
        num_samples = resampled_length(num_samples, rate, sample_rate)
        start = None if start is None else resampled_length(start, rate, sample_rate)
    return SpokenTurn(turn.role, turn.text, voice_id, start, sample_rate or rate, num_samples, samples, encoded)


def _spoken(turn: LightTurn, data: bytes, sample_rate: int | None, decoded: bool) -> SpokenTurn:
    clip = turn.clip
    if clip is None:
        return _described(turn, sample_rate)
    audio = Audio(data, clip.path, clip.codec, clip.sample_rate, clip.num_samples)
    if not decoded:
        return _described(turn, sample_rate, encoded=audio)
    samples, rate = decode(audio)
    return _described(turn, sample_rate, resample(samples, rate, sample_rate or rate))


def encoded_dialogues(rows: Sequence[StoredRow], columns: Sequence[dict[str, Any]] = ()) -> Iterator[EncodedDialogue]:
    """Yield rows without their turns that are not heard; `columns` are further columns of the same rows.

    In a row with a timeline, turns that have no place in it are not heard; they are left out of its columns too.
    """
    for number, stored in enumerate(rows):
        found = columns[number] if columns else {}
        heard = tuple(turn.start_sample is not None for turn in stored.row.turns)
        if not any(heard):
            heard = (True,) * len(heard)
        elif not all(heard) and found.get("turns"):
            found = {**found, "turns": list(compress(found["turns"], heard))}
        yield EncodedDialogue(stored, heard, found)
