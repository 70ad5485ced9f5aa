"""Hugging Face `datasets`: nested Parquet, one row for each dialogue, with an `Audio` in each of its turns.

The rules for the type of `audio` are those of `manifests.export.hf`, and hold inside the list too. A player in a
viewer needs the flat layout; this one keeps a dialogue together. Where dialogues are mixed, each track has an `Audio`
column of its own (`user_track`, `agent_track`), and each turn says where it starts in it.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from manifests.corpus import Corpus
from manifests.export._parquet import write_parquet
from manifests.export.contract import Exporter, ExportSettings, Piece
from manifests.export.hf import (
    AUDIO,
    COLUMNS,
    HfWriter,
    audio_feature,
    open_hf,
    turn_rows,
    value_features,
    value_fields,
)
from manifests.parts import track_name
from manifests.schema import Audio, Dialogue
from manifests.storage import Place

_GROUP_ROWS = 16
"""Dialogues in a row group: streaming readers fetch whole row groups."""

OF_DIALOGUE = {"dialogue_id": "string", "language": "string", "user_voice": "string", "agent_voice": "string"}
OF_TURN = {name: kind for name, kind in COLUMNS.items() if name not in ("dialogue_id", "turn", "language")}


@dataclass(frozen=True)
class HfNestedWriter(HfWriter):
    """Writes dialogues whose clips all have one sample rate, in Hz: an `Audio` column has one.

    `tracks` are the names of the tracks that the corpus's dialogues have.
    """

    tracks: tuple[str, ...] = ()

    def write(self, dialogues: Iterator[Dialogue], out: Place, piece: Piece) -> None:
        rows = ([_row(dialogue, self.tracks)] for dialogue in dialogues)
        write_parquet(out, piece, _schema(self.sample_rate, self.tracks), rows, _GROUP_ROWS)


def open_hf_nested(corpus: Corpus, settings: ExportSettings) -> HfNestedWriter:
    """Take the sample rate of the first clip for that of the corpus, and the tracks of the first mixed dialogue."""
    timelines = (dialogue.timeline for dialogue in corpus.dialogues(audio=False))
    mixed = next((timeline.tracks for timeline in timelines if timeline and timeline.tracks), ())
    return HfNestedWriter(open_hf(corpus, settings).sample_rate, tuple(map(track_name, mixed)))


def _row(dialogue: Dialogue, tracks: Sequence[str]) -> dict[str, Any]:
    turns = []
    for row in turn_rows(dialogue):
        turn = {name: row[name] for name in (*OF_TURN, "audio")}
        turns.append({**turn, "start_sample": dialogue.turns[row["turn"]].start_sample} if tracks else turn)
    found = {track_name(one): one.audio for one in dialogue.timeline.tracks} if dialogue.timeline else {}
    columns = {_column(name): _track(dialogue, name, found.get(name)) for name in tracks}
    return {**{name: getattr(dialogue, name) for name in OF_DIALOGUE}, "turns": turns, **columns}


def _track(dialogue: Dialogue, name: str, audio: Audio | None) -> dict[str, Any] | None:
    if audio is None:
        return None
    return {"bytes": audio.bytes, "path": f"{dialogue.dialogue_id}-{name}.{audio.codec}"}


def _column(track: str) -> str:
    return f"{track.replace('-', '_')}_track"


def _schema(sample_rate: int | None, tracks: Sequence[str]) -> pa.Schema:
    of_turn = {**OF_TURN, "start_sample": "int64"} if tracks else OF_TURN
    turn = pa.struct([*value_fields(of_turn), AUDIO])
    feature = {**value_features(of_turn), "audio": audio_feature(sample_rate)}
    features = {**value_features(OF_DIALOGUE), "turns": {"feature": feature, "_type": "List"}}
    features |= {_column(name): audio_feature(sample_rate) for name in tracks}
    metadata = {"huggingface": json.dumps({"info": {"features": features}})}
    columns = [pa.field(_column(name), AUDIO.type) for name in tracks]
    return pa.schema([*value_fields(OF_DIALOGUE), pa.field("turns", pa.list_(turn)), *columns], metadata)


EXPORTER = Exporter(
    "hf-nested",
    "Hugging Face datasets: nested Parquet, one row for each dialogue, with an Audio in every turn",
    open_hf_nested,
    read_by="datasets 5.2.0",
)
