"""Hugging Face `datasets`: flat Parquet, one row for each turn, with an `Audio` column.

`datasets` 5.2 takes a column for `Audio` only if its Arrow type is exactly `struct<bytes: binary, path: string>`, in
this order, with nothing declared not-null; else it drops the features that stand in the schema's metadata without a
word. `decode` is off there: with it on, reading any row needs torchcodec; a user turns it on with one cast. Files are
named as `load_dataset("DIR")` finds them: data/train-00000.parquet. A `path` is unique, since consumers take
it for a key.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from manifests.clips import has_safe_names
from manifests.corpus import Corpus
from manifests.export.contract import Export, Exporter
from manifests.schema import Dialogue
from manifests.storage import Place

_FILE_BYTES = 256 << 20
"""About so much audio goes into one file."""
_GROUP_ROWS = 64
"""Turns in a row group: streaming readers fetch whole row groups."""
_VALUES = {"int64": pa.int64(), "string": pa.string(), "float64": pa.float64()}
_COLUMNS = {
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


def write_hf(corpus: Corpus, out: Place, progress: Callable[[int], None]) -> Export:
    """Write the turns of all dialogues. A dialogue is refused if its clips have another rate than the first one's, or
    if its id, which becomes part of paths, could lead out of a directory."""
    files, refused = _Files(out / "data"), Counter[str]()
    rate: int | None = None
    for dialogue in corpus:
        audios = [turn.audio for turn in dialogue.turns if turn.audio]
        rate = rate or (audios[0].sample_rate if audios else None)
        if len(audios) < len(dialogue.turns):
            refused["a turn has no audio"] += 1
        elif any(audio.sample_rate != rate for audio in audios):
            refused["its sample rate is not that of the corpus"] += 1
        elif not has_safe_names(dialogue):
            refused["its id is no safe name for a file"] += 1
        else:
            files.write(list(_rows(dialogue)), _schema(audios[0].sample_rate))
        progress(1)
    files.finish()
    return Export(len(corpus) - refused.total(), dict(refused))


def _rows(dialogue: Dialogue) -> Iterator[dict[str, Any]]:
    for number, turn in enumerate(dialogue.turns):
        take = turn.take
        if take is not None and take.audio is not None:
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


def _schema(sample_rate: int) -> pa.Schema:
    features: dict[str, dict[str, Any]] = {name: {"dtype": kind, "_type": "Value"} for name, kind in _COLUMNS.items()}
    features["audio"] = {"sampling_rate": sample_rate, "decode": False, "_type": "Audio"}
    fields = [pa.field(name, _VALUES[kind]) for name, kind in _COLUMNS.items()]
    audio = pa.field("audio", pa.struct([("bytes", pa.binary()), ("path", pa.string())]))
    return pa.schema([*fields, audio], {"huggingface": json.dumps({"info": {"features": features}})})


class _Files:
    """The Parquet files, each written whole once its audio is large enough."""

    def __init__(self, directory: Place) -> None:
        self._directory = directory
        self._number = 0
        self._rows: list[dict[str, Any]] = []
        self._schema: pa.Schema | None = None
        self._bytes = 0

    def write(self, rows: Sequence[dict[str, Any]], schema: pa.Schema) -> None:
        self._rows += rows
        self._schema = schema
        self._bytes += sum(len(row["audio"]["bytes"]) for row in rows)
        if self._bytes >= _FILE_BYTES:
            self.finish()

    def finish(self) -> None:
        if self._rows:
            table = pa.Table.from_pylist(self._rows, self._schema)
            with (self._directory / f"train-{self._number:05d}.parquet").writing() as stream:
                pq.write_table(table, stream, row_group_size=_GROUP_ROWS)
            self._number, self._rows, self._bytes = self._number + 1, [], 0


EXPORTER = Exporter("hf", "Hugging Face datasets: flat Parquet, one row for each turn, with an Audio column", write_hf)
