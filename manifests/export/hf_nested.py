"""Hugging Face `datasets`: nested Parquet, one row for each dialogue, with an `Audio` in each of its turns.

The rules for the type of `audio` are those of `manifests.export.hf`, and hold inside the list too. A player in a
viewer needs the flat layout; this one keeps a dialogue together.
"""

import json
from collections.abc import Iterator
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
from manifests.schema import Dialogue
from manifests.storage import Place

_GROUP_ROWS = 16
"""Dialogues in a row group: streaming readers fetch whole row groups."""

OF_DIALOGUE = {"dialogue_id": "string", "language": "string", "user_voice": "string", "agent_voice": "string"}
OF_TURN = {name: kind for name, kind in COLUMNS.items() if name not in ("dialogue_id", "turn", "language")}


@dataclass(frozen=True)
class HfNestedWriter(HfWriter):
    """Writes dialogues whose clips all have one sample rate, in Hz: an `Audio` column has one."""

    def write(self, dialogues: Iterator[Dialogue], out: Place, piece: Piece) -> None:
        write_parquet(out, piece, _schema(self.sample_rate), ([_row(dialogue)] for dialogue in dialogues), _GROUP_ROWS)


def open_hf_nested(corpus: Corpus, settings: ExportSettings) -> HfNestedWriter:
    """Take the sample rate of the first clip for that of the corpus."""
    return HfNestedWriter(open_hf(corpus, settings).sample_rate)


def _row(dialogue: Dialogue) -> dict[str, Any]:
    turns = [{name: row[name] for name in (*OF_TURN, "audio")} for row in turn_rows(dialogue)]
    return {**{name: getattr(dialogue, name) for name in OF_DIALOGUE}, "turns": turns}


def _schema(sample_rate: int | None) -> pa.Schema:
    turn = pa.struct([*value_fields(OF_TURN), AUDIO])
    feature = {**value_features(OF_TURN), "audio": audio_feature(sample_rate)}
    features = {**value_features(OF_DIALOGUE), "turns": {"feature": feature, "_type": "List"}}
    metadata = {"huggingface": json.dumps({"info": {"features": features}})}
    return pa.schema([*value_fields(OF_DIALOGUE), pa.field("turns", pa.list_(turn))], metadata)


EXPORTER = Exporter(
    "hf-nested",
    "Hugging Face datasets: nested Parquet, one row for each dialogue, with an Audio in every turn",
    open_hf_nested,
    read_by="datasets 5.2.0",
)
