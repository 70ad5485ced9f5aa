"""Hugging Face `datasets`: flat Parquet, one row for each turn, with an `Audio` column.

`datasets` 5.2 takes a column for `Audio` only if its Arrow type is exactly `struct<bytes: binary, path: string>`, in
this order, with nothing declared not-null; else it drops the features that stand in the schema's metadata without a
word. `decode` is off there: with it on, reading any row needs torchcodec; a user turns it on with one cast. Files are
named as `load_dataset("DIR")` finds them: data/train-00000.parquet. A `path` is unique, since consumers take
it for a key. A turn that was left out of the dialogue's timeline is not written, since nobody hears it.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa

from manifests.clips import has_safe_names
from manifests.corpus import Corpus
from manifests.export._parquet import write_parquet
from manifests.export.contract import Exporter, ExportSettings, Piece, PieceWriter
from manifests.schema import Dialogue
from manifests.storage import Place

_GROUP_ROWS = 64
"""Turns in a row group: streaming readers fetch whole row groups."""
_TYPES = {"int64": pa.int64(), "string": pa.string(), "float64": pa.float64()}
COLUMNS = {
    "dialogue_id": "string",
    "turn": "int64",
    "role": "string",
    "language": "string",
    "text": "string",
    "voice_id": "string",
    "hypothesis": "string",
    "error_rate": "float64",
    "sampling_rate": "int64",
    "num_samples": "int64",
}
"""The plain columns and their types, in order."""

AUDIO = pa.field("audio", pa.struct([("bytes", pa.binary()), ("path", pa.string())]))


@dataclass(frozen=True)
class HfWriter(PieceWriter):
    """Writes the turns of dialogues whose clips all have one sample rate, in Hz: an `Audio` column has one."""

    sample_rate: int | None

    def problem(self, dialogue: Dialogue) -> str | None:
        turns = [turn for turn in dialogue.turns if not dialogue.leaves_out(turn)]
        audios = [turn.audio for turn in turns if turn.audio]
        if len(audios) < len(turns):
            return "a turn has no audio"
        if any(audio.sample_rate != self.sample_rate for audio in audios):
            return "its sample rate is not that of the corpus"
        return None if has_safe_names(replace(dialogue, turns=tuple(turns))) else "its id is no safe name for a file"

    def write(self, dialogues: Iterator[Dialogue], out: Place, piece: Piece) -> None:
        write_parquet(out, piece, _schema(self.sample_rate), map(turn_rows, dialogues), _GROUP_ROWS)


def open_hf(corpus: Corpus, settings: ExportSettings) -> HfWriter:
    """Take the sample rate of the first clip for that of the corpus."""
    first = (turn.audio for dialogue in corpus.dialogues(audio=False) for turn in dialogue.turns if turn.audio)
    return HfWriter(next((audio.sample_rate for audio in first), None))


def turn_rows(dialogue: Dialogue) -> Iterator[dict[str, Any]]:
    """Yield the row of each turn that has audio: the values of `COLUMNS`, and `audio`."""
    for number, turn in enumerate(dialogue.turns):
        take = turn.take
        if take is not None and take.audio is not None and not dialogue.leaves_out(turn):
            audio, hearing = take.audio, take.hearing
            score = hearing.score if hearing else None
            yield {
                "dialogue_id": dialogue.dialogue_id,
                "turn": number,
                "role": turn.role,
                "language": dialogue.language,
                "text": turn.text,
                "voice_id": take.voice_id,
                "hypothesis": hearing.hypothesis if hearing else None,
                "error_rate": score.rate if score else None,
                "sampling_rate": audio.sample_rate,
                "num_samples": audio.num_samples,
                "audio": {"bytes": audio.bytes, "path": f"{dialogue.dialogue_id}-{number}.{audio.codec}"},
            }


def _schema(sample_rate: int | None) -> pa.Schema:
    features = {**value_features(COLUMNS), "audio": audio_feature(sample_rate)}
    return pa.schema([*value_fields(COLUMNS), AUDIO], {"huggingface": json.dumps({"info": {"features": features}})})


def value_features(columns: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Return the features of plain columns, as `datasets` writes them."""
    return {name: {"dtype": kind, "_type": "Value"} for name, kind in columns.items()}


def value_fields(columns: Mapping[str, str]) -> list[pa.Field]:
    """Return the Arrow fields of plain columns."""
    return [pa.field(name, _TYPES[kind]) for name, kind in columns.items()]


def audio_feature(sample_rate: int | None) -> dict[str, Any]:
    """Return the feature of the column `audio`."""
    return {"sampling_rate": sample_rate, "decode": False, "_type": "Audio"}


EXPORTER = Exporter(
    "hf",
    "Hugging Face datasets: flat Parquet, one row for each turn, with an Audio column",
    open_hf,
    read_by="datasets 5.2.0",
)
