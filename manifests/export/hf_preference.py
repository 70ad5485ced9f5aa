"""Hugging Face `datasets`, for preference training of synthesizers: pairs of clips that say the same text.

One row for each rejected take whose clip the corpus kept (`gate.keep_rejected_takes`): `chosen` is the clip that was
accepted for the turn, `rejected` the one that was not, and `reason` says why. Files and the types of the clips are as
in `hf`; the names `chosen` and `rejected` are those of TRL's preference data sets, where `text` is the prompt.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from manifests.clips import has_safe_names
from manifests.corpus import Corpus
from manifests.export._parquet import write_parquet
from manifests.export.contract import Exporter, ExportSettings, Piece, PieceWriter
from manifests.export.hf import AUDIO, audio_feature, value_features, value_fields
from manifests.reasons import Reason
from manifests.schema import Dialogue, Take, Turn
from manifests.storage import Place

_GROUP_ROWS = 32
"""Pairs in a row group: streaming readers fetch whole row groups."""
_BY_SCORE = frozenset({Reason.ERROR_RATE.value, Reason.WORST_TURN.value, Reason.EDGE_ERROR.value})
_SIDES = ("chosen", "rejected")
_COLUMNS = {
    "dialogue_id": "string",
    "turn": "int64",
    "role": "string",
    "language": "string",
    "text": "string",
    "reason": "string",
    "sampling_rate": "int64",
    **{
        f"{side}_{name}": kind
        for side in _SIDES
        for name, kind in (
            ("voice_id", "string"),
            ("rate", "float64"),
            ("hypothesis", "string"),
            ("error_rate", "float64"),
            ("num_samples", "int64"),
        )
    },
}


@dataclass(frozen=True)
class PreferenceSettings(ExportSettings):
    same_voice: bool = field(
        default=True, metadata={"description": "only pairs that one voice speaks, so that they differ in nothing else"}
    )


@dataclass(frozen=True)
class PreferenceWriter(PieceWriter):
    """Writes the pairs of dialogues whose clips all have one sample rate, in Hz: an `Audio` column has one."""

    sample_rate: int | None
    same_voice: bool

    def problem(self, dialogue: Dialogue) -> str | None:
        pairs = list(self._pairs(dialogue))
        if not pairs:
            return _why_no_pair(dialogue)
        audios = [take.audio for _, *takes in pairs for take in takes]
        if any(audio is not None and audio.sample_rate != self.sample_rate for audio in audios):
            return "its sample rate is not that of the corpus"
        return None if has_safe_names(dialogue) else "its id is no safe name for a file"

    def write(self, dialogues: Iterator[Dialogue], out: Place, piece: Piece) -> None:
        write_parquet(out, piece, _schema(self.sample_rate), map(self._rows, dialogues), _GROUP_ROWS)

    def _rows(self, dialogue: Dialogue) -> Iterator[dict[str, Any]]:
        return (_row(dialogue, *pair) for pair in self._pairs(dialogue))

    def _pairs(self, dialogue: Dialogue) -> Iterator[tuple[int, Take, Take]]:
        """Yield the number of the turn, the accepted take and a rejected one."""
        for number, turn in enumerate(dialogue.turns):
            if (chosen := _accepted(turn)) is not None:
                for rejected in turn.rejected_clips:
                    same = rejected.voice_id == chosen.voice_id
                    if (same or not self.same_voice) and _is_worse(rejected, chosen):
                        yield number, chosen, rejected


def open_preference(corpus: Corpus, settings: PreferenceSettings) -> PreferenceWriter:
    """Take the sample rate of the first clip for that of the corpus."""
    first = (turn.audio for dialogue in corpus.dialogues(audio=False) for turn in dialogue.turns if turn.audio)
    return PreferenceWriter(next((audio.sample_rate for audio in first), None), settings.same_voice)


def _is_worse(rejected: Take, chosen: Take) -> bool:
    """Tell whether a take that was rejected for its score has a worse one than the accepted take.

    The score of a turn alone need not be: the gate limits the rate of the whole dialogue, and a turn is spoken again
    because of its neighbors. Takes with other reasons are worse by these.
    """
    if rejected.reason not in _BY_SCORE or rejected.score is None or chosen.score is None:
        return True
    one, other = rejected.score, chosen.score
    return (one.rate or 0, one.edge_error or 0) > (other.rate or 0, other.edge_error or 0)


def _accepted(turn: Turn) -> Take | None:
    return turn.take if turn.take is not None and turn.take.audio is not None and turn.take.reason is None else None


def _why_no_pair(dialogue: Dialogue) -> str:
    if any(turn.rejected_clips and _accepted(turn) for turn in dialogue.turns):
        return "its rejected takes have another voice, or are no worse"
    if any(len(turn.attempts) > 1 for turn in dialogue.turns):
        return "the clips of its rejected takes were not kept"
    return "no take of it was rejected"


def _row(dialogue: Dialogue, number: int, chosen: Take, rejected: Take) -> dict[str, Any]:
    turn = dialogue.turns[number]
    stem = f"{dialogue.dialogue_id}-{number}"
    return {
        "dialogue_id": dialogue.dialogue_id,
        "turn": number,
        "role": turn.role,
        "language": dialogue.language,
        "text": turn.text,
        "reason": rejected.reason,
        "sampling_rate": chosen.audio.sample_rate if chosen.audio else None,
        **_side("chosen", chosen, stem),
        **_side("rejected", rejected, f"{stem}-take{rejected.number}"),
    }


def _side(side: str, take: Take, stem: str) -> dict[str, Any]:
    audio = take.audio
    return {
        f"{side}_voice_id": take.voice_id,
        f"{side}_rate": take.rate,
        f"{side}_hypothesis": take.hearing.hypothesis if take.hearing else None,
        f"{side}_error_rate": take.score.rate if take.score else None,
        f"{side}_num_samples": audio.num_samples if audio else None,
        side: {"bytes": audio.bytes, "path": f"{stem}.{audio.codec}"} if audio else None,
    }


def _schema(sample_rate: int | None) -> pa.Schema:
    features = {**value_features(_COLUMNS), **dict.fromkeys(_SIDES, audio_feature(sample_rate))}
    fields = [*value_fields(_COLUMNS), *(AUDIO.with_name(side) for side in _SIDES)]
    return pa.schema(fields, {"huggingface": json.dumps({"info": {"features": features}})})


EXPORTER = Exporter(
    "hf-preference",
    "Hugging Face datasets: pairs of an accepted and a rejected clip of the same text, for preference training",
    open_preference,
    PreferenceSettings,
    read_by="datasets 5.2.0",
)
